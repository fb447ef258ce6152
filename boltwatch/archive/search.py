"""Full-text search over the archive (FTS5). First version: words and "phrases", all of which must occur."""

import re
from typing import Any

from sqlite_utils import Database

_TERM = re.compile(r'"([^"]*)"|(\S+)')


def search(db: Database, words: str, limit: int) -> list[dict[str, Any]]:
    """The best articles that hold every word and phrase, best first, with a marked snippet.

    A word may end in `*`. Accents do not count: `uber` finds `über`.
    """
    query = _fts_query(words)
    if not query:
        return []
    return list(
        db.query(
            """
            select articles.id, articles.title, articles.url, feeds.title as feed, articles.published_at,
              articles.seen_at, snippet(articles_fts, -1, '[', ']', '…', 24) as snippet
            from articles_fts
            join articles on articles.id = articles_fts.rowid
            join feeds on feeds.id = articles.feed_id
            where articles_fts match ? order by bm25(articles_fts, 4.0, 1.0) limit ?
            """,
            [query, limit],
        )
    )


def _fts_query(words: str) -> str:
    # Each term is quoted, so that no sign of the user's is FTS5 syntax; NUL would end the query early.
    terms = []
    for phrase, word in _TERM.findall(words.replace("\0", " ")):
        text = phrase or word
        star = "*" if word.endswith("*") else ""
        text = text.rstrip("*").replace('"', " ")
        if any(sign.isalnum() for sign in text):
            terms.append(f'"{text}"{star}')
    return " ".join(terms)
