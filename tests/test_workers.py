"""The worker processes: a poisoned document costs itself, never the others."""

import asyncio
import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from boltwatch.errors import ParseError
from boltwatch.model import Feed, Fetched, Rule
from boltwatch.workers import Workers
from tests.servers import Item, rss

URL = "https://news.example/feed"
FEED = Feed(id=1, url=URL)
RULES = [Rule(7, "xai", "xAI", ())]
SMALL = Fetched(URL, rss([Item("xAI grows"), Item("Other")]))
# Cut short, so that feedparser's patient reader has it, and long enough to be caught at work.
LARGE = Fetched(URL, rss([Item(f"Title {n}", "<p>Words of no weight.</p>" * 40) for n in range(4000)])[:-30])


def test_a_document_becomes_matched_articles_and_the_known_ones_are_left_out() -> None:
    async def work() -> None:
        workers = Workers(RULES, count=1)
        reading = await workers.read(FEED, SMALL, {})
        assert [(found.article.title, len(found.matches)) for found in reading.fresh] == [
            ("xAI grows", 1),
            ("Other", 0),
        ]
        known = {found.article.key: found.article.digest for found in reading.fresh}
        again = await workers.read(FEED, SMALL, known)
        assert (again.entry_count, again.fresh) == (2, ())
        with pytest.raises(ParseError, match="web page"):
            await workers.read(FEED, Fetched(URL, b"<html></html>"), {})
        await workers.close()

    asyncio.run(work())


def test_a_document_that_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    async def work() -> None:
        workers = Workers(RULES, count=1, limit=timedelta(seconds=1))
        await workers.read(FEED, SMALL, {})  # the workers are there now
        with pytest.raises(ParseError, match="took more than 1 s"):
            await workers.read(FEED, LARGE, {})
        assert (await workers.read(FEED, SMALL, {})).entry_count == 2
        await workers.close()

    asyncio.run(work())


def test_a_killed_worker_costs_its_document_and_the_next_is_read() -> None:
    async def work() -> None:
        workers = Workers(RULES, count=1)
        await workers.read(FEED, SMALL, {})
        reading = asyncio.ensure_future(workers.read(FEED, LARGE, {}))
        await asyncio.sleep(0.3)
        os.kill(_busiest_grandchild(), signal.SIGKILL)
        with pytest.raises(ParseError, match="ended the process that read it"):
            await reading
        assert (await workers.read(FEED, SMALL, {})).entry_count == 2
        await workers.close()

    asyncio.run(work())


def _busiest_grandchild() -> int:
    """The worker at work: the youngest descendant that burns CPU."""
    before = {pid: _ticks(pid) for pid in _descendants(os.getpid())}
    time.sleep(0.2)
    return max(before, key=lambda pid: _ticks(pid) - before[pid])


def _descendants(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, waiting = [], [root]
    while waiting:
        parent = waiting.pop()
        children = [pid for pid, its in parents.items() if its == parent]
        found += children
        waiting += children
    return found


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
