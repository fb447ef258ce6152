"""Puts the rooms together from a Config: the one place that knows how a Line is made and unmade."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from boltwatch import __version__
from boltwatch.alerts.channels import open_channel
from boltwatch.archive.store import StoreThread
from boltwatch.archive.subscriptions import active_rules
from boltwatch.config import Config
from boltwatch.feeds.fetch import Fetcher, Limits
from boltwatch.feeds.guard import Guard
from boltwatch.pipeline import Line
from boltwatch.settings import Network
from boltwatch.workers import Workers


def user_agent(network: Network) -> str:
    """Who we say we are: the program, and how its owner can be reached (RFC 9110 section 10.1.5)."""
    return f"Boltwatch/{__version__} (feed reader; {network.contact or 'no contact given'})"


def open_fetcher(network: Network, *, now: Callable[[], datetime], by_hand: bool) -> Fetcher:
    """The way out for feeds and pages.

    When somebody waits at the terminal (`by_hand`), the hosts they named as their own are not spared the gap between
    two requests; everybody else's are.
    """
    return Fetcher(
        user_agent=user_agent(network),
        guard=Guard(network.allow_private),
        limits=Limits(body=network.max_body_mb << 20, seconds=network.timeout.total_seconds()),
        per_host=network.per_host,
        gap=network.gap,
        own_gap=timedelta(0) if by_hand else network.gap,
        clock=now,
    )


async def open_line(
    config: Config, store: StoreThread, *, now: Callable[[], datetime], chance: Random, by_hand: bool = False
) -> Line:
    """Everything that polling and delivering needs, with the rules in force now."""
    rules = await store.read(active_rules)
    fetcher = open_fetcher(config.network, now=now, by_hand=by_hand)
    transport = fetcher.transport()
    return Line(
        store=store,
        fetcher=fetcher,
        workers=Workers(rules, count=config.network.workers),
        channels={
            settings.name: open_channel(settings, transport=transport, user_agent=user_agent(config.network))
            for settings in config.channels
        },
        rules={rule.id: rule for rule in rules},
        alert_on_first_poll=config.alert_on_first_poll,
        now=now,
        chance=chance,
    )


async def close_line(line: Line) -> None:
    """End what `open_line` made; the store stays open."""
    await line.fetcher.aclose()
    await line.workers.close()
