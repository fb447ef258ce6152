"""Which addresses may be visited."""

import ipaddress

import pytest

from boltwatch.errors import Refused
from boltwatch.feeds.guard import Guard, is_forbidden

FORBIDDEN = [
    *("127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "240.0.0.1"),
    *("fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:c0a8:101::", "2001:0:7f00:1::"),
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
