"""Which addresses may be visited: nothing private, unless the owner named it.

The check is made on the address that is connected to, so a name that resolves to something else the second time
(DNS rebinding) gains nothing. Judging is pure; connecting is the business of GuardedBackend.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpcore

from boltwatch.errors import Refused
from boltwatch.feeds.connection import WatchedStream

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_CARRIER = ipaddress.ip_network("100.64.0.0/10")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")  # RFC 6890; Python calls parts of it global
_METADATA = ipaddress.ip_address("168.63.129.16")  # Azure's, in the midst of public addresses
_UNICAST = ipaddress.ip_network("2000::/3")  # all that RFC 4291 section 2.4 and IANA give to the Internet
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def is_forbidden(address: Address) -> str | None:
    """Why an address may not be visited: the kind of network it is in; None for the public Internet.

    An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) is judged as well: `is_global` alone lets
    64:ff9b::7f00:1, 2002:7f00:1::, ::7f00:1, fec0::1 and 224.0.0.1 through.
    """
    if isinstance(address, ipaddress.IPv6Address):
        for inner in _embedded(address):
            if reason := is_forbidden(inner):
                return reason
        if address.ipv4_mapped or address in _NAT64[0]:
            return None
    kinds = (
        ("loopback", address.is_loopback),
        ("unspecified", address.is_unspecified),
        ("link-local", address.is_link_local),
        ("multicast", address.is_multicast),
        ("carrier-grade NAT", isinstance(address, ipaddress.IPv4Address) and address in _CARRIER),
        ("protocol", isinstance(address, ipaddress.IPv4Address) and address in _PROTOCOLS),
        ("metadata", address == _METADATA),
        ("private", address.is_private or not address.is_global),
        ("reserved", isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST),
    )
    return next((kind for kind, holds in kinds if holds), None)


def _embedded(address: ipaddress.IPv6Address) -> Iterable[ipaddress.IPv4Address]:
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if any(address in network for network in _NAT64):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


class Guard:
    """Knows what the owner allows: host names such as `nas.home`, and networks such as `127.0.0.0/8`."""

    def __init__(self, allow_private: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for place in allow_private:
            try:
                self._networks.append(ipaddress.ip_network(place, strict=False))
            except ValueError:
                self._hosts.add(place.lower().rstrip("."))

    def is_own(self, host: str) -> bool:
        """Whether the owner named this host, or the network of this literal address, as theirs."""
        if host.lower().rstrip(".") in self._hosts:
            return True
        try:
            return self._is_allowed(ipaddress.ip_address(host))
        except ValueError:
            return False

    def choose(self, host: str, found: Sequence[str]) -> list[str]:
        """The addresses of a host that may be connected to, in order. Raises Refused when there is none."""
        allowed = []
        reason = "no address"
        for text in found:
            address = ipaddress.ip_address(text.partition("%")[0])
            kind = is_forbidden(address)
            if kind is None or host.lower().rstrip(".") in self._hosts or self._is_allowed(address):
                allowed.append(text)
            else:
                reason = f"{address} is a {kind} address"
        if not allowed:
            raise Refused(f"{host} may not be visited: {reason}; if it is yours, name it under network.allow_private")
        return allowed

    def _is_allowed(self, address: Address) -> bool:
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any(one in network for one in (address, mapped) if one for network in self._networks)


# A dead name keeps a thread for many seconds: the loop's own few threads would be all waiting for such names.
_LOOKUPS = ThreadPoolExecutor(32, thread_name_prefix="lookup")


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host, as the system finds them. Raises OSError."""
    look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, look)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only: resolves, asks the guard, and hands the address itself to the system."""

    def __init__(self, guard: Guard, *, resolver: Resolver, inner: httpcore.AsyncNetworkBackend) -> None:
        self._guard, self._resolver, self._inner = guard, resolver, inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first allowed address that answers; each gets its share of the time."""
        try:
            found = await self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} is not known to the name service ({error})") from error
        failure: Exception | None = None
        allowed = self._guard.choose(host, found)
        share = None if timeout is None else timeout / len(allowed)
        for address in allowed:
            try:
                return WatchedStream(await self._inner.connect_tcp(address, port, share, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: nothing here speaks to a socket file."""
        raise Refused("socket files are not visited")

    async def sleep(self, seconds: float) -> None:
        """Wait between tries."""
        await self._inner.sleep(seconds)
