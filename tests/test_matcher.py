"""The matcher: the index loses nothing, the spans are the words, and hostile texts cost little."""

import pickle
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boltwatch.errors import RuleError
from boltwatch.model import Article, Rule, Span
from boltwatch.rules.language import show
from boltwatch.rules.matcher import MOST_SPANS, Matcher
from boltwatch.rules.tree import And, AtLeast, Kind, Near, Node, Not, Or, Term
from boltwatch.rules.words import fold


def _article(text: str, title: str = "", lead: str = "") -> Article:
    return Article(
        key="k", digest="d", url="https://example.org/a-b", title=title, lead=lead, text=text, author="Eva Ork"
    )


def _rules(*expressions: str) -> list[Rule]:
    return [Rule(number, f"r{number}", expression, ()) for number, expression in enumerate(expressions)]


def _marked(expression: str, text: str, title: str = "", lead: str = "") -> list[str] | None:
    """The marked pieces, or None when the rule does not hold."""
    article = _article(text, title, lead)
    found = Matcher(_rules(expression)).match(article)
    if not found:
        return None
    return [{"title": title, "text": text}[span.field][span.start : span.end] for span in found[0].spans]


@pytest.mark.parametrize(
    ("expression", "text", "marked"),
    [
        ("xAI OR Grok", "Grok von xAI, Grok-3", ["Grok", "xAI", "Grok"]),
        ("xAI NOT Grok", "xAI wächst", ["xAI"]),
        ("xAI NOT Grok", "xAI mit Grok", None),
        ("A AND NOT (B AND C)", "a b", ["a"]),
        ("A AND NOT (B AND C)", "a b c", None),
        ("A OR (B AND C)", "b a", ["a"]),
        ("C++ OR .NET", "C++20 und .NET-Code", ["C++", ".NET"]),
        ('"Elon Musk" OR Musk', "Elon Musk", ["Elon Musk"]),
        ("=X OR R&D", "X: R & D", ["X", "R & D"]),
        ("x\u00adAI", "die x\u00adA\u200bI-Firma", ["x\u00adA\u200bI"]),
        ("Übernahme", "Die U\u0308bernahmen", ["U\u0308bernahmen"]),
        ("A NEAR/1 B", "a x b, a x x b", ["a", "b", "a"]),
        ("A NEAR/1 B", "a x x b", None),
        ("A ONEAR/1 B", "b a", None),
        ("A ONEAR/1 B", "a b", ["a", "b"]),
        ("A NEAR/5 A", "nur ein a", None),
        ("A NEAR/5 A", "a und a", ["a", "a"]),
        ("A NEAR/2 B NEAR/2 C", "a x x b y y c", ["a", "b", "c"]),
        ("A NEAR/2 B NEAR/2 C", "a x x b y y y c", None),
        ("A NEAR/5 B NEAR/5 C", "a c b", ["a", "c", "b"]),
        ("A ONEAR/5 B ONEAR/5 C", "a c b", None),
        ("A ONEAR/3 (B ONEAR/3 C)", "a b c", ["a", "b", "c"]),
        ("ATLEAST/2 Grok", "Grok 3 und Grok 4", ["Grok", "Grok"]),
        ("ATLEAST/2 Grok", "Grok 3", None),
        ("ATLEAST/2 (Grok OR Grok)", "Grok 3", None),
        ("author:Ork OR Grok", "nichts", []),
        ("url:a", "nichts", []),
        ("Grok", "", None),
    ],
)
def test_what_holds_is_marked_and_nothing_else(expression: str, text: str, marked: list[str] | None) -> None:
    assert _marked(expression, text) == marked


def test_title_comes_first_and_is_never_near_the_text() -> None:
    assert _marked("Grok", "mit Grok", title="Grok ist da") == ["Grok", "Grok"]
    assert _marked("Musk NEAR/9 Grok", "Grok ist da", title="Musk") is None
    assert _marked("ATLEAST/2 Grok", "Grok", title="Grok") == ["Grok", "Grok"]


