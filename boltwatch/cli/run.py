"""`run` the daemon, `poll` one round by hand."""

import asyncio
import logging
import os
import sys
from random import Random
from typing import TYPE_CHECKING

import click

from boltwatch.cli import show
from boltwatch.clock import now

if TYPE_CHECKING:
    from boltwatch.config import Config


@click.command()
@click.option("--verbose", "-v", is_flag=True, help="Log more.")
def run(verbose: bool) -> None:
    """Watch the feeds until stopped (SIGTERM ends, SIGHUP reloads the configuration)."""
    from boltwatch.daemon import Daemon
    from boltwatch.notify import Notifier

    _log(logging.DEBUG if verbose else logging.INFO)
    context = click.get_current_context()

    def load() -> "Config":
        with context.scope(cleanup=False):
            return show.config()

    async def work() -> None:
        await Daemon(load, notifier=Notifier(os.environ), now=now, chance=Random()).run()

    asyncio.run(work())


@click.command()
@click.argument("feed", nargs=-1)
@click.option("--all", "all_feeds", is_flag=True, help="Every feed, whether due or not.")
def poll(feed: tuple[str, ...], all_feeds: bool) -> None:
    """Poll one round now: what is due, or the FEEDs named; then send what waits."""
    from boltwatch.errors import BoltwatchError
    from boltwatch.rounds import poll_round

    _log(logging.WARNING)
    config = show.config()
    with _Bar() as bar:
        summary = asyncio.run(
            poll_round(config, now=now, chance=Random(), all_feeds=all_feeds, urls=feed, progress=bar.move, say=bar.say)
        )
    click.echo(str(summary))
    if summary.polled < len(set(feed)):
        raise BoltwatchError(
            "a FEED named is not watched; `boltwatch feeds` lists those that are, `feeds add` adds one"
        )


class _Bar:
    """A progress bar where standard error is a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._task = self._progress.add_task("polling", total=None)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def move(self, done: int, of: int, feed: str) -> None:
        self._progress.update(self._task, completed=done, total=of)

    def say(self, text: str) -> None:
        click.echo(show.plain(text), err=True)


def _log(level: int) -> None:
    # Under systemd the journal has its own clock: a second stamp on each line is noise.
    stamp = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    logging.basicConfig(level=level, format=f"{stamp}%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for noisy in ("apscheduler", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # An alert on the log channel is what the owner asked for; it is shown at any level.
    logging.getLogger("boltwatch.alerts").setLevel(logging.DEBUG)
