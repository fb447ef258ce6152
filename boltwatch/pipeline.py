"""The line: a feed goes in on the left, an alert comes out on the right.

The world's faults are caught here, once, and become values; bugs are raised to whoever called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from boltwatch.alerts.channels import Channel
from boltwatch.alerts.compose import compose
from boltwatch.archive.outbox import settle_dead, settle_retry, settle_sent
from boltwatch.archive.polls import Recorded, known_entries, record
from boltwatch.archive.store import StoreThread
from boltwatch.archive.subscriptions import publications
from boltwatch.errors import DeliveryError, FetchError, Gone, ParseError
from boltwatch.feeds.fetch import Fetcher
from boltwatch.feeds.pace import next_poll, next_try
from boltwatch.model import (
    Changed,
    Delivery,
    Failed,
    Feed,
    NotModified,
    Outcome,
    Retired,
    Rule,
    Unchanged,
)
from boltwatch.read import body_digest
from boltwatch.workers import Workers


@dataclass(frozen=True, slots=True)
class Line:
    """Everything the line works with. A reload makes a new one; what runs on the old one ends on it."""

    store: StoreThread
    fetcher: Fetcher
    workers: Workers
    channels: Mapping[str, Channel]
    rules: Mapping[int, Rule]
    alert_on_first_poll: bool
    now: Callable[[], datetime]
    chance: Random


async def poll(feed: Feed, line: Line) -> tuple[Outcome, Recorded]:
    """Bring one feed up to date and write down what came of it, and when it is due again."""
    try:
        outcome = await _look(feed, line)
    except Gone as error:
        outcome = Retired(str(error))
    except FetchError as error:
        outcome = Failed(str(error), error.wait)
    except ParseError as error:
        outcome = Failed(str(error))
    now = line.now()
    due_at, why = await _pace(feed, outcome, line, now)
    alerting = line.alert_on_first_poll or not feed.first_poll
    recorded = await line.store.write(
        record, feed, outcome, now=now, due_at=due_at, due_why=why, rules=line.rules, alerting=alerting
    )
    return outcome, recorded


async def deliver(delivery: Delivery, line: Line) -> str:
    """Bring one delivery to its channel and settle it; the state it is in afterwards: sent, waiting or dead."""
    message = compose(delivery.alert, key=delivery.key)
    try:
        answer = await line.channels[delivery.channel].send(message, attempt_at=line.now())
    except DeliveryError as error:
        return await _retry(delivery, error, line)
    await line.store.write(settle_sent, delivery.id, line.now(), answer)
    return "sent"


async def _look(feed: Feed, line: Line) -> Outcome:
    answer = await line.fetcher.fetch(feed)
    if isinstance(answer, NotModified):
        return Unchanged(answer)
    digest = body_digest(answer.body)
    if digest == feed.body_digest:
        return Unchanged(answer)
    known = await line.store.read(known_entries, feed.id, max(200, 2 * feed.entry_count))
    reading = await line.workers.read(feed, answer, known)
    return Changed(answer, digest, reading)


async def _pace(feed: Feed, outcome: Outcome, line: Line, now: datetime) -> tuple[datetime, str]:
    failed = isinstance(outcome, Failed)
    return next_poll(
        now=now,
        every=feed.every,
        floor=outcome.reading.freshness if isinstance(outcome, Changed) else feed.floor,
        max_age=_max_age(outcome),
        publications=() if failed or feed.every else await line.store.read(publications, feed.id),
        failures=feed.failures + 1 if failed else 0,
        wait=outcome.wait if isinstance(outcome, Failed) else None,
        jitter=line.chance.random(),
    )


def _max_age(outcome: Outcome) -> timedelta | None:
    match outcome:
        case Changed():
            return outcome.fetched.max_age
        case Unchanged():
            return outcome.answer.max_age
    return None


async def _retry(delivery: Delivery, error: DeliveryError, line: Line) -> str:
    now = line.now()
    try_at = next_try(
        now=now,
        created_at=delivery.created_at,
        attempts=delivery.attempts,
        wait=error.wait,
        jitter=line.chance.random(),
    )
    if error.permanent or try_at is None:
        await line.store.write(settle_dead, delivery.id, now, str(error))
        return "dead"
    await line.store.write(settle_retry, delivery.id, try_at, str(error))
    return "waiting"
