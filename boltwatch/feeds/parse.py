"""Bytes become entries: RSS 0.9-2.0, RDF, Atom and JSON Feed. Pure; whatever the bytes are, only ParseError is raised.

feedparser reads the XML formats; sanitising and resolving are left to strip, which costs a third (11 instead of
27.6 ms a feed). What leaves here is plain text, absolute http(s) addresses, aware instants, and hostile html.
"""

import html as entities
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from boltwatch.errors import ParseError
from boltwatch.feeds.quick import quick
from boltwatch.feeds.quick_reader import Document
from boltwatch.feeds.quick_text import WHOLE_ADDRESS
from boltwatch.model import Entry, Freshness, Parsed

_MOST_ENTRIES = 5000
_TITLE = 500
_KEY = 500
_HTML = 1_000_000
_WEEK = timedelta(days=7)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}
# C0 but tab and line feed, C1, lone surrogates, non-characters: nothing of a text, and trouble for SQLite and mail.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ASCII_CONTROLS = dict.fromkeys({*range(32), 127} - {9, 10})
_LOW_BYTES = bytes(_ASCII_CONTROLS)
# One first byte each: that is what makes looking for them fast.
_C1_BYTES, _SURROGATE_BYTES = re.compile(rb"\xc2[\x80-\x9f]"), re.compile(rb"\xed[\xa0-\xbf]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_COMMENT = re.compile(r"<!--.*?-->", re.S)
# A reference to a lone surrogate (D800-DFFF, 55296-57343): no character, and feedparser fails on it.
_SURROGATE = re.compile(
    rb"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}|0*5(?:529[6-9]|5[3-9]\d\d|6\d{3}|7[0-2]\d\d|73[0-3]\d|734[0-3]));"
)
_WIDE = re.compile(
    rb"""(\A[^>]{0,80}\bencoding\s*=\s*["'])(?:utf|ucs|iso-10646-ucs)-?(?:16|32|2|4)(?:[bl]e)?(?=["'])""", re.I
)
_WIDE_CHARSET = re.compile(r"charset\s*=\s*\"?utf-?(?:16|32)(?:[bl]e)?\"?", re.I)
_PIXEL = re.compile(r"[^<>]{0,2000}\b(?:width|height)\s{0,9}=\s{0,9}[\"']?[01]\b[^<>]{0,2000}>", re.I)


def parse(body: bytes, *, url: str, content_type: str = "") -> Parsed:
    """The feed in these bytes. Raises ParseError when they are not a feed, saying what they look like.

    A feed that is cut short or not well-formed gives the entries that are complete. At most 5,000 entries, titles of
    500 characters, a million characters of html each.
    """
    start = body[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start and not body.strip():
        raise ParseError(f"{url}: the answer is empty")
    if any(part.partition(b">")[0].count(b"=") > 5000 for part in body.split(b"<") if len(part) > 20_000):
        # No reader compares so many names in bearable time: 200,000 of them cost a minute.
        raise ParseError(f"{url}: a tag with thousands of attributes, which no feed has")
    if start[:1] == b"{":
        return _parse_json(body, url)
    if start[:1] == b"<" and body[:4].count(0) == 0:
        # White space before the declaration would send feedparser to its lenient parser.
        body = body.lstrip()
        # Letters of one byte each: whoever says UTF-16 or UTF-32 here is wrong, and would be believed.
        if wide := _WIDE.match(body):
            body = wide[1] + b"utf-8" + body[wide.end() :]
        content_type = _WIDE_CHARSET.sub("", content_type)
    document = quick(body, content_type, url) or judged(body, url, content_type)
    return assembled(document, body, url)


def assembled(document: Document, body: bytes, url: str) -> Parsed:
    """The feed that a document is, whoever read it."""
    channel = document.channel
    base = _address(channel.get("link"), url) or url
    made = (_entry(item, base) for item in document.items[:_MOST_ENTRIES])
    return Parsed(
        title=_line(channel.get("title")),
        site_url=_address(channel.get("link"), url),
        language=_text(channel.get("language")) or None,
        entries=tuple(_each_key_once(made)),
        freshness=_freshness(channel, body),
    )


def judged(body: bytes, url: str, content_type: str) -> Document:
    """What feedparser makes of the bytes: the judge of what a feed says. Raises ParseError."""
    try:
        found = feedparser.parse(
            BytesIO(_SURROGATE.sub(b"", body)),
            sanitize_html=False,
            resolve_relative_uris=False,
            response_headers={"content-type": content_type, "content-location": url},
        )
    except Exception as error:  # feedparser's own faults on strangers' bytes (a codec that is none, say)
        raise ParseError(f"{url}: the document cannot be read ({type(error).__name__}: {error})") from error
    if not found.get("version") and not found.entries:
        raise ParseError(f"{url}: {_looks_like(body)}")
    return Document(found.feed, found.entries)


def _looks_like(body: bytes) -> str:
    lower = body[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<html" in lower or b"<!doctype html" in lower:
        wall = b"just a moment" in lower or b"captcha" in lower
        return "this is a bot wall's page, not a feed" if wall else "this is a web page, not a feed"
    if lower[:1] == b"<":
        return "this is XML, but not a feed"
    return "this is not a feed"


def _entry(item: dict[str, Any], base: str) -> Entry:
    # dict.get: feedparser's own answers for a missing date with another one, and warns about it.
    url = _address(item.get("link"), item.get("title_detail", {}).get("base") or base)
    contents = [part.get("value", "") for part in item.get("content", ())] + [item.get("summary", "")]
    return _made(
        guid=_text(item.get("id")),
        url=url,
        title=_line(item.get("title")),
        html=max(map(_text, contents), key=len),
        author=_line(item.get("author")) or None,
        published_at=_instant(dict.get(item, "published_parsed")) or _instant(dict.get(item, "updated_parsed")),
        updated_at=_instant(dict.get(item, "updated_parsed")),
        tags=tuple(dict.fromkeys(filter(None, (_line(tag.get("term")) for tag in item.get("tags", ()))))),
        language=_text(item.get("title_detail", {}).get("language")) or None,
    )


def _made(
    *,
    guid: str,
    url: str | None,
    title: str,
    html: str,
    author: str | None,
    published_at: datetime | None,
    updated_at: datetime | None,
    tags: tuple[str, ...],
    language: str | None,
) -> Entry:
    html = html[:_HTML]
    # A tracking pixel may have another address at each poll; it is nothing that a reader sees.
    digest = sha256(f"{title}\0{_without_pixels(html)}\0{url}".encode()).hexdigest()
    key = guid or url or f"sha256:{digest}"
    return Entry(
        key=key if len(key) <= _KEY else f"sha256:{sha256(key.encode()).hexdigest()}",
        digest=digest[:32],
        url=url,
        title=title,
        html=html,
        author=author,
        published_at=published_at,
        updated_at=updated_at,
        tags=tags,
        language=language,
    )


def _without_pixels(html: str) -> str:
    """The html without images of one pixel, whose address may be another one at each poll."""
    first, *rest = html.replace("<IMG", "<img").split("<img")
    found = ((_PIXEL.match(part), part) for part in rest)
    return first + "".join(part[pixel.end() :] if pixel else f"<img{part}" for pixel, part in found)


def _each_key_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Equal doubles go; different entries under one key are told apart by their content, the same way each time."""
    seen: dict[str, str] = {}
    for entry in entries:
        key = entry.key
        if key in seen:
            if seen[key] == entry.digest:
                continue
            key = f"{key[: _KEY - 40]}#{entry.digest}"
            if key in seen:
                continue
        seen[key] = entry.digest
        yield entry if key == entry.key else _renamed(entry, key)


def _renamed(entry: Entry, key: str) -> Entry:
    return replace(entry, key=key)


def _text(value: object) -> str:
    return _clean(value).strip() if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """The text without control characters; found in a tenth of the time that the expression needs to find none."""
    if text.isascii():
        return text.translate(_ASCII_CONTROLS)
    data = text.encode("utf-8", "surrogatepass")
    harmless = (
        len(data.translate(None, _LOW_BYTES)) == len(data)
        and not _C1_BYTES.search(data)
        and not _SURROGATE_BYTES.search(data)
        and b"\xef\xbf" not in data
    )
    return text if harmless else _CONTROLS.sub("", text)


def _line(value: object) -> str:
    """A title or name as one line of plain text: `AT&amp;T <b>x</b>` is `AT&T x`, and `a < b` stays."""
    text = _text(value)[: 8 * _TITLE]
    if "<" in text:
        commented, end, rest = text.rpartition("-->")
        text = _TAG.sub("", _COMMENT.sub("", commented + end) + rest)
    if "&" in text:
        text = _clean(entities.unescape(text))
    text = " ".join(text.split())[:_TITLE]
    return text if text.isascii() else _BIDI.sub("", text)


def _address(value: object, base: str) -> str | None:
    text = _text(value)
    if not text or len(text) > 4000:
        return None
    if WHOLE_ADDRESS.fullmatch(text):
        return text
    try:
        address = urljoin(base, text)
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and host else None


def _instant(parsed: Sequence[int] | None) -> datetime | None:
    """feedparser's UTC time tuple as an instant; outside 1990 to 2100 there is no date that a feed could mean."""
    if not parsed or not 1990 <= parsed[0] <= 2100:
        return None
    try:
        return datetime(*parsed[:6], tzinfo=UTC)  # type: ignore[misc, arg-type]  # six numbers, says feedparser
    except ValueError:
        return None


def _freshness(channel: Mapping[str, Any], body: bytes) -> Freshness:
    # feedparser keeps only the last <hour> and <day>, so they are read from the document itself (RSS 2.0).
    hours = [int(text) for text in re.findall(rb"<hour>\s*(\d{1,2})\s*</hour>", body[:20000])]
    days = [text.decode().lower() for text in re.findall(rb"<day>\s*(\w{6,9})\s*</day>", body[:20000])]
    seconds = 60 * _number(channel.get("ttl"))
    if period := _PERIODS.get(_text(channel.get("sy_updateperiod")).lower()):
        seconds = max(seconds, period // max(1, _number(channel.get("sy_updatefrequency")) or 1))
    return Freshness(
        ttl=min(timedelta(seconds=seconds), _WEEK) if seconds else None,
        skip_hours=frozenset(hour % 24 for hour in hours),
        skip_days=frozenset(_DAYS.index(day) for day in days if day in _DAYS),
    )


def _number(value: object) -> int:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _parse_json(body: bytes, url: str) -> Parsed:
    """A JSON Feed 1.0 or 1.1 (jsonfeed.org/version/1.1)."""
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise ParseError(f"{url}: this is JSON that cannot be read, not a feed") from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise ParseError(f"{url}: this is JSON, but not a JSON Feed")
    items = [item for item in feed["items"][:_MOST_ENTRIES] if isinstance(item, dict)]
    return Parsed(
        title=_line(feed.get("title")),
        site_url=_address(feed.get("home_page_url"), url),
        language=_text(feed.get("language")) or None,
        entries=tuple(_each_key_once(_json_entry(item, url) for item in items)),
    )


def _json_entry(item: Mapping[str, Any], url: str) -> Entry:
    plain = _text(item.get("content_text"))
    people = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [_line(person.get("name")) for person in people or () if isinstance(person, dict)]
    tags = item.get("tags") if isinstance(item.get("tags"), list) else []
    guid = item.get("id")
    return _made(
        guid=_text(str(guid)) if isinstance(guid, str | int | float) else "",
        url=_address(item.get("url"), url) or _address(item.get("external_url"), url),
        title=_line(item.get("title")),
        html=_text(item.get("content_html")) or entities.escape(plain) or _text(item.get("summary")),
        author=", ".join(filter(None, names)) or None,
        published_at=_json_date(item.get("date_published")) or _json_date(item.get("date_modified")),
        updated_at=_json_date(item.get("date_modified")),
        tags=tuple(dict.fromkeys(filter(None, map(_line, tags or ())))),
        language=_text(item.get("language")) or None,
    )


def _json_date(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(_text(value))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if 1990 <= found.year <= 2100 else None
