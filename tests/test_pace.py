"""When next: floors are kept, backoff grows to its cap, and every answer has a reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.feeds.pace import next_poll, next_try
from boltwatch.model import Freshness

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def paced(**given: Any) -> tuple[timedelta, str]:
    plain: dict[str, Any] = {
        "now": NOW,
        "every": None,
        "floor": Freshness(),
        "max_age": None,
        "publications": (),
        "failures": 0,
        "wait": None,
        "jitter": 0.0,
    }
    due_at, why = next_poll(**{**plain, **given})
    return due_at - NOW, why


def often(gap: timedelta) -> list[datetime]:
    return [NOW - gap * n for n in range(20)]


@pytest.mark.parametrize(
    ("given", "span", "words"),
    [
        ({}, HOUR, "hourly"),
        ({"every": 10 * MINUTE}, 10 * MINUTE, "every 10 minutes, as configured"),
        ({"every": timedelta(seconds=1)}, MINUTE, "as configured"),
        ({"publications": often(20 * MINUTE)}, 15 * MINUTE, "publishes about every 20 minutes"),
        ({"publications": often(80 * MINUTE)}, 40 * MINUTE, "asked every 40 minutes"),
        ({"publications": often(timedelta(days=3))}, HOUR, "asked every hour"),
        ({"every": MINUTE, "max_age": 2 * HOUR}, 2 * HOUR, "the server calls its answer fresh for 2 hours"),
        ({"every": MINUTE, "floor": Freshness(ttl=3 * HOUR)}, 3 * HOUR, "the feed asks to be left alone for 3 hours"),
        ({"failures": 1, "wait": 5 * HOUR}, 5 * HOUR, "Retry-After"),
        ({"failures": 3, "every": 10 * MINUTE}, 80 * MINUTE, "3 failures in a row"),
        ({"failures": 99}, timedelta(days=1), "99 failures in a row: 1 day"),
        ({"max_age": timedelta(days=3650)}, timedelta(days=7), "7 days"),
        ({"floor": Freshness(skip_hours=frozenset({9, 10}))}, 3 * HOUR, "skipHours"),
        ({"floor": Freshness(skip_days=frozenset({0}))}, 16 * HOUR, "skipDays"),
        ({"floor": Freshness(skip_hours=frozenset(range(24)))}, HOUR, "hourly"),
    ],
)
def test_the_next_poll_is_when_owner_feed_and_server_together_want_it(
    given: dict[str, Any], span: timedelta, words: str
) -> None:
    found, why = paced(**given)
    assert found == span
    assert words in why


spans = st.none() | st.timedeltas(timedelta(seconds=-10), timedelta(days=40000))


@given(
    every=st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=30)),
    max_age=spans,
    wait=spans,
    ttl=st.none() | st.timedeltas(MINUTE, timedelta(days=7)),
    hours=st.frozensets(st.integers(0, 23)),
    days=st.frozensets(st.integers(0, 6)),
    publications=st.lists(st.datetimes(timezones=st.just(UTC)), max_size=50),
    failures=st.integers(0, 10_000),
    jitter=st.floats(0, 0.999),
)
def test_every_floor_is_kept_and_every_poll_is_ahead_and_within_eight_days(
    ttl: timedelta | None, hours: frozenset[int], days: frozenset[int], **given: Any
) -> None:
    span, why = paced(floor=Freshness(ttl=ttl, skip_hours=hours, skip_days=days), **given)
    assert timedelta(0) < span <= timedelta(days=8)
    for asked in (ttl, given["max_age"], given["wait"]):
        assert asked is None or span >= min(asked, timedelta(days=7))
    assert why


@given(st.integers(1, 60), st.timedeltas(MINUTE, timedelta(days=2)))
def test_backoff_never_shrinks_nor_passes_its_cap(failures: int, every: timedelta) -> None:
    earlier, _ = paced(failures=failures, every=every)
    later, _ = paced(failures=failures + 1, every=every)
    assert earlier <= later <= max(timedelta(days=1), every)


def test_a_delivery_is_tried_for_three_days_at_growing_distance() -> None:
    now, attempts, spans = NOW, 0, []
    while True:
        attempts += 1
        try_at = next_try(now=now, created_at=NOW, attempts=attempts, wait=None, jitter=0.0)
        if try_at is None:
            break
        spans.append(try_at - now)
        now = try_at
    assert spans == sorted(spans)
    assert spans[0] == timedelta(seconds=5)
    assert timedelta(days=2.5) < now - NOW <= timedelta(days=3)


def test_a_receiver_that_asks_to_wait_is_left_alone_so_long() -> None:
    assert next_try(now=NOW, created_at=NOW, attempts=1, wait=HOUR, jitter=0.5) == NOW + HOUR
