"""An article as rules see it: its texts cut into words when first asked for, and what is known besides.

Pure; lives for one match.
"""

from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import urlsplit

from boltwatch.model import Article
from boltwatch.rules.terms import Finder, Place
from boltwatch.rules.tree import Meta
from boltwatch.rules.words import Doc, fold


class Hit(NamedTuple):
    """A place in one text: tokens `first` to `last`, of which `parts` were hit."""

    field: str
    first: int
    last: int
    parts: tuple[Place, ...]


class Page:
    """Answers terms and conditions for one article."""

    def __init__(self, article: Article, feed_urls: Collection[str]) -> None:
        self.article, self.feed_urls = article, feed_urls
        self._docs: dict[str, Doc] = {}

    def doc(self, field: str) -> Doc:
        """The tokens of a field, cut once."""
        if field not in self._docs:
            self._docs[field] = Doc(getattr(self.article, field) or "")
        return self._docs[field]

    def find(self, finder: Finder, field: str) -> list[Hit]:
        """The places of a term in its field, or in title and text when it names none."""
        if field == "lead":
            return self._lead(finder)
        fields = (field,) if field else ("title", "text")
        return [Hit(name, *place[:2], (place,)) for name in fields for place in finder.find(self.doc(name))]

    def _lead(self, finder: Finder) -> list[Hit]:
        """Places in the lead: those of the text where it begins with the lead, so that they can be shown."""
        lead = self.article.lead
        if not self.article.text.startswith(lead):
            return [Hit("lead", *place[:2], (place,)) for place in finder.find(self.doc("lead"))]
        doc = self.doc("text")
        places = finder.find(doc)
        return [Hit("text", *place[:2], (place,)) for place in places if doc.ends[place[1]] <= len(lead)]

    def knows(self, meta: Meta) -> bool:
        """True when the article's feed, site, language or one of its tags is the one named."""
        match meta.field:
            case "feed":
                return any(_is_feed(url, meta.value) for url in self.feed_urls)
            case "site":
                return _is_host(_host(self.article.url or ""), meta.value)
            case "lang":
                return _is_language(self.article.language or "", meta.value)
        return any(_folded(tag) == _folded(meta.value) for tag in self.article.tags)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_host(host: str, wanted: str) -> bool:
    wanted = wanted.casefold().removeprefix("www.").removesuffix("/")
    return bool(wanted) and (host == wanted or host.endswith(f".{wanted}"))


def _is_feed(url: str, wanted: str) -> bool:
    """The address, written with or without scheme and last slash, or its host."""
    return _bare(url) == _bare(wanted) or _is_host(_host(url), wanted)


def _bare(url: str) -> str:
    return url.removeprefix("https://").removeprefix("http://").removesuffix("/")


def _is_language(language: str, wanted: str) -> bool:
    have, want = language.casefold().replace("_", "-"), wanted.casefold().replace("_", "-")
    return have == want or have.startswith(f"{want}-")


def _folded(tag: str) -> str:
    return " ".join(map(fold, tag.split()))
