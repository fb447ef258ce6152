"""Words: whole words in any spelling, and no others."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.model import Article, Rule
from boltwatch.rules.matcher import Matcher
from boltwatch.rules.words import Doc, fold, fold_text, forms_of, is_gap

PAIRS = Path(__file__).parent / "data" / "words.tsv"


def _unescape(text: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text).replace("\\n", "\n")


def _pairs() -> list[tuple[str, str, str]]:
    lines = PAIRS.read_text("utf-8").splitlines()[1:]
    return [(term, _unescape(text), verdict) for term, text, verdict in (line.split("\t") for line in lines)]


def _holds(expression: str, text: str) -> bool:
    article = Article(key="k", digest="d", url=None, title="", lead="", text=text)
    return bool(Matcher([Rule(1, "pair", expression, ())]).match(article))


@pytest.mark.parametrize(("term", "text", "verdict"), _pairs())
def test_each_pair_of_the_table_is_judged_as_written(term: str, text: str, verdict: str) -> None:
    assert _holds(term, text) is (verdict == "must")
    assert _holds(term, f"Davor steht etwas, {text} und danach auch.") is (verdict == "must")


def test_the_table_is_large_and_has_both_verdicts() -> None:
    verdicts = [verdict for _, _, verdict in _pairs()]
    assert len(verdicts) >= 150
    assert verdicts.count("must") >= 60 and verdicts.count("not") >= 60
    assert set(verdicts) == {"must", "not"}


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.one_of(st.characters(max_codepoint=0x2050), st.sampled_from("äÖß€„“ẞ\u0308\u00ad"))))
def test_every_folded_token_is_a_piece_of_the_folded_text(text: str) -> None:
    folded = fold_text(text)
    assert folded is None or all(key in folded for key in Doc(text).keys)


def test_plain_german_is_folded_as_a_whole() -> None:
    assert fold_text("Die „Übernahme“ – für 5 € – läuft…") == "die „uebernahme“ – fuer 5 € – laeuft…"
    assert fold_text("weiche\u00adTrennung") is None


@given(st.text())
def test_tokens_are_cut_from_the_text_in_order_without_overlap(text: str) -> None:
    doc = Doc(text)
    edges = [edge for pair in zip(doc.starts, doc.ends, strict=True) for edge in pair]
    assert edges == sorted(edges)
    assert all(fold(text[start:end]) == key for start, end, key in zip(doc.starts, doc.ends, doc.keys, strict=True))
    assert sorted(at for places in doc.places.values() for at in places) == list(range(len(doc.keys)))


@given(st.text(alphabet="aäAÄßxX1 -'’\u00ad\u200b\u0308.\n"))
def test_invisible_signs_inside_words_never_change_the_words(text: str) -> None:
    hidden = re.sub(r"(?<=\w)(?=\w)", "\u00ad", text)
    assert Doc(hidden).keys == Doc(text).keys


@pytest.mark.parametrize("between", [" ", "\u00a0", "-", "‑", " & ", "/", "’", ".", "_", "\n", "", " - "])
def test_a_phrase_reaches_over_blanks_and_one_joining_sign(between: str) -> None:
    assert is_gap(between)


@pytest.mark.parametrize("between", [". ", ", ", "\n\n", "; ", " (", ": ", "--", ".\n", "…"])
def test_a_phrase_ends_at_punctuation_and_paragraphs(between: str) -> None:
    assert not is_gap(between)


def test_a_dictionary_replaces_the_guessed_endings() -> None:
    known = {"Turnier": frozenset({"Turniere", "Turnieren"})}
    assert set(forms_of("Turnier", known)) == {"turnier", "turniers", "turniere", "turnieren"}
    assert "turnierer" in forms_of("Turnier", {})


def test_names_take_only_an_s_and_short_ones_as_they_are_written() -> None:
    assert forms_of("OpenAI", {}) == {"openai": "", "openais": "A"}
    assert forms_of("IT", {}) == {"it": "", "its": "IT"}
