"""When next? For a feed from its owner, its server, its document and its own rhythm; for a delivery from its attempts.

Pure: the present and the chance come in as arguments. Whatever anybody says, a feed is asked again within eight days.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from boltwatch.model import Freshness

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_QUICKEST = timedelta(minutes=15)
_LONGEST = timedelta(days=7)
_BACKOFF_CAP = timedelta(days=1)
_JITTER = 0.1
_TRIES = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200, 18000, 36000))
_GIVE_UP = timedelta(days=3)


def next_poll(
    *,
    now: datetime,
    every: timedelta | None,
    floor: Freshness,
    max_age: timedelta | None,
    publications: Sequence[datetime],
    failures: int,
    wait: timedelta | None,
    jitter: float,
) -> tuple[datetime, str]:
    """The feed's next due time, and why, as a sentence.

    The owner's `every` wins over the feed's rhythm; what server and document ask for (`wait`, `max_age`, `floor`) wins
    over both. `jitter` in [0, 1) adds up to a tenth, never less than was asked for. The rhythm without any hint is an
    hour; a feed that publishes often is asked down to every 15 minutes.
    """
    span, why = _interval(every, publications)
    if failures:
        backed_off = min(max(span, _MINUTE) * 2 ** min(failures, 16), _BACKOFF_CAP)
        span, why = (
            max(span, backed_off),
            f"{failures} failure{'s' * (failures > 1)} in a row: {_words(max(span, backed_off))}",
        )
    for asked, who in (
        (max_age, "the server calls its answer fresh for"),
        (floor.ttl, "the feed asks to be left alone for"),
        (wait, "the server asked to wait (Retry-After)"),
    ):
        if asked is not None and min(asked, _LONGEST) > span:
            span, why = min(asked, _LONGEST), f"{who} {_words(min(asked, _LONGEST))}"
    due_at = now + span * (1 + _JITTER * jitter)
    allowed = _first_allowed(due_at, floor)
    if allowed != due_at:
        due_at, why = allowed, f"{why}; the feed asks not to be read at that hour (skipHours, skipDays)"
    return min(due_at, now + timedelta(days=8)), why


def next_try(
    *, now: datetime, created_at: datetime, attempts: int, wait: timedelta | None, jitter: float
) -> datetime | None:
    """When a delivery is tried again after `attempts` tries; None when three days are over and it is given up.

    5 s, 1 min, 5 min, 30 min, 2 h, 5 h, then each 10 h, and up to a tenth more; at least what the receiver asked for.
    """
    span = _TRIES[min(attempts, len(_TRIES)) - 1] * (1 + _JITTER * jitter)
    try_at = now + max(span, min(wait or timedelta(0), _BACKOFF_CAP))
    return try_at if try_at <= created_at + _GIVE_UP else None


def _interval(every: timedelta | None, publications: Sequence[datetime]) -> tuple[timedelta, str]:
    if every is not None:
        every = max(every, _MINUTE)
        return every, f"every {_words(every)}, as configured"
    gaps = [later - earlier for earlier, later in pairwise(sorted(publications))]
    if len(gaps) < 4:
        return _HOUR, "hourly: nothing is known yet of its rhythm"
    typical = timedelta(seconds=median(gap.total_seconds() for gap in gaps))
    span = min(max(typical / 2, _QUICKEST), _HOUR)
    rhythm, step = (_words(one).removeprefix("1 ") for one in (typical, span))
    return span, f"it publishes about every {rhythm}, so it is asked every {step}"


def _first_allowed(due_at: datetime, floor: Freshness) -> datetime:
    """The first instant from there whose hour (GMT) and day the feed does not ask to skip (RSS 2.0)."""
    at = due_at
    for _ in range(7 * 24 + 1):
        if at.hour not in floor.skip_hours and at.weekday() not in floor.skip_days:
            return at
        at = at.replace(minute=0, second=0, microsecond=0) + _HOUR
    return due_at  # it asks to be skipped always: that cannot be meant


def _words(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            count = seconds / size
            return f"{count:.3g} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
