"""The archive: what a poll leaves behind, the outbox, and the door."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from boltwatch.archive import ask, keep, outbox, polls, search, subscriptions
from boltwatch.archive.schema import migrations
from boltwatch.archive.store import DaemonLock, StoreThread, open_database
from boltwatch.errors import ArchiveError
from boltwatch.model import Failed, Feed, Fetched, NotModified, Origin, Outcome, Retired, Unchanged
from boltwatch.settings import FeedSettings, RuleSettings
from tests.conftest import NOW
from tests.make import article, changed, matched

LEASE = timedelta(minutes=10)
HOUR = timedelta(hours=1)


def watch(db: Database, *, channels: tuple[str, ...] = ("desk",)) -> Feed:
    """One feed and one rule named xai (id 1), as the file would name them; the feed has been polled before."""
    rule = RuleSettings(name="xai", expression="xAI", channels=channels)
    subscriptions.follow_config(db, [FeedSettings(url="https://news.example/feed")], [rule], NOW)
    (feed,) = subscriptions.claim_feeds(db, NOW, LEASE, 10)
    record(db, feed, changed(matched(article("old"))))
    return claimed(db)


def claimed(db: Database) -> Feed:
    """The only feed, claimed whether due or not."""
    return subscriptions.claim_feeds(db, NOW, LEASE, 10, all_feeds=True)[0]


def record(db: Database, feed: Feed, outcome: Outcome, *, now: datetime = NOW, alerting: bool = True) -> polls.Recorded:
    """Record with the rules in force."""
    rules = {rule.id: rule for rule in subscriptions.active_rules(db)}
    return polls.record(db, feed, outcome, now=now, due_at=now + HOUR, due_why="hourly", rules=rules, alerting=alerting)


def count(db: Database, table: str) -> int:
    """How many rows a table has."""
    return int(db.execute(f"select count(*) from {table}").fetchone()[0])  # noqa: S608 (table names of this file)


def row(db: Database, sql: str) -> dict[str, Any]:
    """The only row of a query."""
    (found,) = db.query(sql)
    return dict(found)


def test_an_article_its_match_its_alert_and_its_deliveries_are_written_together(db: Database) -> None:
    feed = watch(db, channels=("desk", "mail"))
    assert record(db, feed, changed(matched(article("a", title="xAI grows"), 1))) == polls.Recorded(1, 1)
    assert [count(db, table) for table in ("articles", "matches", "alerts", "deliveries")] == [2, 1, 1, 2]
    assert row(db, "select due_at, due_why from feeds") == {
        "due_at": "2026-03-02T09:00:00.000000Z",
        "due_why": "hourly",
    }


def test_recording_the_same_outcome_twice_adds_nothing(db: Database) -> None:
    feed = watch(db)
    outcome = changed(matched(article("a", title="xAI grows"), 1), matched(article("b")))
    assert record(db, feed, outcome) == polls.Recorded(2, 1)
    assert record(db, feed, outcome) == polls.Recorded(0, 0)
    assert [count(db, table) for table in ("articles", "alerts", "deliveries", "revisions")] == [3, 1, 1, 0]


def test_a_recording_that_breaks_half_way_leaves_nothing(db: Database) -> None:
    feed = watch(db)
    unknown_rule = 99
    with pytest.raises(KeyError):
        record(db, feed, changed(matched(article("a")), matched(article("b"), unknown_rule)))
    assert count(db, "articles") == 1
    assert search.search(db, "paragraph", 10)[0]["title"] == "A title"


def test_without_alerting_matches_are_kept_and_nobody_is_told(db: Database) -> None:
    feed = watch(db)
    assert record(db, feed, changed(matched(article("a"), 1)), alerting=False) == polls.Recorded(1, 0)
    assert (count(db, "matches"), count(db, "alerts")) == (1, 0)


def test_an_edit_is_a_revision_and_alerts_only_if_the_rule_did_not_hold_before(db: Database) -> None:
    feed = watch(db)
    record(db, feed, changed(matched(article("a", text="Nothing of note.")), matched(article("b"), 1)))
    edited = changed(matched(article("a", text="Now xAI."), 1), matched(article("b", text="Corrected."), 1))
    assert record(db, feed, edited).alerts == 1
    assert row(db, "select revision, text from articles where entry_key = 'a'") == {"revision": 2, "text": "Now xAI."}
    assert row(db, "select text from revisions where article_id = 2") == {"text": "Nothing of note."}
    assert count(db, "alerts") == 2


def test_an_article_that_matched_silently_at_first_does_not_alert_when_edited(db: Database) -> None:
    feed = watch(db)
    record(db, feed, changed(matched(article("a"), 1)), alerting=False)
    assert record(db, feed, changed(matched(article("a", text="Edited."), 1))).alerts == 0


def test_the_same_address_in_two_feeds_is_one_alert(db: Database) -> None:
    feed = watch(db)
    record(db, feed, changed(matched(article("a", url="https://www.paper.example/x?utm_source=rss"), 1)))
    subscriptions.add_feed(db, FeedSettings(url="https://other.example/feed"), Origin.USER, NOW)
    (other,) = subscriptions.claim_feeds(db, NOW, LEASE, 1, urls=["https://other.example/feed"])
    again = changed(matched(article("z", url="http://paper.example/x"), 1))
    assert record(db, other, again, alerting=True) == polls.Recorded(1, 0)
    assert (count(db, "alerts"), count(db, "deliveries")) == (1, 1)
    assert ask.alerts(db, 5)[0]["articles"] == 2


def test_a_304_keeps_validators_it_does_not_repeat_and_the_same_bytes_replace_them(db: Database) -> None:
    feed = watch(db)
    record(db, feed, changed(etag='W/"1"'))
    record(db, claimed(db), Unchanged(NotModified()))
    assert claimed(db).etag == 'W/"1"'
    record(db, claimed(db), Unchanged(Fetched(url="", body=b"")))
    assert claimed(db).etag is None


def test_failures_count_until_the_feed_answers_again(db: Database) -> None:
    watch(db)
    for _ in range(3):
        record(db, claimed(db), Failed("no answer"))
    assert row(db, "select failures, error from feeds") == {"failures": 3, "error": "no answer"}
    record(db, claimed(db), Unchanged(NotModified()))
    assert row(db, "select failures, error from feeds") == {"failures": 0, "error": None}


def test_a_retired_feed_is_not_claimed_again(db: Database) -> None:
    feed = watch(db)
    record(db, feed, Retired("410"))
    assert subscriptions.claim_feeds(db, NOW + HOUR * 1000, LEASE, 10, all_feeds=True) == ()


def test_a_claimed_feed_is_due_again_when_its_lease_ends(db: Database) -> None:
    watch(db)
    later = NOW + LEASE + timedelta(seconds=1)
    assert subscriptions.claim_feeds(db, NOW, LEASE, 10) == ()
    assert len(subscriptions.claim_feeds(db, later, LEASE, 10)) == 1


def test_what_leaves_the_file_is_disabled_and_comes_back_with_its_articles(db: Database) -> None:
    watch(db)
    subscriptions.add_rule(db, "mine", "Grok", ("desk",), (), Origin.USER, NOW)
    subscriptions.follow_config(db, [], [], NOW)
    assert [(rule["name"], rule["state"]) for rule in ask.rules(db)] == [("mine", "active"), ("xai", "disabled")]
    assert row(db, "select state from feeds") == {"state": "disabled"}
    subscriptions.follow_config(db, [FeedSettings(url="https://news.example/feed")], [], NOW)
    assert row(db, "select state from feeds") == {"state": "active"}
    assert ask.feeds(db)[0]["articles"] == 1


def test_a_delivery_is_claimed_once_and_again_when_its_sender_died(db: Database) -> None:
    feed = watch(db, channels=("desk", "mail"))
    record(db, feed, changed(matched(article("a", title="xAI grows"), 1)))
    (first,) = outbox.claim_deliveries(db, "desk", NOW, LEASE, 10)
    assert (first.attempts, first.alert.rule, first.alert.article.title) == (1, "xai", "xAI grows")
    assert outbox.claim_deliveries(db, "desk", NOW, LEASE, 10) == ()
    (second,) = outbox.claim_deliveries(db, "desk", NOW + LEASE, LEASE, 10)
    assert (second.attempts, second.key) == (2, first.key)
    outbox.settle_sent(db, second.id, NOW, "202")
    assert outbox.claim_deliveries(db, "desk", NOW + HOUR, LEASE, 10) == ()
    assert len(outbox.claim_deliveries(db, "mail", NOW, LEASE, 10)) == 1


def test_a_dead_delivery_can_be_resent_and_a_sent_one_cannot_be_dropped(db: Database) -> None:
    feed = watch(db)
    record(db, feed, changed(matched(article("a"), 1)))
    (delivery,) = outbox.claim_deliveries(db, "desk", NOW, LEASE, 10)
    outbox.settle_dead(db, delivery.id, NOW, "410")
    assert [found["state"] for found in ask.deliveries(db, 5, "dead")] == ["dead"]
    assert outbox.resend(db, [delivery.id], NOW) == 1
    (again,) = outbox.claim_deliveries(db, "desk", NOW, LEASE, 10)
    assert again.key == delivery.key
    outbox.settle_sent(db, again.id, NOW, "ok")
    assert outbox.drop(db, [again.id], NOW) == 0


def test_search_folds_accents_follows_edits_and_takes_any_signs(db: Database) -> None:
    feed = watch(db)
    record(db, feed, changed(matched(article("a", title="Börse öffnet", text="Kurse steigen."))))
    assert [found["id"] for found in search.search(db, "borse", 5)] == [2]
    record(db, feed, changed(matched(article("a", title="Börse öffnet", text="Anleihen fallen."))))
    assert search.search(db, "steigen", 5) == []
    assert len(search.search(db, '"Börse öffnet" fall*', 5)) == 1
    for signs in ('"', "*", "NEAR(", "a AND", "\0", "-:^"):
        search.search(db, signs, 5)


def test_the_index_agrees_with_the_articles(db: Database) -> None:
    feed = watch(db)
    record(db, feed, changed(matched(article("a")), matched(article("b", text="Zwei."))))
    db.execute("delete from articles where entry_key = 'b'")
    db.execute("insert into articles_fts (articles_fts, rank) values ('integrity-check', 1)")


def test_a_second_daemon_on_one_database_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    first = DaemonLock(tmp_path / "boltwatch.db")
    with pytest.raises(ArchiveError, match=r"another Boltwatch daemon works on this database \(process \d+\)"):
        DaemonLock(tmp_path / "boltwatch.db")
    first.close()
    DaemonLock(tmp_path / "boltwatch.db").close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    db = open_database(tmp_path / "boltwatch.db")
    migrations._record_applied(db, "9999_future")
    db.close()
    with pytest.raises(ArchiveError, match="made by a newer Boltwatch"):
        open_database(tmp_path / "boltwatch.db")


@pytest.mark.parametrize(
    ("name", "content"), [("broken.db", b"this is no database, not at all" * 40), ("no/such.db", None)]
)
def test_a_file_that_cannot_be_used_says_why_and_what_to_do(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content:
        path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"the database cannot be used .*; (restore|does its folder exist)"):
        open_database(path)


def test_every_table_is_strict_and_full_text_came_later_with_rows_in_place(tmp_path: Path) -> None:
    db = Database(sqlite3.connect(tmp_path / "old.db", isolation_level="DEFERRED"))
    migrations.apply(db, stop_before="0002_full_text")
    subscriptions.add_feed(db, FeedSettings(url="https://news.example/feed"), Origin.USER, NOW)
    db.close()
    db = open_database(tmp_path / "old.db")
    assert ask.feeds(db)[0]["url"] == "https://news.example/feed"
    own = ("feeds", "rules", "articles", "revisions", "matches", "alerts", "deliveries")
    assert all(db.table(name).strict for name in own)
    db.close()


def test_a_backup_taken_while_writing_is_whole_and_never_overwrites(db: Database, tmp_path: Path) -> None:
    watch(db)
    target = tmp_path / "copy.db"
    keep.backup(tmp_path / "boltwatch.db", target)
    copy = sqlite3.connect(target)
    assert copy.execute("select count(*) from articles").fetchone() == (1,)
    copy.close()
    with pytest.raises(ArchiveError, match="exists already"):
        keep.backup(tmp_path / "boltwatch.db", target)


def test_the_stores_thread_commits_groups_and_one_bad_write_takes_no_other_with_it(tmp_path: Path) -> None:
    async def work() -> list[object]:
        store = StoreThread(tmp_path / "boltwatch.db")
        good = [
            store.write(subscriptions.add_feed, FeedSettings(url=f"https://{n}.example/"), Origin.USER, NOW)
            for n in range(50)
        ]
        bad = store.write(lambda db: db.execute("insert into feeds (url) values ('x')"))
        results = await asyncio.gather(*good, bad, return_exceptions=True)
        assert len(await store.read(ask.feeds)) == 50
        store.close()
        return list(results)

    results = asyncio.run(work())
    assert results[:50] == [None] * 50
    assert isinstance(results[50], sqlite3.IntegrityError)


def test_times_are_utc_text_that_sorts(db: Database) -> None:
    watch(db)
    text = row(db, "select added_at from feeds")["added_at"]
    assert text == "2026-03-02T08:00:00.000000Z"
    assert datetime.fromisoformat(text) == NOW.astimezone(UTC)
