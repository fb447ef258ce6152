"""Between rows and nouns: the only place where a row's dict becomes a type, and an instant becomes text."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from boltwatch.model import Alert, Article, Delivery, Feed, Freshness, FullText, Origin, Rule, Span

Row = Mapping[str, Any]


def stamp(at: datetime) -> str:
    """An aware instant as ISO-8601 UTC text that sorts by time: `2026-11-24T06:42:50.123456Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant(text: str | None) -> datetime | None:
    """The aware instant that `stamp` wrote; None stays None."""
    return None if text is None else datetime.fromisoformat(text)


def feed_of(row: Row) -> Feed:
    """A row of `feeds` as a Feed."""
    return Feed(
        id=row["id"],
        url=row["url"],
        moved_to=row["moved_to"],
        title=row["title"],
        every=None if row["every_s"] is None else timedelta(seconds=row["every_s"]),
        full_text=FullText(row["full_text"]),
        etag=row["etag"],
        last_modified=row["last_modified"],
        body_digest=row["body_digest"],
        entry_count=row["entry_count"],
        failures=row["failures"],
        first_poll=row["changed_at"] is None,
        polled_at=instant(row["polled_at"]),
        floor=floor_of(row["floor"]),
    )


def rule_of(row: Row) -> Rule:
    """A row of `rules` as a Rule."""
    return Rule(
        id=row["id"],
        name=row["name"],
        expression=row["expression"],
        channels=tuple(json.loads(row["channels"])),
        feeds=tuple(json.loads(row["feeds"])),
        origin=Origin(row["origin"]),
    )


def floor_text(floor: Freshness) -> str:
    """What a feed document asks of its pollers, as the JSON that `feeds.floor` keeps; empty wishes are left out."""
    seconds = None if floor.ttl is None else int(floor.ttl.total_seconds())
    wishes = {"ttl_s": seconds, "skip_hours": sorted(floor.skip_hours), "skip_days": sorted(floor.skip_days)}
    return json.dumps({name: wish for name, wish in wishes.items() if wish})


def floor_of(text: str) -> Freshness:
    """The wishes that `floor_text` wrote."""
    wishes = json.loads(text)
    return Freshness(
        ttl=timedelta(seconds=wishes["ttl_s"]) if "ttl_s" in wishes else None,
        skip_hours=frozenset(wishes.get("skip_hours", ())),
        skip_days=frozenset(wishes.get("skip_days", ())),
    )


def spans_text(spans: tuple[Span, ...]) -> str:
    """Spans as JSON `[[field, start, end], …]`."""
    return json.dumps([[span.field, span.start, span.end] for span in spans])


def article_of(row: Row) -> Article:
    """A row of `articles` as an Article (its stripped blocks are not kept)."""
    return Article(
        key=row["entry_key"],
        digest=row["entry_digest"],
        url=row["url"],
        title=row["title"],
        lead=row["lead"],
        text=row["text"],
        author=row["author"],
        published_at=instant(row["published_at"]),
        updated_at=instant(row["updated_at"]),
        tags=tuple(json.loads(row["tags"])),
        language=row["language"],
    )


def alert_of(row: Row) -> Alert:
    """A row of the alert query (see store.ALERT) as an Alert."""
    return Alert(
        id=row["alert_id"],
        rule=row["rule"],
        expression=row["expression"],
        article_id=row["article_id"],
        article=article_of(row),
        spans=tuple(Span(field, start, end) for field, start, end in json.loads(row["spans"])),
        feed_title=row["feed_title"],
        feed_url=row["feed_url"],
        created_at=_must(row["alert_created_at"]),
        story_id=row["story_id"],
    )


def delivery_of(row: Row) -> Delivery:
    """A claimed row of `deliveries`, with its alert."""
    return Delivery(
        id=row["delivery_id"],
        key=row["key"],
        channel=row["channel"],
        attempts=row["attempts"],
        created_at=_must(row["delivery_created_at"]),
        alert=alert_of(row),
    )


def _must(text: str) -> datetime:
    return datetime.fromisoformat(text)