def test_the_lead_is_the_beginning_of_the_text_or_a_text_of_its_own() -> None:
    assert _marked("lead:Grok", "Grok ist da.\n\nGrok 4.", lead="Grok ist da.") == ["Grok"]
    assert _marked("lead:Grok", "Musk.\n\nGrok.", lead="Musk.") is None
    assert _marked("lead:Grok", "Musk.", lead="Grok.") == []


def test_a_rule_for_feeds_holds_only_on_their_articles() -> None:
    rule = Rule(7, "r", "Grok", (), feeds=("https://a.example/rss", "https://b.example/rss"))
    matcher = Matcher([rule])
    assert [found.rule_id for found in matcher.match(_article("Grok"), feed_urls={"https://b.example/rss"})] == [7]
    assert matcher.match(_article("Grok"), feed_urls=["https://c.example/rss"]) == ()
    assert matcher.match(_article("Grok")) == ()


def test_conditions_on_the_feed_need_no_word() -> None:
    matcher = Matcher(_rules("feed:a.example NOT Werbung", "site:example.org", "site:ample.org"))
    found = matcher.match(_article("Text"), feed_urls=("https://www.a.example/rss",))
    assert [(match.rule_id, match.spans) for match in found] == [(0, ()), (1, ())]


def test_a_bad_expression_is_refused_when_the_matcher_is_made() -> None:
    with pytest.raises(RuleError):
        Matcher(_rules("xAI", "xAI Grok"))


def test_given_forms_are_found_under_the_same_condition_as_regular_ones() -> None:
    matcher = Matcher(_rules("Haus"), forms={"Haus": frozenset({"Häuser", "Häusern"})})
    assert matcher.match(_article("zwei Häuser")) and not matcher.match(_article("ein häuser"))
    assert not Matcher(_rules("Haus")).match(_article("zwei Häuser"))


def test_a_matcher_travels_to_another_process() -> None:
    matcher = Matcher(_rules("A NEAR/3 B", "~Zinsen NOT C++", "lang:de AND Grok*"))
    article = _article("a b Kreditzinsen grokking")
    assert pickle.loads(pickle.dumps(matcher)).match(article) == matcher.match(article) != ()  # noqa: S301


def test_spans_are_capped_sorted_and_apart() -> None:
    (match,) = Matcher(_rules('"a a" OR a')).match(_article("a x " * 1000, title="a a a"))
    assert match.spans[0] == Span("title", 0, 5)
    assert len(match.spans) == MOST_SPANS
    places = [(span.field != "title", span.start, span.end) for span in match.spans]
    assert places == sorted(places)
    assert all(one[0] != two[0] or one[2] <= two[1] for one, two in pairwise(places))


@pytest.mark.parametrize("text", ["grok " * 20_000, "grok musk " * 10_000, "x\u00ad" * 50_000, ". " * 50_000])
def test_a_hostile_text_of_100_kb_costs_less_than_five_seconds(text: str) -> None:
    rules = ["Grok NEAR/100 Grok NEAR/100 Musk", '"grok grok grok"', "~grokk OR Grok*", "ATLEAST/1000 (Grok OR Musk)"]
    matcher = Matcher(_rules(*rules, "(Grok NEAR/100 Musk) NEAR/100 (Musk NEAR/100 Grok)"))
    before = time.process_time()
    matcher.match(_article(text))
    assert time.process_time() - before < 5


