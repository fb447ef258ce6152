"""An alert in words: what every channel says, to every reader, about any article a stranger may have written."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.alerts.compose import PAYLOAD_LIMIT, SUBJECT_LIMIT, compose
from boltwatch.alerts.excerpt import EXCERPT_LIMIT, MOST_EXCERPTS, excerpts, hit_words, link, one_line
from boltwatch.model import Alert, Article, Span

CREATED_AT = datetime(2026, 11, 24, 8, 0, 30, tzinfo=UTC)
TEXT = (
    "Die Firma xAI baut in Memphis weiter.\n\nDas teilte Dr. Anna Berg am 20. November mit. Das Modell Grok soll im "
    "Januar folgen. Im Ort ist man z. B. über den Strombedarf besorgt. Auch xAI kennt die Sorge."
)


def spans(text: str, *words: str, field: str = "text") -> tuple[Span, ...]:
    found = []
    for word in words:
        at = text.find(word)
        while at >= 0:
            found.append(Span(field, at, at + len(word)))
            at = text.find(word, at + 1)
    return tuple(found)


def article(**changes: object) -> Article:
    values: dict[str, object] = {
        "key": "a1",
        "digest": "d1",
        "url": "https://news.example/xai?a=1&b=2",
        "title": "xAI baut in Memphis",
        "lead": "Die Firma xAI baut in Memphis weiter.",
        "text": TEXT,
        "author": "Anna Berg",
        "published_at": datetime(2026, 11, 24, 7, 15, tzinfo=UTC),
        "tags": ("KI", "USA"),
        "language": "de",
    }
    return Article(**(values | changes))  # type: ignore[arg-type]


def alert(of: Article | None = None, hits: tuple[Span, ...] | None = None, **changes: object) -> Alert:
    of = of or article()
    if hits is None:
        hits = spans(of.title, "xAI", "Grok", field="title") + spans(of.text, "xAI", "Grok")
    values: dict[str, object] = {
        "id": 7,
        "rule": "xai",
        "expression": "xAI OR Grok",
        "article_id": 41,
        "article": of,
        "spans": hits,
        "feed_title": "Nachrichten",
        "feed_url": "https://news.example/feed",
        "created_at": CREATED_AT,
        "story_id": 5,
    }
    return Alert(**(values | changes))  # type: ignore[arg-type]


class Page(HTMLParser):
    """What a mail program would see: tags, attributes and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.marked: list[str] = []
        self.words = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open += [tag] if tag not in ("meta", "br") else []
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "every element is closed in order"

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.open and self.open[-1] == "mark":
            self.marked.append(data)


def test_the_text_says_what_where_when_and_why() -> None:
    assert compose(alert(), key="k").text == (
        "*xAI* baut in Memphis\n"
        "Nachrichten, published 2026-11-24 07:15 UTC, found 2026-11-24 08:00 UTC\n\n"
        "> Die Firma *xAI* baut in Memphis weiter.\n\n"
        "> Das Modell *Grok* soll im Januar folgen.\n\n"
        "> Auch *xAI* kennt die Sorge.\n\n"
        "https://news.example/xai?a=1&b=2\n\n"
        "Why: rule xai = xAI OR Grok; in the title: “xAI”; in the text: “xAI”, “Grok”\n"
    )


def test_the_page_marks_exactly_the_spans_and_links_to_the_article() -> None:
    page = Page(compose(alert(), key="k").html)
    assert page.marked == ["xAI", "xAI", "Grok", "xAI"]
    assert {value for name, value in page.attributes if name == "href"} == {"https://news.example/xai?a=1&b=2"}
    assert "Why: rule xai = xAI OR Grok" in page.words
    assert page.open == []


def test_the_page_is_readable_in_the_dark_and_on_a_phone_and_loads_nothing() -> None:
    source = compose(alert(), key="k").html
    assert '<meta name="color-scheme" content="light dark">' in source
    assert "@media (prefers-color-scheme: dark)" in source
    assert 'name="viewport" content="width=device-width' in source
    assert not {"img", "script", "link", "iframe", "form", "object"} & set(Page(source).tags)
    assert "url(" not in source


def test_the_lead_is_said_once() -> None:
    told = compose(alert(article(lead="Ein anderer Anfang."), None), key="k")
    assert "\nEin anderer Anfang.\n" in told.text and "Ein anderer Anfang." in told.html
    assert compose(alert(), key="k").text.count("baut in Memphis weiter") == 1


def test_an_alert_without_spans_shows_the_lead() -> None:
    told = compose(alert(hits=()), key="k")
    assert "Die Firma xAI baut in Memphis weiter." in told.text
    assert told.text.endswith("Why: rule xai = xAI OR Grok\n")
    assert "<mark" not in told.html


