"""Which addresses may be visited, and that no other is connected to."""

import asyncio
import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
import pytest

from boltwatch.errors import Refused
from boltwatch.feeds.guard import Guard, GuardedBackend, is_forbidden, resolve

FORBIDDEN = [
    *("127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *(
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.0.8",
        "198.18.0.1",
        "240.0.0.1",
    ),
    *("fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
    *("::127.0.0.1", "fec0::1", "4000::1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::", "2001:0:7f00:1::"),
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_the_public_internet_is_forbidden_with_its_kind(address: str) -> None:
    assert is_forbidden(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_not_forbidden(address: str) -> None:
    assert is_forbidden(ipaddress.ip_address(address)) is None


def test_only_what_the_owner_named_is_allowed() -> None:
    guard = Guard(["nas.home", "10.1.0.0/16"])
    assert guard.choose("NAS.home.", ["192.168.0.9"]) == ["192.168.0.9"]
    assert guard.choose("else.where", ["10.1.2.3", "10.2.0.1"]) == ["10.1.2.3"]
    with pytest.raises(Refused, match=r"10\.2\.0\.1 is a private address"):
        guard.choose("else.where", ["10.2.0.1"])
    assert guard.is_own("nas.home")
    assert guard.is_own("10.1.0.1")
    assert not guard.is_own("10.2.0.1")
    assert not guard.is_own("news.example")


def test_a_forbidden_address_among_good_ones_is_left_out() -> None:
    assert Guard().choose("rebind.example", ["127.0.0.1", "93.184.216.34"]) == ["93.184.216.34"]


class Connector(httpcore.AsyncMockBackend):
    """Stands where the system would connect: notes the address and the time it may take, and lets some answer."""

    def __init__(self, answering: Iterable[str]) -> None:
        super().__init__([])
        self.answering = set(answering)
        self.asked: list[tuple[str, float | None]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        *rest: Any,
        **more: Any,
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, timeout))
        if host not in self.answering:
            raise httpcore.ConnectError("refused")
        return await super().connect_tcp(host, port, timeout)


def connect(found: Sequence[str], answering: Iterable[str]) -> list[tuple[str, float | None]]:
    connector = Connector(answering)
    lookups = 0

    async def resolver(host: str, port: int) -> Sequence[str]:
        nonlocal lookups
        lookups += 1
        return found

    backend = GuardedBackend(Guard(), resolver=resolver, inner=connector)
    try:
        asyncio.run(backend.connect_tcp("news.example", 443, 30.0))
    finally:
        assert lookups == 1
    return connector.asked


def test_addresses_are_tried_in_order_each_with_its_share_of_the_time() -> None:
    found = ["2606:2800:220:1::1", "10.0.0.1", "93.184.216.34", "8.8.8.8"]
    assert connect(found, ["93.184.216.34", "8.8.8.8"]) == [("2606:2800:220:1::1", 10.0), ("93.184.216.34", 10.0)]


def test_when_no_address_answers_the_last_failure_is_told() -> None:
    with pytest.raises(httpcore.ConnectError, match="refused"):
        connect(["93.184.216.34", "8.8.8.8"], [])


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0x7f000001", "localhost"])
def test_other_spellings_of_this_machine_are_judged_by_their_address(host: str) -> None:
    connector = Connector(["127.0.0.1", "::1"])
    backend = GuardedBackend(Guard(), resolver=resolve, inner=connector)
    with pytest.raises(Refused, match="loopback"):
        asyncio.run(backend.connect_tcp(host, 80))
    assert connector.asked == []
