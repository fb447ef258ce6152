"""Feeds and rules: what the file names, what the user added, and how the file is followed."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from boltwatch.archive.rows import feed_of, rule_of, stamp
from boltwatch.model import Feed, Origin, Rule
from boltwatch.settings import FeedSettings, RuleSettings


def follow_config(db: Database, feeds: Sequence[FeedSettings], rules: Sequence[RuleSettings], now: datetime) -> None:
    """Make those of origin `config` be what the file names; what left the file is disabled, never deleted."""
    with db.atomic():
        for feed in feeds:
            add_feed(db, feed, Origin.CONFIG, now)
        db.execute(
            "update feeds set state = 'disabled' where origin = 'config' and state = 'active'"
            " and url not in (select value from json_each(?))",
            [json.dumps([feed.url for feed in feeds])],
        )
        for rule in rules:
            add_rule(db, rule.name, rule.expression, rule.channels, rule.feeds, Origin.CONFIG, now)
        db.execute(
            "update rules set state = 'disabled' where origin = 'config' and state = 'active'"
            " and name not in (select value from json_each(?))",
            [json.dumps([rule.name for rule in rules])],
        )


def add_feed(db: Database, feed: FeedSettings, origin: Origin, now: datetime) -> None:
    """Watch an address from now on; one that was disabled comes back with all it knew."""
    db.execute(
        """
        insert into feeds (url, title, origin, every_s, full_text, added_at, due_at, due_why)
        values (:url, coalesce(:title, ''), :origin, :every_s, :full_text, :now, :now, 'added: due at once')
        on conflict (url) do update set
          title = coalesce(:title, title), origin = excluded.origin, every_s = excluded.every_s,
          full_text = excluded.full_text, state = case state when 'disabled' then 'active' else state end
        """,
        {
            "url": feed.url,
            "title": feed.title,
            "origin": origin.value,
            "every_s": None if feed.every is None else int(feed.every.total_seconds()),
            "full_text": feed.full_text.value,
            "now": stamp(now),
        },
    )


def add_rule(
    db: Database,
    name: str,
    expression: str,
    channels: Sequence[str],
    feeds: Sequence[str],
    origin: Origin,
    now: datetime,
) -> None:
    """Define a rule, or redefine the one of that name; its past matches and alerts stay as they were."""
    db.execute(
        """
        insert into rules (name, expression, channels, feeds, origin, added_at) values (?, ?, ?, ?, ?, ?)
        on conflict (name) do update set
          expression = excluded.expression, channels = excluded.channels, feeds = excluded.feeds,
          origin = excluded.origin, state = 'active'
        """,
        [name, expression, json.dumps(list(channels)), json.dumps(list(feeds)), origin.value, stamp(now)],
    )


def set_feed_state(db: Database, url: str, state: str, now: datetime) -> bool:
    """Turn a feed `active` (due at once) or `disabled`; False when no such feed is known."""
    changed = db.execute(
        "update feeds set state = ?, failures = 0, due_at = ?, due_why = ? where url = ?",
        [state, stamp(now), "resumed: due at once" if state == "active" else "disabled", url],
    )
    return changed.rowcount > 0


def set_rule_state(db: Database, name: str, state: str) -> bool:
    """Turn a rule `active` or `disabled`; False when no such rule is known."""
    return db.execute("update rules set state = ? where name = ?", [state, name]).rowcount > 0


def origin_of(db: Database, table: str, name: str) -> Origin | None:
    """Who named this feed (by url) or rule (by name); None when it is not known."""
    column = {"feeds": "url", "rules": "name"}[table]
    rows = list(db.query(f"select origin from {table} where {column} = ?", [name]))  # noqa: S608 (both from the table above)
    return Origin(rows[0]["origin"]) if rows else None


def active_rules(db: Database) -> tuple[Rule, ...]:
    """The rules in force, oldest first."""
    return tuple(rule_of(row) for row in db.query("select * from rules where state = 'active' order by id"))


def claim_feeds(
    db: Database, now: datetime, lease: timedelta, limit: int, *, all_feeds: bool = False, urls: Sequence[str] = ()
) -> tuple[Feed, ...]:
    """Take up to `limit` due feeds by moving their time forward; who dies half way leaves them due when the lease ends.

    With `all_feeds` every active feed counts as due, with `urls` just those (also disabled or retired ones).
    """
    wanted = "url in (select value from json_each(:urls))" if urls else "state = 'active' and (:all or due_at <= :now)"
    rows = db.query(
        f"""
        update feeds set due_at = :lease, due_why = 'being polled'
        where id in (select id from feeds where {wanted} order by due_at, id limit :limit)
        returning *
        """,  # noqa: S608 (one of the two conditions above)
        {
            "lease": stamp(now + lease),
            "now": stamp(now),
            "all": all_feeds,
            "urls": json.dumps(list(urls)),
            "limit": limit,
        },
    )
    return tuple(feed_of(row) for row in rows)


def publications(db: Database, feed_id: int, limit: int = 50) -> tuple[datetime, ...]:
    """When the feed's latest articles were published, as far as it said so."""
    rows = db.query(
        "select published_at from articles where feed_id = ? order by id desc limit ?",
        [feed_id, limit],
    )
    return tuple(datetime.fromisoformat(row["published_at"]) for row in rows if row["published_at"])


def data_version(db: Database) -> int:
    """A number that changes when another connection has changed the database (SQLite's data_version)."""
    return int(db.execute("pragma data_version").fetchone()[0])
