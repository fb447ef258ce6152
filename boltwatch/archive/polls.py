"""What a poll leaves behind: article, matches, alert, deliveries and the feed's next due time, in one transaction."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from boltwatch.archive.rows import floor_text, spans_text, stamp
from boltwatch.articles.story import url_key
from boltwatch.model import Changed, Failed, Feed, Match, Matched, NotModified, Outcome, Retired, Rule, Unchanged

_STORY_DAYS = 7


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recorded outcome added."""

    articles: int = 0
    alerts: int = 0


def known_entries(db: Database, feed_id: int, limit: int) -> dict[str, str]:
    """The feed's latest entries, key to digest: a hint that saves cleaning, never the guard against doubles."""
    rows = db.query(
        "select entry_key, entry_digest from articles where feed_id = ? order by id desc limit ?", [feed_id, limit]
    )
    return {row["entry_key"]: row["entry_digest"] for row in rows}


def record(
    db: Database,
    feed: Feed,
    outcome: Outcome,
    *,
    now: datetime,
    due_at: datetime,
    due_why: str,
    rules: Mapping[int, Rule],
    alerting: bool,
) -> Recorded:
    """Write down everything a poll brought. Saving the same outcome twice adds nothing.

    With `alerting` false matches are kept, but nobody is told.
    """
    with db.atomic():
        db.execute(
            "update feeds set polled_at = ?, due_at = ?, due_why = ? where id = ?",
            [stamp(now), stamp(due_at), due_why, feed.id],
        )
        match outcome:
            case Changed():
                _record_feed(db, feed, outcome, now)
                return _record_articles(db, feed, outcome, now, rules, alerting)
            case Unchanged():
                _record_unchanged(db, feed, outcome)
            case Retired(reason):
                db.execute("update feeds set state = 'gone', error = ? where id = ?", [reason, feed.id])
            case Failed(reason):
                # A place that a redirect led to and that fails now is left again for the address the owner named.
                db.execute(
                    "update feeds set failures = failures + 1, error = ?, moved_to = null where id = ?",
                    [reason, feed.id],
                )
    return Recorded()


def _record_feed(db: Database, feed: Feed, outcome: Changed, now: datetime) -> None:
    fetched, reading = outcome.fetched, outcome.reading
    db.execute(
        """
        update feeds set etag = :etag, last_modified = :last_modified, body_digest = :digest, entry_count = :entries,
          floor = :floor, moved_to = coalesce(:moved_to, moved_to), failures = 0, error = null, changed_at = :now,
          title = case title when '' then :title else title end
        where id = :id
        """,
        {
            "etag": fetched.etag,
            "last_modified": fetched.last_modified,
            "digest": outcome.body_digest,
            "entries": reading.entry_count,
            "floor": floor_text(reading.freshness),
            "moved_to": fetched.moved_to,
            "now": stamp(now),
            "title": reading.title,
            "id": feed.id,
        },
    )


def _record_unchanged(db: Database, feed: Feed, outcome: Unchanged) -> None:
    # A 304 may leave validators out: the stored ones stay (RFC 9111 4.3.4). A 200 with the same bytes replaces them.
    answer, kept = outcome.answer, feed if isinstance(outcome.answer, NotModified) else None
    db.execute(
        "update feeds set etag = :etag, last_modified = :last_modified, failures = 0, error = null where id = :id"
        " and (failures > 0 or etag is not :etag or last_modified is not :last_modified)",
        {
            "etag": answer.etag or (kept and kept.etag),
            "last_modified": answer.last_modified or (kept and kept.last_modified),
            "id": feed.id,
        },
    )


def _record_articles(
    db: Database, feed: Feed, outcome: Changed, now: datetime, rules: Mapping[int, Rule], alerting: bool
) -> Recorded:
    added: list[int] = []
    alerts = 0
    for matched in outcome.reading.fresh:
        written = _write_article(db, feed, matched, now)
        if written is None:
            continue
        article_id, revision = written
        if revision == 1:
            added.append(article_id)
        if matched.matches:
            alerts += _record_matches(db, article_id, revision, matched, now, rules, alerting)
    # One statement for all of them: indexing in a batch costs half of indexing row by row.
    db.execute(
        "insert into articles_fts (rowid, title, text)"
        " select id, title, text from articles where id in (select value from json_each(?))",
        [json.dumps(added)],
    )
    return Recorded(len(added), alerts)


