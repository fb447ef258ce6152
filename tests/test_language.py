"""The rule language: what it means, what it refuses, and that the manual's examples are true."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.errors import RuleError
from boltwatch.model import Article, Rule
from boltwatch.rules.language import keywords_expression, parse_rule, show
from boltwatch.rules.matcher import Matcher
from boltwatch.rules.tree import And, AtLeast, Kind, Meta, Near, Node, Not, Or, Term

MANUAL = Path(__file__).parent.parent / "docs" / "rules.md"


@pytest.mark.parametrize(
    ("expression", "reading"),
    [
        ("xAI", "xAI"),
        ("A OR B AND C", "A OR (B AND C)"),
        ("A AND B OR C", "(A AND B) OR C"),
        ("A NOT B", "A AND NOT B"),
        ("A AND B NOT C AND D", "A AND B AND NOT C AND D"),
        ("A AND B NEAR/3 C", "A AND (B NEAR/3 C)"),
        ("A NEAR/3 B ONEAR/2 C", "(A NEAR/3 B) ONEAR/2 C"),
        ("A NEAR/3 (B OR C)", "A NEAR/3 (B OR C)"),
        ("NOT A AND B", "NOT A AND B"),
        ("ATLEAST/3 (A OR B)", "ATLEAST/3 (A OR B)"),
        ("ATLEAST/2 A AND B", "ATLEAST/2 A AND B"),
        ("title:(A OR B) AND C", "(title:A OR title:B) AND C"),
        ("lang:(de OR en) AND xAI", "(lang:de OR lang:en) AND xAI"),
        ("feed:https://example.org/rss?a=1 AND xAI", "feed:https://example.org/rss?a=1 AND xAI"),
        ('tag:"Künstliche Intelligenz" AND =X', 'tag:"Künstliche Intelligenz" AND =X'),
        ("Refinanz* OR *kredit OR *bank* OR ~Zinsen", "Refinanz* OR *kredit OR *bank* OR ~Zinsen"),
        ("C++ OR .NET OR AT&T OR C#", "C++ OR .NET OR AT&T OR C#"),
        ('"or" AND "X Corp"', '"or" AND "X Corp"'),
        ('="Die Zeit"', '="Die Zeit"'),
        ("Oder AND Hochwasser", '"Oder" AND Hochwasser'),
        ("((A))", "A"),
    ],
)
def test_the_reading_shows_every_bracket(expression: str, reading: str) -> None:
    assert show(parse_rule(expression)) == reading


def test_a_term_remembers_where_it_stands() -> None:
    assert parse_rule('A AND\n ~Zinsen OR title:"X Corp"') == Or(
        (And((Term("A"), Term("Zinsen", Kind.INSIDE))), Term("X Corp", field="title"))
    )
    tree = parse_rule("A AND  title:Grok")
    assert isinstance(tree, And) and isinstance(tree.parts[1], Term) and tree.parts[1].column == 14


REFUSED = [
    ("", 1, "empty"),
    ("   ", 4, "empty"),
    ("xAI Grok", 5, "two terms without an operator"),
    ("xAI (Grok)", 5, "two terms without an operator"),
    ('xAI "X Corp"', 5, "two terms without an operator"),
    ("xAI ATLEAST/2 B", 5, "two terms without an operator"),
    ("xAI or Grok", 5, "upper-case"),
    ("xAI und Grok", 5, "upper-case"),
    ("xAI UND Grok", 5, "upper-case"),
    ("xAI AND nicht Grok", 9, "upper-case"),
    ("xAI && Grok", 5, "upper-case"),
    ("xAI | Grok", 5, "upper-case"),
    ("xAI near/3 Grok", 5, "upper-case"),
    ("lang:(de or en)", 10, "upper-case"),
    ("titel:Grok", 1, "unknown field"),
    ("https://example.org", 1, "unknown field"),
    ("title: Grok", 7, "blank after"),
    ("title:", 7, "blank after"),
    ("title:AND", 7, "no term after title:"),
    ("title:NOT a", 7, "no term after title:"),
    ("title:(text:a)", 8, "inside title:"),
    ("lang:de,en AND a", 6, "no value of lang:"),
    ("site:https://heise.de AND a", 6, "no value of site:"),
    ("site:heise", 6, "no value of site:"),
    ("feed:heise", 6, "no value of feed:"),
    ("tag:KI*", 5, "no value of tag:"),
    ('tag:="KI"', 5, "no meaning here"),
    ('tag:""', 5, "no value of tag:"),
    ("tag:(KI NEAR/3 AI)", 9, "two terms"),
    ('"open', 1, "never closed"),
    ('xAI OR "open', 8, "never closed"),
    ("(xAI", 1, "never closed"),
    ("A AND (B OR (C)", 7, "never closed"),
    ("(", 1, "never closed"),
    ("xAI)", 4, "never opened"),
    ("()", 2, "missing before this bracket"),
    ("xAI OR", 7, "missing at the end"),
    ("xAI OR AND B", 8, "missing before AND"),
    ("AND xAI", 1, "missing before AND"),
    ("A NEAR/5", 9, "missing at the end"),
    ("A NEAR B", 3, "needs a number"),
    ("A NEAR/x B", 3, "needs a number"),
    ("A NEAR/0 B", 8, "1 to 100"),
    ("A ONEAR/101 B", 9, "1 to 100"),
    ("A NEAR/999999999 B", 8, "1 to 100"),
    ("ATLEAST/1 A", 9, "2 to 1000"),
    ("A NEAR/5 (B AND C)", 3, "terms only"),
    ("A NEAR/5 NOT B", 3, "terms only"),
    ("A NEAR/5 lang:de", 3, "terms only"),
    ("ATLEAST/2 (A AND B)", 1, "terms only"),
    ("A NOT B NEAR/5 C", 9, "cannot stand here"),
    ("title:A NEAR/3 text:B", 9, "different fields"),
    ("NOT Werbung", 1, "only NOT"),
    ("A OR NOT B", 6, "only NOT"),
    ("NOT NOT A", 1, "only NOT"),
    ("X*", 1, "at least 3 letters"),
    ("*", 1, "at least 3 letters"),
    ("re*fi", 3, "start or the end"),
    ("refi**", 5, "start or the end"),
    ("X-Refi*", 1, "letters and digits only"),
    ('"Elon Mus*"', 10, "inside a phrase"),
    ("~Zins", 2, "at least 5 letters"),
    ('~"Elon Musk"', 3, "one word"),
    ("/ref.*/", 1, "regular expressions are not supported yet"),
    ("{other}", 1, "other rules are not supported yet"),
    ("-Werbung", 1, "no operator"),
    ("xAI -Werbung", 5, "no operator"),
    ("+xAI", 1, "no operator"),
    ("„X Corp“", 1, "typographic quotes"),
    ("xAI, Grok", 4, "no meaning here"),
    ("gro?", 4, "no meaning here"),
    ("grok~2", 5, "no meaning here"),
    ("grok^2", 5, "no meaning here"),
    ("=", 2, "letter or a digit"),
    ('"…"', 2, "letter or a digit"),
    ("(" * 60 + "a" + ")" * 60, 51, "more than 50 levels"),
    ("NOT " * 2000 + "a", 201, "more than 50 levels"),
    ("a" * 10_001, 10_001, "longer than"),
]


@pytest.mark.parametrize(("expression", "column", "cause"), REFUSED)
def test_what_is_no_rule_is_refused_with_its_column_and_a_hint(expression: str, column: int, cause: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(expression)
    assert (caught.value.column, cause in caught.value.cause) == (column, True), caught.value.cause
    assert caught.value.hint


def test_an_error_shows_the_line_and_a_caret_under_the_column() -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule("Musk AND\nxAI Grok")
    assert str(caught.value).splitlines()[:2] == ["xAI Grok", "    ^ column 14: two terms without an operator"]


def test_an_unknown_field_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(RuleError, match="did you mean title: \\?"):
        parse_rule("titel:Grok")


def test_keywords_are_any_of_them() -> None:
    assert keywords_expression(["xAI", "X Corp"]) == 'xAI OR "X Corp"'
    assert keywords_expression(["C++", "or", " Refinanz* ", "=X"]) == '"C++" OR "or" OR Refinanz* OR =X'


@pytest.mark.parametrize("keywords", [[], [""], ["xAI", " "], ['"xAI"'], ["…"], ["a*"], ["near/5", "x*y"]])
def test_an_empty_or_impossible_keyword_is_refused(keywords: list[str]) -> None:
    with pytest.raises(RuleError):
        keywords_expression(keywords)


@given(st.lists(st.text(alphabet="aXÄß9 -&+.'/():", min_size=1), min_size=1))
def test_keywords_are_refused_or_make_a_rule(keywords: list[str]) -> None:
    try:
        expression = keywords_expression(keywords)
    except RuleError:
        return
    parse_rule(expression)


WORDS = st.sampled_from(["xAI", "Grok", "X Corp", "C++", "or", "NEAR/5", "AND", "Überzug", "AT&T", "1.5", "a:b", "-x"])
TERMS = st.builds(Term, WORDS, st.sampled_from([Kind.PLAIN, Kind.EXACT]), st.sampled_from(["", "title", "lead"]))
PIECES = st.builds(Term, st.just("Zinsen"), st.sampled_from([Kind.INSIDE, Kind.PREFIX, Kind.SUFFIX, Kind.MIDDLE]))
PLACES = st.one_of(
    TERMS,
    PIECES,
    st.builds(Near, TERMS, PIECES, st.integers(1, 100), st.booleans()),
    st.builds(Or, st.tuples(TERMS, PIECES)),
)
LEAVES = st.one_of(PLACES, st.just(Meta("lang", "de")), st.just(Meta("tag", "X Y")))
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AtLeast, st.integers(2, 9), PLACES),
        st.builds(lambda a, b: And((a, b)), inner, inner),
        st.builds(lambda a, b: Or((a, b)), inner, inner),
    ),
    max_leaves=8,
)


@given(TREES)
def test_the_reading_parses_to_the_same_meaning(tree: Node) -> None:
    reading = show(And((Term("must"), tree)))
    again = parse_rule(reading)
    assert isinstance(again, And) and again.parts[0] == Term("must")
    assert show(again) == reading
    assert parse_rule(show(again)) == again


@given(st.text(alphabet='aX ()":/*~=-ANDORT5{?ä\n', max_size=40))
def test_any_text_is_read_or_refused_within_its_length(expression: str) -> None:
    try:
        tree = parse_rule(expression)
    except RuleError as error:
        column = error.column
    else:
        column = 1
        assert parse_rule(show(tree)) == tree
    assert 1 <= column <= len(expression) + 1


def _examples() -> list[tuple[str, str, str]]:
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", MANUAL.read_text("utf-8"), re.MULTILINE)
    cells = [(rule, verdict, cell) for rule, *both in rows for verdict, cell in zip(("yes", "no"), both, strict=True)]
    return [(rule, verdict, text) for rule, verdict, cell in cells for text in re.findall(r"“(.+?)”", cell)]


@pytest.mark.parametrize(("expression", "verdict", "text"), _examples())
def test_every_example_of_the_manual_is_true(expression: str, verdict: str, text: str) -> None:
    """The cell's text is the article's text, or `title | text`."""
    title, _, body = text.rpartition(" ¦ ")
    article = Article(
        key="k", digest="d", url="https://www.heise.de/news/ki.html", title=title, lead="", text=body,
        author="Erika Muster", tags=("Künstliche Intelligenz",), language="de",
    )  # fmt: skip
    found = Matcher([Rule(1, "manual", expression, ())]).match(article, feed_urls={"https://www.heise.de/rss.xml"})
    assert bool(found) is (verdict == "yes")


def test_the_manual_has_an_example_of_every_operator_and_field() -> None:
    rules = " ".join(rule for rule, _, _ in _examples())
    wanted = ["AND", "OR", "NOT", "NEAR/", "ONEAR/", "ATLEAST/", "=", "~", "*", '"', "(", "title:", "lead:", "text:"]
    assert [one for one in [*wanted, "author:", "url:", "feed:", "site:", "lang:", "tag:"] if one not in rules] == []


def test_every_refusal_of_the_manual_is_one() -> None:
    block = re.search(r"```refused\n(.+?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    assert len(lines) >= 8
    for line in lines:
        with pytest.raises(RuleError):
            parse_rule(line)
