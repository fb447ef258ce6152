"""Readers of single values of config.toml: each turns what TOML gave into a value, or says what would be right.

A complaint may repeat a word the owner chose from a list, never what could be a secret or an address that holds one.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from boltwatch.config_table import kind, nearest, wrong
from boltwatch.errors import ConfigError

T = TypeVar("T")

_DURATION = re.compile(r"(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,7})s)?")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_ADDRESS = re.compile(r"[!-~]+@(?:[\w-]+(?:\.[\w-]+)*|\[[0-9A-Fa-f.:]+\])")
_NOT_IN_URLS = re.compile(r"""[\s<>"\\]""")
_MAX_TEXT = 1000
_MAX_NAME = 100
_MAX_URL = 2000


def flag(raw: object) -> bool:
    """True or false."""
    if isinstance(raw, bool):
        return raw
    raise wrong(f"must be true or false without quotes, not {kind(raw)}")


def text(raw: object) -> str:
    """A line of text with something in it."""
    if not isinstance(raw, str):
        raise wrong(f'must be text in quotes, not {kind(raw)} (such as "abc")')
    if not raw.strip():
        raise wrong("is empty")
    if not raw.isprintable():
        raise wrong(_unprintable(raw))
    if len(raw) > _MAX_TEXT:
        raise wrong(f"is {len(raw)} characters long (at most {_MAX_TEXT})")
    return raw.strip()


def _unprintable(value: str) -> str:
    char = next(char for char in value if not char.isprintable())
    if char in "\r\n\t":
        return "must be a single line, without tabs"
    return f"holds a character that cannot be seen (U+{ord(char):04X}; type the text anew if it was pasted)"


def block_text(raw: object) -> str:
    """Text that may run over lines."""
    if not isinstance(raw, str):
        raise wrong(f"must be text in quotes, not {kind(raw)} (such as 'xAI OR Grok')")
    if not raw.strip():
        raise wrong("is empty")
    return raw


def contact(raw: object) -> str:
    """Text that fits into the comment of a User-Agent header (RFC 9110 section 5.6.5)."""
    value = text(raw)
    if not value.isascii() or set(value) & set("()\\"):
        raise wrong("must be plain ASCII without brackets, it goes into a header (an e-mail address or a web address)")
    return value


def name(raw: object) -> str:
    """A name that can be typed in a command without quoting trouble."""
    value = text(raw)
    if '"' in value or "," in value:
        raise wrong("must hold neither quotation marks nor commas")
    if len(value) > _MAX_NAME:
        raise wrong(f"is {len(value)} characters long (at most {_MAX_NAME})")
    return value


