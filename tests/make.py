"""Nouns for tests, each with what matters given and the rest plausible."""

from boltwatch.model import Article, Changed, Fetched, Freshness, Match, Matched, Reading, Span


def article(key: str, *, title: str = "A title", text: str = "A first paragraph.", url: str | None = None) -> Article:
    """An article whose digest follows its words."""
    address = f"https://news.example/{key}" if url is None else url
    return Article(key=key, digest=f"{title}|{text}", url=address, title=title, lead=text, text=text)


def matched(one: Article, *rule_ids: int) -> Matched:
    """The article with a hit of each rule on its title's first word."""
    word = Span("title", 0, len(one.title.split()[0]))
    return Matched(one, tuple(Match(rule_id, "xAI", (word,)) for rule_id in rule_ids))


def changed(*fresh: Matched, etag: str | None = None) -> Changed:
    """A poll that brought these articles."""
    fetched = Fetched(url="https://news.example/feed", body=b"", etag=etag)
    return Changed(fetched, "digest", Reading("News", None, Freshness(), len(fresh), fresh))
