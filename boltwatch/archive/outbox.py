"""The outbox: deliveries are claimed with a lease, tried, settled. At least once, with a key that never changes."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from boltwatch.archive.rows import alert_of, delivery_of, stamp
from boltwatch.model import Alert, Delivery

ALERT = """
    select alerts.id as alert_id, alerts.created_at as alert_created_at, alerts.story_id as story_id,
      rules.name as rule, matches.expression as expression, matches.spans as spans,
      articles.id as article_id, articles.entry_key, articles.entry_digest, articles.url, articles.title,
      articles.author, articles.lead, articles.text, articles.language, articles.tags,
      articles.published_at, articles.updated_at,
      feeds.title as feed_title, feeds.url as feed_url
    from alerts
    join rules on rules.id = alerts.rule_id
    join matches on matches.id = (select min(id) from matches where alert_id = alerts.id)
    join articles on articles.id = matches.article_id
    join feeds on feeds.id = articles.feed_id
"""


def claim_deliveries(db: Database, channel: str, now: datetime, lease: timedelta, limit: int) -> tuple[Delivery, ...]:
    """Take up to `limit` deliveries of one channel that are due; each claim counts as an attempt.

    One that was being sent when its sender died is due again when its lease ends.
    """
    with db.atomic():
        taken = db.query(
            """
            update deliveries set state = 'sending', attempts = attempts + 1, try_at = :lease
            where id in (
              select id from deliveries where channel = :channel and state in ('waiting', 'sending') and try_at <= :now
              order by try_at, id limit :limit)
            returning id
            """,
            {"channel": channel, "now": stamp(now), "lease": stamp(now + lease), "limit": limit},
        )
        ids = json.dumps([row["id"] for row in taken])
        rows = db.query(
            f"""
            select due.id as delivery_id, due.key, due.channel, due.attempts, due.created_at as delivery_created_at,
              alert.*
            from deliveries as due join ({ALERT}) as alert on alert.alert_id = due.alert_id
            where due.id in (select value from json_each(?)) order by due.id
            """,  # noqa: S608 (ALERT is the query above)
            [ids],
        )
        return tuple(delivery_of(row) for row in rows)


def settle_sent(db: Database, delivery_id: int, now: datetime, answer: str) -> None:
    """The channel took it."""
    db.execute(
        "update deliveries set state = 'sent', settled_at = ?, answer = ?, error = null where id = ?",
        [stamp(now), answer, delivery_id],
    )


def settle_retry(db: Database, delivery_id: int, try_at: datetime, error: str) -> None:
    """The channel did not take it now; it is tried again at that time."""
    db.execute(
        "update deliveries set state = 'waiting', try_at = ?, error = ? where id = ?",
        [stamp(try_at), error, delivery_id],
    )


def settle_dead(db: Database, delivery_id: int, now: datetime, error: str) -> None:
    """The channel will never take it, or has had its time; it waits for the owner (`deliveries resend`)."""
    db.execute(
        "update deliveries set state = 'dead', settled_at = ?, error = ? where id = ?", [stamp(now), error, delivery_id]
    )


def resend(db: Database, ids: Sequence[int], now: datetime) -> int:
    """Make deliveries due again, whatever became of them; how many there were."""
    changed = db.execute(
        "update deliveries set state = 'waiting', attempts = 0, try_at = ?, created_at = ?, settled_at = null"
        " where id in (select value from json_each(?))",
        [stamp(now), stamp(now), json.dumps(list(ids))],
    )
    return changed.rowcount


def drop(db: Database, ids: Sequence[int], now: datetime) -> int:
    """Give deliveries up for good: they end as dead with the owner's word for it; how many there were."""
    changed = db.execute(
        "update deliveries set state = 'dead', settled_at = ?, error = 'dropped by the owner'"
        " where state <> 'sent' and id in (select value from json_each(?))",
        [stamp(now), json.dumps(list(ids))],
    )
    return changed.rowcount


def alert(db: Database, alert_id: int) -> Alert | None:
    """One alert with its first article, or None."""
    rows = list(db.query(f"{ALERT} where alerts.id = ?", [alert_id]))
    return alert_of(rows[0]) if rows else None