def number(least: int, most: int) -> Callable[[object], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise wrong(f"must be a whole number without quotes, not {kind(raw)} (from {least} to {most})")
        if not least <= raw <= most:
            raise wrong(f"{raw} is out of range (from {least} to {most})")
        return raw

    return read


def one_of(*words: str) -> Callable[[object], str]:
    """A reader of one word from a short list."""

    def read(raw: object) -> str:
        value = text(raw)
        if value in words:
            return value
        raise wrong(f'"{value}" is not known {nearest(value, words)}')

    return read


def duration(least: timedelta, most: timedelta) -> Callable[[object], timedelta]:
    """A reader of "30s", "15m", "1h30m" or "2d", between `least` and `most`."""

    def read(raw: object) -> timedelta:
        if not isinstance(raw, str):
            raise wrong(f'must be a duration in quotes, not {kind(raw)} (such as "30s", "15m", "1h30m" or "2d")')
        found = _DURATION.fullmatch(raw.strip())
        if found is None or not any(found.groups()):
            raise wrong(f'"{raw[:40]}" is not a duration (write it like "30s", "15m", "1h30m" or "2d")')
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        value = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if not least <= value <= most:
            raise wrong(f'"{raw}" is out of range (from {spell(least)} to {spell(most)})')
        return value

    return read


def spell(span: timedelta) -> str:
    """A duration of whole seconds as config.toml writes it: 1h30m."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def each(reader: Callable[[object], T], example: str) -> Callable[[object], tuple[T, ...]]:
    """A reader of lists whose elements `reader` reads: not empty, nothing twice."""

    def read(raw: object) -> tuple[T, ...]:
        if not isinstance(raw, list):
            raise wrong(f"must be a list, not {kind(raw)} (such as {example})")
        values: list[T] = []
        faults: list[str] = []
        for place, element in enumerate(raw, start=1):
            try:
                values.append(reader(element))
            except ConfigError as error:
                faults += [f"element {place}: {complaint}" for complaint in error.complaints]
        faults += [
            f"element {place} stands there twice"
            for place, value in enumerate(values, 1)
            if value in values[: place - 1]
        ]
        if faults:
            raise ConfigError(tuple(faults))
        return tuple(values)

    return read


def some(reader: Callable[[object], tuple[T, ...]], hint: str) -> Callable[[object], tuple[T, ...]]:
    """The same list reader, which takes no empty list."""

    def read(raw: object) -> tuple[T, ...]:
        values = reader(raw)
        if not values:
            raise wrong(f"is empty ({hint})")
        return values

    return read


def url(raw: object, *, hidden: bool = False) -> str:
    """An http or https address; of a `hidden` one no complaint repeats anything."""
    if not isinstance(raw, str):
        raise wrong(f'must be an address in quotes, not {kind(raw)} (such as "https://example.org/feed")')
    value = raw.strip()
    if not value:
        raise wrong("is empty")
    if len(value) > _MAX_URL:
        raise wrong(f"is {len(value)} characters long (at most {_MAX_URL})")
    if _NOT_IN_URLS.search(value) or not value.isprintable():
        raise wrong('holds a blank or another character that no address has (write a blank as "%20")')
    _check_parts(value, _split(value), hidden)
    return value


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        if parts.port == 0:
            raise ValueError
    except ValueError:
        raise wrong("is not an address: its host or port cannot be read") from None
    return parts


def _check_parts(value: str, parts: SplitResult, hidden: bool) -> None:
    if parts.scheme not in ("http", "https"):
        raise wrong(
            'does not begin with https:// or http:// (write "https://…")' if hidden else _scheme_fault(value, parts)
        )
    host = parts.hostname or ""
    if not host or not all(host.rstrip(".").split(".")):
        raise wrong(f'has no host (write "{parts.scheme}://example.org/…")')


def _scheme_fault(value: str, parts: SplitResult) -> str:
    rest = value.split("://", 1)[-1].removeprefix("feed:")
    meant = f'did you mean "https://{rest}"?' if "@" not in rest and "." in rest.split("/")[0] else 'write "https://…"'
    if "://" not in value:
        return f"does not begin with https:// or http:// ({meant})"
    return f'"{parts.scheme}" cannot be fetched, only https and http ({meant})'


def canonical_url(value: str) -> str:
    """One spelling for addresses that are the same: case of scheme and host, default port, empty path, fragment."""
    parts = urlsplit(value)
    default = {"http": 80, "https": 443}[parts.scheme]
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return parts._replace(netloc=f"{user}{at}{host}{port}", path=parts.path or "/", fragment="").geturl()


def host(raw: object) -> str:
    """A host name or an IP address."""
    value = text(raw)
    if _HOST.fullmatch(value) or _is_ip(value):
        return value
    raise wrong(
        f'must be a host name alone, without scheme, port or path (such as "mail.example.org"){_host_hint(value)}'
    )


def _host_hint(value: str) -> str:
    return ": umlauts are written as xn--…" if not value.isascii() else ""


def _is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def private_place(raw: object) -> str:
    """A network, an address or a host name that may be visited although it is private."""
    value = text(raw)
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return _private_host(value)
    return value


def _private_host(value: str) -> str:
    try:
        network: Any = ipaddress.ip_network(value, strict=False)
    except ValueError:
        if _HOST.fullmatch(value) and not re.fullmatch(r"[0-9.]+", value):
            return value
        raise wrong(f'"{value}" is no network, address or host name (such as "192.168.0.0/16" or "nas.home")') from None
    raise wrong(f'"{value}" has bits set behind its mask (did you mean "{network}"?)')


def mail_address(raw: object) -> str:
    """ops@example.org, or Boltwatch <ops@example.org>."""
    value = text(raw)
    _, address = parseaddr(value)
    bare = value if "<" not in value else value[value.rindex("<") + 1 :].rstrip().removesuffix(">")
    if address != bare or not _ADDRESS.fullmatch(address) or not _has_dns_form(address.rpartition("@")[2]):
        raise wrong('must be one e-mail address (such as "ops@example.org" or "Boltwatch <ops@example.org>")')
    return value


def _has_dns_form(host_name: str) -> bool:
    try:
        host_name.encode("idna")
    except UnicodeError:
        return False
    return True
