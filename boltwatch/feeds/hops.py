"""Addresses on the way: how one is asked, whose turn it counts for, and where a redirect leads. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from boltwatch.errors import Refused

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect: its status, and its Location as it came (latin-1)."""

    status: int
    location: str


def clean(url: str) -> str:
    """The address as it is asked: without fragment (RFC 9110 section 7.1), else untouched.

    Raises Refused for anything but http and https with a host.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Refused(f"{url[:200]} is not an address ({error})") from error
    if parts.scheme not in _PORTS or not host:
        raise Refused(f"{url[:200]} is not an http or https address")
    return url.strip().partition("#")[0]


def host_of(url: str) -> tuple[str, str]:
    """The host of a clean address, and `host:port` as the one name under which its requests are counted."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    return host, f"{host}:{parts.port or _PORTS[parts.scheme]}"


def next_address(url: str, location: str) -> str:
    """Where a redirect leads. Raises Refused for a step from https to http, or one that carries credentials."""
    try:
        target = urljoin(url, _readable(location.strip()))
        parts = urlsplit(target)
        credentials = parts.username is not None or parts.password is not None
    except ValueError as error:
        raise Refused(f"{url} redirects to something that is not an address") from error
    if credentials:
        raise Refused(f"{url} redirects to an address with a user name in it")
    if urlsplit(url).scheme == "https" and parts.scheme == "http":
        raise Refused(f"{url} redirects from https back to http ({target[:200]})")
    return target


def _readable(location: str) -> str:
    """Servers put raw UTF-8 into Location; bytes that are not UTF-8 are escaped as the bytes they are."""
    raw = location.encode("latin-1", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return re.sub(rb"[\x80-\xff]", lambda found: b"%%%02X" % ord(found[0]), raw).decode("ascii")