def _write_article(db: Database, feed: Feed, matched: Matched, now: datetime) -> tuple[int, int] | None:
    """Insert or revise the article; its id and revision, or None when exactly this is already there."""
    article = matched.article
    row = {
        "feed_id": feed.id,
        "key": article.key,
        "digest": article.digest,
        "url": article.url,
        "url_key": None if article.url is None else url_key(article.url),
        "title": article.title,
        "author": article.author,
        "lead": article.lead,
        "text": article.text,
        "language": article.language,
        "tags": json.dumps(list(article.tags), ensure_ascii=False),
        "published_at": None if article.published_at is None else stamp(article.published_at),
        "updated_at": None if article.updated_at is None else stamp(article.updated_at),
        "now": stamp(now),
    }
    db.conn.execute(_KEEP_REVISION, row)
    found = db.conn.execute(_UPSERT_ARTICLE, row).fetchall()
    return (found[0][0], found[0][1]) if found else None


_KEEP_REVISION = """
    insert into revisions (article_id, revision, title, lead, text, entry_digest, replaced_at)
    select id, revision, title, lead, text, entry_digest, :now from articles
    where feed_id = :feed_id and entry_key = :key and entry_digest <> :digest
"""

_UPSERT_ARTICLE = """
    insert into articles (feed_id, entry_key, entry_digest, url, url_key, title, author, lead, text, language, tags,
      published_at, updated_at, seen_at)
    values (:feed_id, :key, :digest, :url, :url_key, :title, :author, :lead, :text, :language, :tags,
      :published_at, :updated_at, :now)
    on conflict (feed_id, entry_key) do update set
      entry_digest = excluded.entry_digest, revision = revision + 1, url = excluded.url, url_key = excluded.url_key,
      title = excluded.title, author = excluded.author, lead = excluded.lead, text = excluded.text,
      language = excluded.language, tags = excluded.tags, updated_at = excluded.updated_at,
      published_at = coalesce(excluded.published_at, published_at)
    where entry_digest <> excluded.entry_digest
    returning id, revision
"""


def _record_matches(
    db: Database,
    article_id: int,
    revision: int,
    matched: Matched,
    now: datetime,
    rules: Mapping[int, Rule],
    alerting: bool,
) -> int:
    story_id = _story_of(db, article_id, now)
    alerts = 0
    for match in matched.matches:
        held_before = db.execute(
            "select 1 from matches where rule_id = ? and article_id = ?", [match.rule_id, article_id]
        ).fetchone()
        alert_id = None
        if alerting and not held_before:
            alert_id, is_new = _alert(db, match, story_id, now, rules[match.rule_id])
            alerts += is_new
        db.execute(
            "insert into matches (rule_id, article_id, revision, expression, spans, alert_id, matched_at)"
            " values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            [
                match.rule_id,
                article_id,
                revision,
                match.rule_expression,
                spans_text(match.spans),
                alert_id,
                stamp(now),
            ],
        )
    return alerts


def _story_of(db: Database, article_id: int, now: datetime) -> int:
    """The article's story: that of the earliest article of its address in the last days, else its own."""
    row = db.execute(
        """
        update articles set story_id = coalesce(story_id, (
          select min(coalesce(other.story_id, other.id)) from articles as other
          where other.url_key = articles.url_key and other.seen_at >= ?), id)
        where id = ? returning story_id
        """,
        [stamp(now - timedelta(days=_STORY_DAYS)), article_id],
    ).fetchone()
    return int(row[0])


def _alert(db: Database, match: Match, story_id: int, now: datetime, rule: Rule) -> tuple[int, bool]:
    """The alert of rule and story, made with its deliveries when this is the first word of it."""
    made = db.execute(
        "insert into alerts (rule_id, story_id, created_at) values (?, ?, ?) on conflict do nothing returning id",
        [match.rule_id, story_id, stamp(now)],
    ).fetchall()
    if not made:
        joined = db.execute("select id from alerts where rule_id = ? and story_id = ?", [match.rule_id, story_id])
        return int(joined.fetchone()[0]), False
    alert_id = int(made[0][0])
    for channel in rule.channels:
        # The key is chance, not a digest of ids: a new database starts ids again, and a receiver that drops
        # doubles by key must not take its first alerts for old ones.
        db.execute(
            "insert into deliveries (key, alert_id, channel, try_at, created_at)"
            " values ('bw_' || lower(hex(randomblob(12))), ?, ?, ?, ?)",
            [alert_id, channel, stamp(now), stamp(now)],
        )
    return alert_id, True