VOCABULARY = [
    "Bank",
    "banken",
    "Banken",
    "xAI",
    "xAIs",
    "XBank",
    "Bankübernahme",
    "Übernahme",
    "uebernahmen",
    "C++",
    "C",
    "und",
]
WORDS = st.sampled_from(["Bank", "xAI", "Übernahme", "C++", "C", "Bank Übernahme", "und"])
TERMS: st.SearchStrategy[Node] = st.one_of(
    st.builds(Term, WORDS, st.sampled_from([Kind.PLAIN, Kind.EXACT]), st.sampled_from(["", "title", "text", "lead"])),
    st.builds(Term, st.sampled_from(["Übernahme", "banken"]), st.sampled_from([Kind.INSIDE, Kind.PREFIX, Kind.SUFFIX])),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    st.one_of(
        TERMS,
        st.builds(Near, TERMS.map(lambda t: t), TERMS, st.integers(1, 3), st.booleans()),
        st.builds(AtLeast, st.integers(2, 3), TERMS),
    ),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda a, b: And((a, b)), inner, inner),
        st.builds(lambda a, b: Or((a, b)), inner, inner),
    ),
    max_leaves=6,
)
TEXTS = st.lists(st.tuples(st.sampled_from(VOCABULARY), st.sampled_from([" ", "-", ". ", "\n\n"])), max_size=12).map(
    lambda pieces: "".join(word + gap for word, gap in pieces)
)


def _readable(trees: list[Node]) -> list[str]:
    """The expressions of the trees that the language takes (a bound part is added; NEAR over fields is refused)."""
    found = []
    for tree in trees:
        expression = show(Or((And((Term("und"), tree)), Term("Bank", field="title"))))
        try:
            Matcher(_rules(expression))
        except RuleError:
            continue
        found.append(expression)
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(TREES, min_size=1, max_size=4), st.lists(TEXTS, min_size=1, max_size=3), TEXTS, st.data())
def test_the_index_finds_exactly_what_evaluating_every_rule_finds(
    trees: list[Node], texts: list[str], title: str, data: st.DataObject
) -> None:
    """With few rules, where the text is searched for each word, and with many, where its words are looked up."""
    few = _rules(*_readable(trees))
    matcher = Matcher(
        [*few, *(Rule(100 + n, "", f"nirgends{n}", ()) for n in range(data.draw(st.sampled_from([0, 50]))))]
    )
    for text in texts:
        article = _article(text, title, lead=text.partition("\n\n")[0])
        assert matcher.match(article) == matcher.match_all(article)


def _naive(node: Node, words: list[str]) -> bool:
    """What a tree of plain words means, written down a second time and as simply as possible."""
    match node:
        case Term():
            return bool(_places(node, words))
        case And():
            return all(_naive(part, words) for part in node.parts)
        case Or():
            return any(_naive(part, words) for part in node.parts)
        case Not():
            return not _naive(node.inner, words)
        case AtLeast(inner=Term() as term):
            return len(_places(term, words)) >= node.count
        case Near(left=Term() as left, right=Term() as right):
            pairs = [(a, b) for a in _places(left, words) for b in _places(right, words) if a != b]
            return any((a < b or not node.ordered) and abs(a - b) - 1 <= node.distance for a, b in pairs)
    raise AssertionError(node)


def _places(term: Term, words: list[str]) -> list[int]:
    return [at for at, word in enumerate(words) if word in (fold(term.text), f"{fold(term.text)}s")]


LOWER = st.builds(Term, st.sampled_from(["haus", "katze", "maus", "ähre"]))
SIMPLE: st.SearchStrategy[Node] = st.recursive(
    st.one_of(
        LOWER,
        st.builds(Near, LOWER, LOWER, st.integers(1, 4), st.booleans()),
        st.builds(AtLeast, st.integers(2, 3), LOWER),
    ),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda a, b: And((a, b)), inner, inner),
        st.builds(lambda a, b: Or((a, b)), inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(SIMPLE, st.lists(st.sampled_from(["Haus", "KATZE", "maus", "Ähre", "aehre", "ähren", "x", "katzen", "hausx"])))
def test_a_rule_means_what_a_naive_reading_of_its_tree_says(tree: Node, text: list[str]) -> None:
    whole = And((Term("x"), tree))
    words = [fold(word) for word in re.findall(r"\w+", " ".join(text))]
    found = Matcher(_rules(show(whole))).match(_article(" ".join(text)))
    assert bool(found) is _naive(whole, words)
