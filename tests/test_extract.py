"""A page gives its main content: the article's own words, its lead among them, in bounded time."""

import html as entities
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boltwatch.articles.extract import extract
from boltwatch.articles.strip import text_of
from boltwatch.model import Block

TITLE = "Prüfstand für leise Lüfter"
LEAD = "Seit Montag steht an der Elbe ein Prüfstand, der auch die leisesten Lüfter hört; Grok sortiert die Daten."
PARAGRAPHS = [
    "Die Anlage wurde aus alten Messgeräten gebaut, die das Institut auf dem Dachboden fand und reparieren ließ. " * 3,
    "„Wir hören jetzt Dinge, die vorher niemand gehört hat“, sagt die Leiterin und schaltet den ersten Lüfter ein. "
    * 3,
    "Im Herbst sollen Rechner folgen, danach die Klimageräte eines Hotels, das über Gäste mit feinem Gehör klagt. " * 3,
]
APPENDED = (
    "<ul><li>Die besten KI-News kostenlos per eMail erhalten!</li><li>IT BOLTWISE® kostenlos auf Patreon unterstützen!"
    "</li></ul><h3>Stellenangebote</h3><p>Lüfterbau-Ingenieur in Memphis</p><p>Es werden alle Kommentare moderiert!</p>"
)


def page(body: str = "", *, lead: str = "", head: str = "") -> str:
    paragraphs = "".join(f"<p>{entities.escape(text)}</p>" for text in PARAGRAPHS)
    return (
        f"<html lang='de'><head><title>{TITLE}</title>{head}</head><body><nav><a href='/'>Start</a></nav><article>"
        f"<h1>{TITLE}</h1>{lead}<div class='body'>{paragraphs}{body}</div></article>"
        "<footer>Impressum</footer></body></html>"
    )


def kept(html: str) -> list[Block]:
    return [block for block in extract(html, url="https://news.example/a.html") if block.kept]


def test_a_page_gives_its_main_content_without_the_appended_section() -> None:
    text = text_of(extract(page(APPENDED), url="https://news.example/a.html"))
    assert all(paragraph.strip() in text for paragraph in PARAGRAPHS)
    assert not any(word in text for word in ("Stellenangebote", "Patreon", "Memphis", "Impressum", "moderiert"))


def test_patterns_of_feed_content_hold_for_pages_too() -> None:
    blocks = extract(page("<p>Lesen Sie auch: Wie Grok die Börse sieht</p>"), url=None)
    assert [block.reason for block in blocks if "Börse" in block.text] == ["pattern: related"]


@pytest.mark.parametrize(
    ("lead", "head"),
    [
        (f"<div class='article-lead'>{LEAD}</div>", ""),
        (f"<div class='x9'>{LEAD}</div>", f"<meta name='description' content='{LEAD}'>"),
        (f"<p>{LEAD}</p>", ""),
    ],
)
def test_the_lead_stands_in_front_and_once(lead: str, head: str) -> None:
    text = text_of(kept(page(lead=lead, head=head)))
    assert text.count(LEAD) == 1
    assert text.index(LEAD) < text.index(PARAGRAPHS[0].strip())


def test_a_description_that_no_reader_sees_is_not_added() -> None:
    assert LEAD not in text_of(kept(page(head=f"<meta name='description' content='{LEAD}'>")))


def test_kinds_are_told_apart() -> None:
    html = page(
        "<h2>Was folgt</h2><ul><li>Ein Lüfter mit acht Flügeln</li><li>Ein Lüfter ohne Flügel</li></ul>"
        + "<p>Ende.</p>"
    )
    kinds = {block.text: block.kind for block in kept(html)}
    assert (kinds["Was folgt"], kinds["Ein Lüfter ohne Flügel"], kinds[PARAGRAPHS[0].strip()]) == ("h", "li", "p")


def test_a_page_without_content_gives_nothing() -> None:
    assert extract("<html><body></body></html>", url=None) == ()
    assert extract("", url=None) == ()
    assert extract("<!-- -->", url=None) == ()


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x",
        "<div>" * 790 + "<p>x</p>",
        "<a>" * 1_000_000 + "x",
        "<a>" * 700 + "<p>x" * 20_000,
        "<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">x</p>",
        "<!" * 200_000 + "<",
        "\0\ud800<p>x",
    ],
    ids=["nested", "deep", "unclosed", "paragraphs", "attributes", "declarations", "controls"],
)
def test_a_hostile_page_ends_in_bounded_time(html: str) -> None:
    started = time.process_time()
    extract(html, url=None)
    assert time.process_time() - started < 5  # a guard against minutes, not a measurement


@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<article>", "<div class='lead'>", "a b. ", "&#0;", "<", "\0", "ö"]),
        max_size=30,
    )
)
@settings(max_examples=40, deadline=None)
def test_no_page_raises(parts: list[str]) -> None:
    text_of(extract("".join(parts), url=None)).encode()
