"""The tables, as numbered migrations. Order is truth: new steps are appended, old ones are never edited.

Times are ISO-8601 UTC text, states are words, flags are 0 or 1. docs/database.md describes each column; a test
compares that page with these tables. `sqlite-utils migrate DB boltwatch/archive/schema.py --list` shows what ran.
"""

from sqlite_utils import Database, Migrations

migrations = Migrations("boltwatch")


@migrations(name="0001_tables")
def _tables(db: Database) -> None:
    for statement in _TABLES:
        db.execute(statement)


@migrations(name="0002_full_text")
def _full_text(db: Database) -> None:
    # External content: the index holds no second copy of the texts. New articles are indexed in batches by the
    # store (one-row triggers cost twice as much), edits and deletions by triggers, so that nobody's SQL can leave
    # the index wrong.
    for statement in _FULL_TEXT:
        db.execute(statement)


_TABLES = (
    """
    create table feeds (
      id integer primary key,
      url text not null unique,
      moved_to text,
      title text not null default '',
      origin text not null check (origin in ('config', 'user')),
      state text not null default 'active' check (state in ('active', 'disabled', 'gone')),
      every_s integer check (every_s > 0),
      full_text text not null default 'auto' check (full_text in ('auto', 'always', 'never')),
      etag text,
      last_modified text,
      body_digest text,
      entry_count integer not null default 0,
      floor text not null default '{}',
      failures integer not null default 0,
      error text,
      added_at text not null,
      polled_at text,
      changed_at text,
      due_at text not null,
      due_why text not null default ''
    ) strict
    """,
    "create index feeds_due on feeds (due_at) where state = 'active'",
    """
    create table rules (
      id integer primary key,
      name text not null unique,
      expression text not null,
      channels text not null default '[]',
      feeds text not null default '[]',
      origin text not null check (origin in ('config', 'user')),
      state text not null default 'active' check (state in ('active', 'disabled')),
      added_at text not null
    ) strict
    """,
    """
    create table articles (
      id integer primary key,
      feed_id integer not null references feeds (id),
      entry_key text not null,
      entry_digest text not null,
      revision integer not null default 1,
      story_id integer references articles (id),
      url text,
      url_key text,
      title text not null,
      author text,
      lead text not null,
      text text not null,
      language text,
      tags text not null default '[]',
      published_at text,
      updated_at text,
      seen_at text not null,
      unique (feed_id, entry_key)
    ) strict
    """,
    "create index articles_seen on articles (seen_at)",
    "create index articles_url on articles (url_key) where url_key is not null",
    "create index articles_story on articles (story_id) where story_id is not null",
    """
    create table revisions (
      id integer primary key,
      article_id integer not null references articles (id) on delete cascade,
      revision integer not null,
      title text not null,
      lead text not null,
      text text not null,
      entry_digest text not null,
      replaced_at text not null,
      unique (article_id, revision)
    ) strict
    """,
    """
    create table alerts (
      id integer primary key,
      rule_id integer not null references rules (id),
      story_id integer not null references articles (id),
      created_at text not null,
      unique (rule_id, story_id)
    ) strict
    """,
    """
    create table matches (
      id integer primary key,
      rule_id integer not null references rules (id),
      article_id integer not null references articles (id) on delete cascade,
      revision integer not null,
      expression text not null,
      spans text not null,
      alert_id integer references alerts (id),
      matched_at text not null,
      unique (rule_id, article_id, revision)
    ) strict
    """,
    "create index matches_alert on matches (alert_id) where alert_id is not null",
    """
    create table deliveries (
      id integer primary key,
      key text not null unique,
      alert_id integer not null references alerts (id),
      channel text not null,
      state text not null default 'waiting' check (state in ('waiting', 'sending', 'sent', 'held', 'dead')),
      attempts integer not null default 0,
      try_at text not null,
      created_at text not null,
      settled_at text,
      answer text,
      error text,
      unique (alert_id, channel)
    ) strict
    """,
    "create index deliveries_due on deliveries (try_at) where state in ('waiting', 'sending')",
)

_FULL_TEXT = (
    """
    create virtual table articles_fts using fts5 (
      title, text, content = 'articles', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2"
    )
    """,
    """
    create trigger articles_fts_delete after delete on articles begin
      insert into articles_fts (articles_fts, rowid, title, text) values ('delete', old.id, old.title, old.text);
    end
    """,
    """
    create trigger articles_fts_update after update of title, text on articles begin
      insert into articles_fts (articles_fts, rowid, title, text) values ('delete', old.id, old.title, old.text);
      insert into articles_fts (rowid, title, text) values (new.id, new.title, new.text);
    end
    """,
)
