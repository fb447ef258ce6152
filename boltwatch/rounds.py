"""One round by hand: poll what is due (or all, or some), then work the outbox once. The daemon is not needed for it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from boltwatch.archive.outbox import claim_deliveries
from boltwatch.archive.store import StoreThread
from boltwatch.archive.subscriptions import claim_feeds, follow_config
from boltwatch.assemble import close_line, open_line
from boltwatch.config import Config
from boltwatch.model import Changed, Failed, Feed, Retired
from boltwatch.pipeline import Line, deliver, poll

_AT_ONCE = 64
_LEASE = timedelta(minutes=10)
_MANY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What a round came to; str() is the line that scripts read."""

    polled: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    articles: int = 0
    alerts: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"polled={self.polled} changed={self.changed} unchanged={self.unchanged} failed={self.failed}"
            f" articles={self.articles} alerts={self.alerts} seconds={self.seconds:.1f}"
        )


Progress = Callable[[int, int, str], None]


async def poll_round(
    config: Config,
    *,
    now: Callable[[], datetime],
    chance: Random,
    all_feeds: bool = False,
    urls: Sequence[str] = (),
    progress: Progress = lambda done, of, feed: None,
    say: Callable[[str], None] = lambda text: None,
) -> Summary:
    """Poll what is due once, record it, and send what waits. `say` hears of each feed that failed, and why."""
    started = time.monotonic()
    store = StoreThread(config.database)
    try:
        await store.write(follow_config, config.feeds, config.rules, now())
        line = await open_line(config, store, now=now, chance=chance, by_hand=True)
        try:
            feeds = await store.write(claim_feeds, now(), _LEASE, _MANY, all_feeds=all_feeds, urls=urls)
            summary = await _poll_all(feeds, line, progress, say)
            await _deliver_all(line)
        finally:
            await close_line(line)
    finally:
        store.close()
    return replace(summary, seconds=time.monotonic() - started)


async def _poll_all(feeds: Sequence[Feed], line: Line, progress: Progress, say: Callable[[str], None]) -> Summary:
    summary = Summary()
    waiting = iter(feeds)

    async def work() -> None:
        nonlocal summary
        for feed in waiting:
            outcome, recorded = await poll(feed, line)
            failed = isinstance(outcome, Failed | Retired)
            changed = isinstance(outcome, Changed)
            if isinstance(outcome, Failed | Retired):
                say(f"{feed.url}: {outcome.reason}")
            summary = replace(
                summary,
                polled=summary.polled + 1,
                changed=summary.changed + changed,
                failed=summary.failed + failed,
                unchanged=summary.unchanged + (not failed and not changed),
                articles=summary.articles + recorded.articles,
                alerts=summary.alerts + recorded.alerts,
            )
            progress(summary.polled, len(feeds), feed.url)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(_AT_ONCE, len(feeds))):
            group.create_task(work())
    return summary


async def _deliver_all(line: Line) -> None:
    """Send everything due, each channel on its own, in order."""

    async def work(channel: str) -> None:
        while waiting := await line.store.write(claim_deliveries, channel, line.now(), _LEASE, 50):
            for delivery in waiting:
                await deliver(delivery, line)

    async with asyncio.TaskGroup() as group:
        for channel in line.channels:
            group.create_task(work(channel))
