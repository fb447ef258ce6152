"""The nouns. Frozen and slotted: they travel between rooms, threads and processes and are never changed on the way.

All instants are aware UTC datetimes. A text that came from outside has no NUL, no lone surrogate and no control
characters but line feed and tab by the time it stands in one of these (parse and strip see to it).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Origin(StrEnum):
    """Who named a feed or rule: the file (follows it at each start and reload) or the user, by command."""

    CONFIG = "config"
    USER = "user"


class FullText(StrEnum):
    """Whether an article's page is fetched when the feed gives only a teaser."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long the server or the document asks to be left alone: floors for the next poll, never ceilings."""

    max_age: timedelta | None = None
    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()  # Monday is 0


@dataclass(frozen=True, slots=True)
class Feed:
    """A watched address, and what is remembered of it from the last answer."""

    id: int
    url: str
    moved_to: str | None = None
    title: str = ""
    every: timedelta | None = None
    full_text: FullText = FullText.AUTO
    etag: str | None = None
    last_modified: str | None = None
    body_digest: str | None = None
    entry_count: int = 0
    failures: int = 0
    first_poll: bool = True
    polled_at: datetime | None = None
    floor: Freshness = Freshness()

    @property
    def address(self) -> str:
        """Where the next request goes: the place a permanent redirect led to, else the address as named."""
        return self.moved_to or self.url


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete 200 answer: the decoded body and what to remember for the next request."""

    url: str
    body: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    max_age: timedelta | None = None
    moved_to: str | None = None  # set only when every hop on the way was permanent (301, 308)


@dataclass(frozen=True, slots=True)
class NotModified:
    """A 304 answer; a validator that is None was not repeated by the server and the stored one stays."""

    etag: str | None = None
    last_modified: str | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as the feed gave it, before cleaning.

    `key` is its identity within the feed: guid, else link, else a digest of the content; at most 500 characters.
    `digest` is of everything a reader would see, so that an edited entry shows itself.
    `html` is the fullest content the feed gives; it is hostile until strip has had it.
    """

    key: str
    digest: str
    url: str | None
    title: str
    html: str
    author: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A feed document: what it says of itself, and its entries in document order, each key once."""

    title: str
    site_url: str | None
    language: str | None
    entries: tuple[Entry, ...]
    freshness: Freshness = Freshness()


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph-like piece of a page. `reason` is empty for a kept block, else why it was stripped."""

    text: str
    kind: str = "p"  # p, h, li, quote, pre, table, caption
    reason: str = ""

    @property
    def kept(self) -> bool:
        """True for the article's own words."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Article:
    """An entry, cleaned. `text` is the kept blocks, one paragraph a line pair; `lead` its first paragraph."""

    key: str
    digest: str
    url: str | None
    title: str
    lead: str
    text: str
    author: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A named expression with the channels it alerts on; `feeds` narrows it to some feed addresses (empty: all)."""

    id: int
    name: str
    expression: str
    channels: tuple[str, ...]
    feeds: tuple[str, ...] = ()
    origin: Origin = Origin.CONFIG


@dataclass(frozen=True, slots=True)
class Span:
    """Where a rule hit: characters [start, end) of the article's `field` (title or text)."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Match:
    """A rule held on an article; the spans say why, and every mail, page and webhook marks exactly them."""

    rule_id: int
    rule_expression: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """An article together with every rule that held on it."""

    article: Article
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a worker process makes of a fetched document: the feed's own words, and only entries new or edited."""

    title: str
    site_url: str | None
    freshness: Freshness
    entry_count: int
    fresh: tuple[Matched, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """The feed answered with a document, which was read."""

    fetched: Fetched
    body_digest: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The feed has nothing new: a 304, or the same bytes again (then `fetched` carries the new validators)."""

    answer: NotModified | Fetched


@dataclass(frozen=True, slots=True)
class Retired:
    """The server said 410; the feed is not asked again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The poll came to nothing; `reason` is a sentence for the owner, `wait` what the server asked for."""

    reason: str
    wait: timedelta | None = None


Outcome = Changed | Unchanged | Retired | Failed


@dataclass(frozen=True, slots=True)
class Alert:
    """What a person is told: a rule held on a story. Everything a channel needs to say it, and why."""

    id: int
    rule: str
    expression: str
    article_id: int
    article: Article
    spans: tuple[Span, ...]
    feed_title: str
    feed_url: str
    created_at: datetime
    story_id: int


@dataclass(frozen=True, slots=True)
class Message:
    """An alert put into words, ready for any channel.

    `key` is the same on every attempt, so that a receiver can drop a double. `payload` is the JSON body of a webhook.
    """

    key: str
    subject: str
    text: str
    html: str
    payload: str
    alert: Alert


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox, claimed: an alert on its way to one channel."""

    id: int
    key: str
    channel: str
    attempts: int  # counts this one
    created_at: datetime
    alert: Alert
