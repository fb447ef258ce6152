"""The small readings of the quick way: text as feedparser mends it, its dates, addresses joined, markup written out.

Whatever is doubtful raises UnusualError, and the document goes to feedparser. Pure.
"""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin
from xml.sax.saxutils import escape

XML = "{http://www.w3.org/XML/1998/namespace}"
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES.split(), 1)}
_ZONES = {"gmt": 0, "utc": 0, "ut": 0, "z": 0, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7}
_ZONES |= {"pdt": -7, "pst": -8}
_RFC822 = re.compile(
    r"(?:[A-Za-z]{3}, *)?(\d\d?) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? "
    r"(?:([+-])(\d\d):?(\d\d)|([A-Za-z]{1,3}))"
)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d)))?")
_CP1252 = {n: bytes([n]).decode("cp1252", "ignore") or chr(n) for n in range(0x80, 0xA0)}
_C1 = re.compile("[\x80-\x9f]")
# An address that joining would not change.
WHOLE_ADDRESS = re.compile(
    r"https?://[a-z0-9.-]{1,253}/[A-Za-z0-9_/.,=&%+~:@!-]*(?:\?[A-Za-z0-9_/.,=&%+~:@!-]+)?(?:#[A-Za-z0-9_/.,=&%+~:@!-]+)?"
)
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)(/+)")


class UnusualError(Exception):
    """Something that is better left to feedparser."""


def attribute(pair: tuple[str, str]) -> str:
    """An attribute written out."""
    name, value = pair[0].replace(XML, "xml:").lower(), pair[1]
    if "{" in name:
        raise UnusualError
    value = value.lower() if name in ("rel", "type") else value
    return f' {name}="{escape(value, {chr(34): "&quot;"})}"'


def unwrapped(pieces: list[str]) -> list[str]:
    """Without the one <div> that Atom wraps around xhtml (RFC 4287 section 3.1.1.3)."""
    pieces = [piece for piece in pieces if piece]
    while len(pieces) > 1 and not pieces[-1].strip():
        del pieces[-1]
    while len(pieces) > 1 and not pieces[0].strip():
        del pieces[0]
    if not (pieces[0] == "<div>" or pieces[0].startswith("<div ")) or pieces[-1] != "</div>":
        return pieces
    depth = 0
    for piece in pieces[:-1]:
        depth += -1 if piece.startswith("</") else piece.startswith("<")
        if piece.startswith("</") and depth == 0:
            return pieces
    return pieces[1:-1]


def stripped(element: Any) -> str:
    """The words of an element without children."""
    if len(element):
        raise UnusualError
    return (element.text or "").strip()


def text_of(element: Any) -> str:
    """The mended words of an element without children."""
    return fixed(stripped(element))


def fixed(text: str) -> str:
    """As feedparser mends it: UTF-8 that was taken for Latin-1, and cp1252 in the place of control characters."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.translate(_CP1252) if _C1.search(text) else text


def joined(base: str, address: str) -> str:
    """The address, seen from the base; empty when it is none."""
    if not address or WHOLE_ADDRESS.fullmatch(address):
        return address
    try:
        return urljoin(base, _SLASHES.sub(r"\1", address))
    except ValueError:
        return ""


def date_of(text: str) -> tuple[int, ...] | None:
    """Six numbers in UTC for the usual writings of RFC 822 and RFC 3339; None for no words."""
    if not text:
        return None
    if found := _RFC822.fullmatch(text):
        day, month, year, hour, minute, second, sign, hours, minutes, zone = found.groups()
        month = str(_MONTHS.get(month.lower(), 0))
    elif found := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, sign, hours, minutes = found.groups()
        zone = "z"
    else:
        raise UnusualError  # feedparser knows many more
    clock = (int(hour or 0), int(minute or 0), int(second or 0))
    when = datetime(int(year), int(month), int(day), *clock)  # noqa: DTZ001 (made UTC below)
    if sign:
        when -= timedelta(minutes=int(sign + hours) * 60 + int(sign + minutes))
    elif hours := _ZONES.get((zone or "z").lower()):
        when -= timedelta(hours=hours)
    return tuple(when.timetuple()[:6])