@pytest.mark.parametrize(
    ("changes", "rest", "subject"),
    [
        ({}, {}, "[xai] xAI baut in Memphis (Nachrichten)"),
        (
            {"title": "Zwei\r\nBcc: eve@example.org\tZeilen\x00"},
            {},
            "[xai] Zwei Bcc: eve@example.org Zeilen (Nachrichten)",
        ),
        ({"title": "\u202eumgedreht\u2066"}, {}, "[xai] umgedreht (Nachrichten)"),
        ({"title": "  "}, {}, "[xai] https://news.example/xai?a=1&b=2 (Nachrichten)"),
        ({"title": "", "url": None}, {"feed_title": ""}, "[xai] (no title)"),
        ({}, {"rule": "r\nx", "feed_title": "A\rB"}, "[r x] xAI baut in Memphis (A B)"),
    ],
)
def test_the_subject_is_one_harmless_line(changes: dict[str, object], rest: dict[str, object], subject: str) -> None:
    assert compose(alert(article(**changes), None, **rest), key="k").subject == subject


def test_a_title_of_ten_thousand_characters_leaves_room_for_rule_and_feed() -> None:
    subject = compose(alert(article(title="Wort " * 2_000)), key="k").subject
    assert len(subject) <= SUBJECT_LIMIT
    assert subject.startswith("[xai] Wort Wort ") and subject.endswith("… (Nachrichten)")


