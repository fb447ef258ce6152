"""What people ask the archive: listings as rows (dicts) for the command line; reads only."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from boltwatch.archive.rows import article_of, stamp
from boltwatch.model import Article

Rows = list[dict[str, Any]]


def feeds(db: Database) -> Rows:
    """Every feed with its state, last and next poll, and trouble."""
    return list(
        db.query(
            """
            select url, title, origin, state, moved_to, every_s, failures, error,
              polled_at, changed_at, due_at, due_why,
              (select count(*) from articles where feed_id = feeds.id) as articles
            from feeds order by state, url
            """
        )
    )


def feed(db: Database, url: str) -> dict[str, Any] | None:
    """One feed as `feeds` shows it."""
    return next((row for row in feeds(db) if row["url"] == url), None)


def rules(db: Database) -> Rows:
    """Every rule with what came of it."""
    return list(
        db.query(
            """
            select name, expression, channels, feeds, origin, state, added_at,
              (select count(*) from matches where rule_id = rules.id) as matches,
              (select count(*) from alerts where rule_id = rules.id) as alerts
            from rules order by state, name
            """
        )
    )


def alerts(db: Database, limit: int, rule: str | None = None) -> Rows:
    """The newest alerts, with where each was delivered."""
    return list(
        db.query(
            """
            select alerts.id, rules.name as rule, articles.title, articles.url, feeds.title as feed, alerts.created_at,
              (select count(*) from matches where alert_id = alerts.id) as articles,
              (select group_concat(channel || '=' || state, ' ') from deliveries
                where alert_id = alerts.id) as deliveries
            from alerts
            join rules on rules.id = alerts.rule_id
            join articles on articles.id = alerts.story_id
            join feeds on feeds.id = articles.feed_id
            where :rule is null or rules.name = :rule
            order by alerts.id desc limit :limit
            """,
            {"rule": rule, "limit": limit},
        )
    )


def deliveries(db: Database, limit: int, state: str | None = None) -> Rows:
    """The newest deliveries, with attempts, next try and last error."""
    return list(
        db.query(
            """
            select deliveries.id, deliveries.alert_id as alert, rules.name as rule, channel, deliveries.state, attempts,
              try_at, settled_at, answer, error, key
            from deliveries
            join alerts on alerts.id = deliveries.alert_id
            join rules on rules.id = alerts.rule_id
            where :state is null or deliveries.state = :state
            order by deliveries.id desc limit :limit
            """,
            {"state": state, "limit": limit},
        )
    )


def matches(db: Database, *, alert_id: int | None = None, url: str | None = None) -> Rows:
    """Every match of an alert, or on the articles of an address, with the path the article took."""
    return list(
        db.query(
            """
            select rules.name as rule, matches.expression, matches.spans, matches.matched_at, matches.alert_id,
              articles.id as article, articles.title, articles.text, articles.url, articles.published_at,
              articles.seen_at, articles.revision, feeds.url as feed, feeds.title as feed_title
            from matches
            join rules on rules.id = matches.rule_id
            join articles on articles.id = matches.article_id
            join feeds on feeds.id = articles.feed_id
            where matches.alert_id = :alert or articles.url = :url
            order by matches.id
            """,
            {"alert": alert_id, "url": url},
        )
    )


def articles_at(db: Database, url: str) -> Rows:
    """The articles stored for an address."""
    return list(
        db.query(
            "select articles.id, articles.title, articles.seen_at, feeds.url as feed from articles"
            " join feeds on feeds.id = articles.feed_id where articles.url = ? order by articles.id",
            [url],
        )
    )


def trouble(db: Database) -> dict[str, int]:
    """How many feeds fail, deliveries are dead or waiting, and rows the archive holds."""
    (row,) = db.query(
        """
        select (select count(*) from feeds where state = 'active') as feeds,
          (select count(*) from feeds where state = 'active' and failures > 0) as failing_feeds,
          (select count(*) from feeds where state = 'gone') as gone_feeds,
          (select count(*) from rules where state = 'active') as rules,
          (select count(*) from articles) as articles,
          (select count(*) from alerts) as alerts,
          (select count(*) from deliveries where state in ('waiting', 'sending')) as waiting_deliveries,
          (select count(*) from deliveries where state = 'dead') as dead_deliveries
        """
    )
    return dict(row)


def articles_since(db: Database, since: datetime) -> Iterator[tuple[str, str, Article]]:
    """Every article first seen since then, oldest first: when seen, its feed's address, and the article."""
    rows = db.query(
        "select articles.*, feeds.url as feed_url from articles join feeds on feeds.id = articles.feed_id"
        " where articles.seen_at >= ? order by articles.id",
        [stamp(since)],
    )
    return ((row["seen_at"], row["feed_url"], article_of(row)) for row in rows)
