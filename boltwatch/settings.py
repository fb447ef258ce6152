"""What the owner has set, as values: one class for each table of config.toml.

Nothing is checked or defaulted twice: config fills these, the rooms read them, nobody changes them.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from boltwatch.model import FullText
from boltwatch.secret import Secret

Security = Literal["starttls", "tls", "none"]
Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Network:
    """How the program behaves towards other people's servers."""

    contact: str | None = None
    allow_private: tuple[str, ...] = ()
    per_host: int = 2  # connections to one host at a time
    gap: timedelta = timedelta(seconds=1)  # between two requests to one host
    timeout: timedelta = timedelta(seconds=30)
    max_body_mb: int = 16
    workers: int | None = None  # None: one process for each core


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """A feed named in the file; `every` of None follows the feed's own rhythm."""

    url: str
    title: str | None = None
    every: timedelta | None = None
    full_text: FullText = FullText.AUTO


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """A rule named in the file. No `channels` in the file means all of them, by name; empty `feeds` means all."""

    name: str
    expression: str
    channels: tuple[str, ...]
    feeds: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """A mailbox to send from and the people to send to. `username` and `password` stand together or not at all."""

    name: str
    host: str
    port: int
    security: Security
    username: str | None
    password: Secret | None
    sender: str
    recipients: tuple[str, ...]
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """An address that takes alerts as signed JSON. The url may itself hold a token, so it is a Secret too.

    With several `secrets` each request carries a signature of each (a key can be changed without a gap).
    """

    name: str
    url: Secret
    secrets: tuple[Secret, ...] = ()
    timeout: timedelta = timedelta(seconds=15)
    headers: tuple[tuple[str, Secret], ...] = ()


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Alerts as lines of the program's own log."""

    name: str
    level: Level = "info"


ChannelSettings = EmailSettings | WebhookSettings | LogSettings


@dataclass(frozen=True, slots=True)
class Config:
    """One config.toml, read and checked as a whole. `database` is absolute."""

    path: Path
    database: Path
    alert_on_first_poll: bool = False
    network: Network = Network()
    feeds: tuple[FeedSettings, ...] = ()
    rules: tuple[RuleSettings, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