@pytest.mark.parametrize(
    ("url", "clickable"),
    [
        ("https://news.example/a", "https://news.example/a"),
        ("http://[::1]/a", "http://[::1]/a"),
        (" https://news.example/a b\n", "https://news.example/a%20b"),
        ("javascript:alert(1)", None),
        ("JavaScript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("https:///nowhere", None),
        ("http://[broken", None),
        ("//news.example/a", None),
        ("https://news.example/" + "a" * 2_000, None),
        (None, None),
    ],
)
def test_only_a_web_address_can_be_clicked(url: str | None, clickable: str | None) -> None:
    assert link(url) == clickable
    hrefs = {value for name, value in Page(compose(alert(article(url=url)), key="k").html).attributes if name == "href"}
    assert hrefs == ({clickable} if clickable else set())


def test_strangers_markup_is_shown_and_never_obeyed() -> None:
    nasty = '<script>x</script><img src=x onerror=y>" onclick="z\' & Grok'
    url, language = "https://a.example/\"onclick='x", 'de" onload="x'
    of = article(title=nasty, text=nasty, lead=nasty, url=url, language=language)
    told = compose(alert(of, rule=nasty, expression=nasty, feed_title=nasty), key="k")
    page = Page(told.html)
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.words.count("<script>x</script>") >= 4


@pytest.mark.parametrize(
    ("text", "word", "shown"),
    [
        ("Erst das. Dann kam Grok dran. Dann nichts.", "Grok", ["Dann kam Grok dran."]),
        ("Das sagt Prof. Grok vom Institut. Aus.", "Grok", ["Das sagt Prof. Grok vom Institut."]),
        ("Am 3. Mai kam Grok. Aus.", "Grok", ["Am 3. Mai kam Grok."]),
        ("Er rief: „Grok!“ Alle lachten.", "Grok", ["Er rief: „Grok!“"]),
        ("Kopf\n\nGrok kam\n\nFuss", "Grok", ["Grok kam"]),
        ("これはGrokです。次の文。", "Grok", ["これはGrokです。"]),
        ("Grok", "Grok", ["Grok"]),
    ],
)
def test_an_excerpt_is_the_sentence_of_the_word(text: str, word: str, shown: list[str]) -> None:
    assert [quote.text for quote in excerpts(article(text=text), spans(text, word))] == shown


def test_a_sentence_with_a_new_word_goes_before_one_that_repeats() -> None:
    text = "Grok eins. Grok zwei. Grok drei. Grok vier. Dann kam xAI dazu."
    shown = [quote.text for quote in excerpts(article(text=text), spans(text, "Grok", "xAI"))]
    assert shown == ["Grok eins.", "Grok zwei.", "Dann kam xAI dazu."]


def test_of_an_endless_sentence_only_the_surroundings_are_shown() -> None:
    text = "wort " * 500 + "Grok" + " wort" * 500
    (quote,) = excerpts(article(text=text), spans(text, "Grok"))
    assert len(quote.text) <= EXCERPT_LIMIT
    assert quote.text.startswith("…wort ") and quote.text.endswith(" wort…")
    assert [quote.text[start:end] for start, end in quote.marks] == ["Grok"]


def test_overlapping_spans_are_marked_once() -> None:
    hits = (Span("text", 0, 10), Span("text", 4, 13), Span("text", 4, 13))
    (quote,) = excerpts(article(text="Die Firma xAI"), hits)
    assert quote.marks == ((0, 13),)


def test_each_word_is_named_once_whatever_its_case() -> None:
    text = "grok GROK Grok xAI"
    hits = spans("Grok", "Grok", field="title") + spans(text, "grok", "GROK", "xAI")
    assert hit_words(article(title="Grok", text=text), hits) == (
        ("title", "Grok"),
        ("text", "grok"),
        ("text", "xAI"),
    )  # fmt: skip


def test_the_payload_holds_the_whole_story() -> None:
    body = json.loads(compose(alert(), key="k").payload)
    assert (body["type"], body["timestamp"]) == ("alert.created", "2026-11-24T08:00:30Z")
    data = body["data"]
    assert (data["version"], data["alert_id"], data["story_id"]) == (1, 7, 5)
    assert data["rule"] == {"name": "xai", "expression": "xAI OR Grok"}
    assert data["feed"] == {"title": "Nachrichten", "url": "https://news.example/feed"}
    assert data["article"] == {
        "id": 41, "url": "https://news.example/xai?a=1&b=2", "title": "xAI baut in Memphis",
        "lead": "Die Firma xAI baut in Memphis weiter.", "text": TEXT, "author": "Anna Berg", "language": "de",
        "tags": ["KI", "USA"], "published_at": "2026-11-24T07:15:00Z", "updated_at": None,
    }  # fmt: skip
    assert data["words"] == [{"field": f, "word": w} for f, w in (("title", "xAI"), ("text", "xAI"), ("text", "Grok"))]
    marked = [[quote["text"][s:e] for s, e in quote["marks"]] for quote in data["excerpts"]]
    assert marked == [["xAI"], ["xAI"], ["Grok"], ["xAI"]]


@pytest.mark.parametrize("letter", ["a", "ü", "🦊", '"', "\\", "\n", "\x1f", "\ud800", "漢"])
def test_the_payload_of_the_worst_article_stays_under_its_limit(letter: str) -> None:
    long = letter * 12_000
    every = tuple(Span(field, at, at + 1) for field in ("title", "text") for at in range(0, 12_000, 2))
    worst = article(
        title=long, lead=long, text=long, author=long, tags=(long,) * 99, url="https://a.example/" + "ü" * 990
    )
    told = compose(alert(worst, every, rule=long, expression=long, feed_title=long), key="k")
    assert len(told.payload.encode()) < PAYLOAD_LIMIT
    assert json.loads(told.payload)["data"]["version"] == 1
    assert len(told.html.encode()) < 60_000 and len(told.text.encode()) < 20_000


def test_equal_alerts_make_equal_messages() -> None:
    assert compose(alert(), key="k") == compose(alert(), key="k")


words = st.text(st.sampled_from("aB ü.\n\r\t!<&\"'\x00\u202e\u2028\ud800🦊文。-1"), max_size=60) | st.text(max_size=60)
any_spans = st.lists(
    st.builds(Span, st.sampled_from(["title", "text", "lead"]), st.integers(-9, 90), st.integers(-9, 90)), max_size=8
).map(tuple)


@given(words, words, any_spans, words, words)
def test_no_article_and_no_span_breaks_a_message(
    title: str, text: str, hits: tuple[Span, ...], rule: str, url: str
) -> None:
    """Whatever comes: one clean subject line, well-formed HTML, valid JSON, all of it encodable."""
    told = compose(
        alert(article(title=title, text=text, lead=text, url=url), hits, rule=rule, feed_title=rule), key="k"
    )
    assert told.subject.isprintable() or one_line(told.subject, 999) == told.subject
    assert "\n" not in told.subject and "\r" not in told.subject
    assert Page(told.html).open == []
    assert json.loads(told.payload)["data"]["rule"]["name"] == one_line(rule, 100)
    for part in (told.subject, told.text, told.html, told.payload):
        part.encode()
        assert "\u202e" not in part and "\x00" not in part


@given(words.filter(str.strip), st.data())
def test_every_mark_shows_the_characters_of_a_span(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = excerpts(article(text=text), (Span("text", start, end),))
    assert len(found) == 1 <= MOST_EXCERPTS
    ((begin, finish),) = found[0].marks
    assert len(found[0].text) <= EXCERPT_LIMIT
    shown = found[0].text[begin:finish]
    assert all(a == b or a == " " for a, b in zip(shown, text[start:end], strict=True))
