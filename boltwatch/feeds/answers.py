"""What the head of an HTTP answer says: freshness, Retry-After, codings, and what is wrong in words. Pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from boltwatch.errors import FetchError, Gone

Head = Mapping[str, str]

_LONGEST = timedelta(days=7)
_LISTS = {"cache-control", "content-encoding"}
_WALL = re.compile(rb"just a moment|cf-chl|challenge-platform|attention required|captcha|are you (?:a )?human", re.I)


def head_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by lower-case name. Lists are joined by ", " (RFC 9110 section 5.3); of others the first counts.

    Values are decoded as latin-1, so that a validator can be sent back byte for byte.
    """
    head: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key not in head:
            head[key] = text
        elif key in _LISTS:
            head[key] = f"{head[key]}, {text}"
    return head


def content_codings(head: Head) -> list[str]:
    """The codings of the body, in the order in which they were applied."""
    return [coding.strip().lower() for coding in head.get("content-encoding", "").split(",")]


def max_age(head: Head, now: datetime) -> timedelta | None:
    """How long the answer stays fresh (RFC 9111 section 4.2): max-age, else Expires, less its Age; None if not said."""
    found = re.search(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,12})", head.get("cache-control", ""), re.I)
    if found:
        lifetime = timedelta(seconds=min(int(found[1]), int(_LONGEST.total_seconds()) * 10))
    else:
        expires = _date(head.get("expires"))
        if expires is None:
            return None
        lifetime = expires - (_date(head.get("date")) or now)
    age = head.get("age", "").strip()
    if age.isdecimal() and len(age) < 10:
        lifetime -= timedelta(seconds=int(age))
    return lifetime if lifetime > timedelta(0) else None


def retry_after(head: Head, now: datetime) -> timedelta | None:
    """How long the server asks to be left alone (RFC 9110 section 10.2.3), at most seven days; None if not said."""
    text = head.get("retry-after", "").strip()
    if text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), _LONGEST)
    date = _date(text)
    if date is None or date <= now:
        return None
    return min(date - now, _LONGEST)


def complaint(url: str, status: int, head: Head, body: bytes, now: datetime) -> FetchError:
    """The error for an answer that is no document, in words its owner can act on."""
    wait = retry_after(head, now)
    if status == 410:
        return Gone(f"{url} is gone for good (410): its owner has retired it", status=status)
    if head.get("cf-mitigated", "").lower() == "challenge" or (status in (403, 429, 503) and _WALL.search(body)):
        return FetchError(
            f"{url} is behind a bot wall ({status}): a browser challenge answered", status=status, wait=wait
        )
    if status == 429 and wait is None:
        wait = timedelta(hours=1)
    words = {
        304: "answered 304 although nothing was known of it yet",
        401: "wants a login (401)",
        403: "refuses to be read by this program (403)",
        404: "is not there (404)",
        429: "asks for fewer requests (429)",
        503: "is out of service for now (503)",
    }
    return FetchError(f"{url} {words.get(status, f'answered with status {status}')}", status=status, wait=wait)


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return None
