"""The worker processes: documents are opened here, each task under a time limit, each process under a memory limit.

A poisoned document costs its worker and itself; Pebble starts another worker and all other tasks go on.
"""

import asyncio
import multiprocessing
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as TaskTimeout
from datetime import timedelta

from pebble import ProcessExpired, ProcessPool

from boltwatch.errors import ParseError
from boltwatch.model import Feed, Fetched, Reading, Rule
from boltwatch.read import read
from boltwatch.rules.matcher import Matcher

_MEMORY = 1 << 30  # address space of one worker; a large feed takes about 300 MB
_TASKS = 2000  # documents before a worker is replaced: what a parser leaks cannot grow for years

_matcher: Matcher | None = None


class Workers:
    """A pool of reading processes that know the rules in force; a new set of rules is a new pool."""

    def __init__(self, rules: Sequence[Rule], *, count: int | None = None, limit: timedelta = timedelta(seconds=20)):
        self._limit = limit.total_seconds()
        # Forking a process that has threads is not safe: workers come from a server that has none.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["boltwatch.read"])
        self._pool = ProcessPool(
            max_workers=count or os.cpu_count() or 1,
            max_tasks=_TASKS,
            initializer=_start,
            initargs=(tuple(rules),),
            context=context,
        )

    async def read(self, feed: Feed, fetched: Fetched, known: Mapping[str, str]) -> Reading:
        """What `read` makes of the document. Raises ParseError, also when it took too long or killed its worker."""
        urls = frozenset({feed.url, feed.address})
        task = self._pool.schedule(_read, args=(fetched, known, urls), timeout=self._limit)
        try:
            reading: Reading = await asyncio.wrap_future(task)
        except (TimeoutError, TaskTimeout) as error:
            raise ParseError(f"the document took more than {self._limit:.0f} s to read and was given up") from error
        except ProcessExpired as error:
            raise ParseError(f"the document ended the process that read it (exit code {error.exitcode})") from error
        except MemoryError as error:
            raise ParseError(f"the document needs more than {_MEMORY >> 20} MB to read and was given up") from error
        return reading

    async def close(self) -> None:
        """End the workers; what they still have in hand is finished first, within the time limit."""
        self._pool.close()  # type: ignore[no-untyped-call]
        try:
            await asyncio.to_thread(self._pool.join, self._limit)
        except (TaskTimeout, CancelledError):
            self._pool.stop()  # type: ignore[no-untyped-call]
            await asyncio.to_thread(self._pool.join)


def _start(rules: tuple[Rule, ...]) -> None:
    global _matcher
    # The terminal's Ctrl-C and systemd's SIGTERM go to the whole group; the daemon alone decides when workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    _matcher = Matcher(rules)


def _read(fetched: Fetched, known: Mapping[str, str], feed_urls: frozenset[str]) -> Reading:
    if _matcher is None:
        raise RuntimeError("the worker was not started with its rules")
    return read(fetched, known=known, feed_urls=feed_urls, matcher=_matcher)
