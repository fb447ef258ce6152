"""Rules meet an article: compiled once, then each article is cut into words once and only likely rules are evaluated.

Pure, and no part of it knows feeds, alerts or the archive.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from boltwatch.model import Article, Match, Rule, Span
from boltwatch.rules.checks import Check, check_of
from boltwatch.rules.language import parse_rule
from boltwatch.rules.page import Hit, Page
from boltwatch.rules.presearch import Presearch
from boltwatch.rules.tree import terms

MOST_SPANS = 200
_NO_FORMS: Mapping[str, frozenset[str]] = {}


class Matcher:
    """Says which rules hold on an article, and where; equal to evaluating every rule, only faster.

    `forms` gives the inflected forms of words as they are written in rules; a word it does not hold gets the regular
    endings. RuleError for the first expression that cannot be read.
    """

    def __init__(self, rules: Sequence[Rule], *, forms: Mapping[str, frozenset[str]] = _NO_FORMS) -> None:
        self._rules = tuple(rules)
        trees = [parse_rule(rule.expression) for rule in self._rules]
        self._checks: tuple[Check, ...] = tuple(check_of(tree, forms) for tree in trees)
        self._presearch = Presearch(self._checks)
        used = {leaf.field for tree in trees for leaf in terms(tree)}
        self._fields = ("title", "text", *sorted(used & {"lead", "author", "url"}))

    def match(self, article: Article, *, feed_urls: Collection[str] = ()) -> tuple[Match, ...]:
        """The rules that hold, in their order. `feed_urls` are the addresses of the article's feed."""
        texts = [text for field in self._fields if (text := getattr(article, field))]
        return self._evaluate(self._presearch.candidates(texts), article, feed_urls)

    def match_all(self, article: Article, *, feed_urls: Collection[str] = ()) -> tuple[Match, ...]:
        """What `match` says, found without the index: every rule is evaluated."""
        return self._evaluate(range(len(self._rules)), article, feed_urls)

    def _evaluate(self, numbers: Iterable[int], article: Article, feed_urls: Collection[str]) -> tuple[Match, ...]:
        page = Page(article, feed_urls)
        found = []
        for number in numbers:
            rule = self._rules[number]
            if rule.feeds and not any(url in feed_urls for url in rule.feeds):
                continue
            hits = self._checks[number].hits(page)
            if hits is not None:
                found.append(Match(rule.id, rule.expression, _spans(hits, page)))
        return tuple(found)


def _spans(hits: Sequence[Hit], page: Page) -> tuple[Span, ...]:
    """Where to mark: title first, in order, overlapping places joined, at most MOST_SPANS."""
    found: list[Span] = []
    for field in ("title", "text"):
        for first, last, before, after in sorted({part for hit in hits if hit.field == field for part in hit.parts}):
            start, end = page.doc(field).starts[first] - before, page.doc(field).ends[last] + after
            if found and found[-1].field == field and start < found[-1].end:
                found[-1] = Span(field, found[-1].start, max(end, found[-1].end))
            else:
                found.append(Span(field, start, end))
    return tuple(found[:MOST_SPANS])
