"""The host: one asyncio loop, APScheduler as its clock, signals, a word to systemd. What is due stands in the database.

One beat a second asks the archive what is due, claims it, and starts a task for it; a beat never waits for its tasks,
so that a slow feed or a hanging channel holds up nothing but itself.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from boltwatch.archive.outbox import claim_deliveries
from boltwatch.archive.store import DaemonLock, StoreThread
from boltwatch.archive.subscriptions import active_rules, claim_feeds, data_version, follow_config
from boltwatch.assemble import close_line, open_line
from boltwatch.config import Config
from boltwatch.errors import BoltwatchError
from boltwatch.model import Delivery, Failed, Feed
from boltwatch.notify import Notifier
from boltwatch.pipeline import Line, deliver, poll

log = logging.getLogger(__name__)

POLLS = 64  # feeds being polled at a time
SENDS = 4  # deliveries under way at a time, for each channel
LEASE = timedelta(minutes=10)  # longer than any poll or delivery can last
DRAIN = 20.0  # seconds that running work is given when the daemon stops


class Daemon:
    """Polls and delivers until told to stop.

    `load` reads the configuration anew (for SIGHUP); `now` is the one clock; both are arguments so that tests own them.
    """

    def __init__(
        self, load: Callable[[], Config], *, notifier: Notifier, now: Callable[[], datetime], chance: Random
    ) -> None:
        self._load, self._notifier, self._now, self._chance = load, notifier, now, chance
        self._config = load()
        self._stopping = asyncio.Event()
        self._polls: set[asyncio.Task[None]] = set()
        self._sends: dict[str, set[asyncio.Task[None]]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._seen_version = -1
        self._beat_at = 0.0
        self._store: StoreThread
        self._line: Line

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT; then finish what is under way, for at most 20 s, and return."""
        lock = DaemonLock(self._config.database)
        try:
            self._store = StoreThread(self._config.database)
            try:
                await self._work()
            finally:
                self._store.close()
        finally:
            lock.close()

    def stop(self) -> None:
        """Ask the daemon to end."""
        self._stopping.set()

    async def _work(self) -> None:
        await self._store.write(follow_config, self._config.feeds, self._config.rules, self._now())
        self._line = await open_line(self._config, self._store, now=self._now, chance=self._chance)
        scheduler = self._schedule()
        self._listen()
        scheduler.start()
        counts = f"feeds={len(self._config.feeds)} rules={len(self._line.rules)} channels={len(self._line.channels)}"
        log.info("started %s database=%s", counts, self._config.database)
        self._notifier.say("READY=1", f"STATUS=Watching: {counts}")
        await self._stopping.wait()
        self._notifier.say("STOPPING=1")
        log.info("stopping polls=%d", len(self._polls))
        scheduler.pause()
        await self._drain()
        scheduler.shutdown(wait=False)
        await close_line(self._line)
        log.info("stopped")

    def _schedule(self) -> AsyncIOScheduler:
        scheduler = AsyncIOScheduler(timezone="UTC")
        # Due-ness is a column, so a beat that comes late or is skipped loses nothing.
        often: dict[str, Any] = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        scheduler.add_job(self._beat, "interval", seconds=1, next_run_time=self._now(), **often)
        if self._notifier.watchdog_s:
            scheduler.add_job(self._prove_alive, "interval", seconds=self._notifier.watchdog_s, **often)
        return scheduler

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._start(self._endings, self._reload()))

    async def _beat(self) -> None:
        await self._follow_rules()
        line = self._line
        room = POLLS - len(self._polls)
        if room:
            for feed in await self._store.write(claim_feeds, self._now(), LEASE, room):
                self._start(self._polls, self._poll(feed, line))
        for name in line.channels:
            sends = self._sends.setdefault(name, set())
            if room := SENDS - len(sends):
                for delivery in await self._store.write(claim_deliveries, name, self._now(), LEASE, room):
                    self._start(sends, self._deliver(delivery, line))
        self._beat_at = time.monotonic()

    async def _follow_rules(self) -> None:
        """Notice rules that a command changed in the database meanwhile."""
        version = await self._store.read(data_version)
        if version == self._seen_version:
            return
        self._seen_version = version
        rules = await self._store.read(active_rules)
        if rules != tuple(self._line.rules.values()):
            log.info("rules changed rules=%d", len(rules))
            await self._swap(self._config)

    async def _poll(self, feed: Feed, line: Line) -> None:
        outcome, recorded = await poll(feed, line)
        kind = type(outcome).__name__.lower()
        if isinstance(outcome, Failed):
            log.warning("poll feed=%s outcome=%s reason=%r", feed.url, kind, outcome.reason)
        else:
            counts = (recorded.articles, recorded.alerts)
            log.info("poll feed=%s outcome=%s articles=%d alerts=%d", feed.url, kind, *counts)

    async def _deliver(self, delivery: Delivery, line: Line) -> None:
        state = await deliver(delivery, line)
        level = logging.INFO if state == "sent" else logging.WARNING
        log.log(level, "delivery id=%d channel=%s state=%s", delivery.id, delivery.channel, state)

    def _start(self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(lambda done: self._finish(tasks, done))

    def _finish(self, tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # A bug costs the one task; its lease ends and the work is taken up again.
            log.error("bug: a task ended with an error", exc_info=error)

    async def _reload(self) -> None:
        """Read the file again. A bad one is reported and the old one stays in force."""
        self._notifier.say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            config = self._load()
            if config.database != self._config.database:
                raise BoltwatchError(
                    f"{config.path}: `database` cannot change while running; restart the daemon for it"
                )
            await self._store.write(follow_config, config.feeds, config.rules, self._now())
            await self._swap(config)
            log.info("reloaded feeds=%d rules=%d", len(config.feeds), len(self._line.rules))
        except BoltwatchError as error:
            log.error("reload refused, the old configuration stays in force\n%s", error)
        finally:
            self._notifier.say("READY=1")

    async def _swap(self, config: Config) -> None:
        old, busy = self._line, [*self._polls, *(task for tasks in self._sends.values() for task in tasks)]
        self._line = await open_line(config, self._store, now=self._now, chance=self._chance)
        self._config = config

        async def end_old() -> None:
            if busy:
                await asyncio.wait(busy)
            await close_line(old)

        self._start(self._endings, end_old())

    async def _prove_alive(self) -> None:
        """Say WATCHDOG=1 only while the store answers and the beat runs."""
        await self._store.read(data_version)
        patience = max(30.0, 3 * (self._notifier.watchdog_s or 0))
        if time.monotonic() - self._beat_at < patience:
            self._notifier.say("WATCHDOG=1")

    async def _drain(self) -> None:
        busy = [*self._polls, *(task for tasks in self._sends.values() for task in tasks), *self._endings]
        if not busy:
            return
        _, late = await asyncio.wait(busy, timeout=DRAIN)
        for task in late:
            task.cancel()
        if late:
            # Nothing is lost: what was claimed is due again when its lease ends.
            log.warning("gave up unfinished work tasks=%d", len(late))
            await asyncio.wait(late)
