"""Cleaning: only the article's own words, and each of them."""

import html as entities
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boltwatch.articles.strip import blocks_of, clean, text_of
from boltwatch.model import Entry

PARAGRAPHS = [
    "DRESDEN (IT BOLTWISE) – Ein Prüfstand an der Elbe misst seit Montag, wie leise Lüfter wirklich sind.",
    "Die Anlage wurde aus alten Messgeräten gebaut; Grok half beim Sortieren der Daten.",
    "„Wir hören jetzt Dinge, die vorher niemand gehört hat“, sagt die Leiterin.",
]
TITLE = "Prüfstand für leise Lüfter"
APPENDED = [
    "<ul><li><a href='/b'>Die besten Bücher rund um KI & Robotik!</a></li>"
    "<li>Die besten KI-News kostenlos per eMail erhalten!</li>"
    "<li>Zur Startseite von IT BOLTWISE® für aktuelle KI-News!</li>"
    "<li>IT BOLTWISE® kostenlos auf Patreon unterstützen!</li>"
    "<li>Aktuelle KI-Jobs auf StepStone finden und bewerben!</li></ul>",
    "<h3>Stellenangebote</h3><p>Lüfterbau-Ingenieur bei xAI (m/w/d) in Memphis</p>",
    "<ul><li>Leise Maschinen: ein Ratgeber | Der Bestsellerautor über Grok</li></ul>",
    f'<h4>Du hast einen wertvollen Beitrag oder Kommentar zum Artikel "{TITLE}" für unsere Leser?</h4>'
    "<p>Es werden alle Kommentare moderiert!</p>"
    "<p>Für eine offene Diskussion behalten wir uns vor, jeden Kommentar zu löschen, der am Thema vorbeigeht.</p>"
    "<p>Wir möchten, dass respektvoll miteinander kommuniziert wird, wie am runden Tisch.</p>",
    "<p>Du willst nichts verpassen?</p>"
    f'<p>Du möchtest über ähnliche News und Beiträge wie "{TITLE}" informiert werden? Dann abonniere den Feed.</p>',
    f"<p>Nutze die Google-Suchmaschine für eine weitere Themenrecherche: »{TITLE}« bei Google Deutschland suchen!</p>",
]
ARTICLE = "".join(f"<p>{entities.escape(text)}</p>" for text in PARAGRAPHS)


def kept(html: str) -> list[str]:
    return [block.text for block in blocks_of(html) if block.kept]


@pytest.mark.parametrize("left_out", [None, *range(len(APPENDED))])
def test_the_appended_section_goes_whichever_parts_it_has_and_every_word_of_the_article_stays(
    left_out: int | None,
) -> None:
    section = "".join(part for at, part in enumerate(APPENDED) if at != left_out)
    if left_out == 0:  # a job ad under its heading is the first sign then
        assert kept(ARTICLE + section)[: len(PARAGRAPHS)] == PARAGRAPHS
    assert kept(ARTICLE + section) == PARAGRAPHS
    lines = "<br />".join(PARAGRAPHS) + "<br />" + section.replace("<p>", "").replace("</p>", "<br>")
    assert " ".join(kept(lines)).split() == " ".join(PARAGRAPHS).split()


def test_each_stripped_block_says_why() -> None:
    stripped = [block for block in blocks_of(ARTICLE + "".join(APPENDED)) if not block.kept]
    assert len(stripped) > 10
    assert {block.reason for block in stripped} == {"site rule it-boltwise.de: appended section"}


def only(number: int) -> str:
    return [
        "<li>Die besten KI-News kostenlos per eMail erhalten!</li>",
        "<h3>Stellenangebote</h3><p>Lüfterbau-Ingenieur bei xAI (m/w/d) in Memphis</p>",
        "<ul><li>Leise Maschinen: ein Ratgeber | Der Bestsellerautor über Grok</li></ul>",
        "<p>Du willst nichts verpassen?</p>",
        "<p>Es werden alle Kommentare moderiert!</p>",
    ][number]


@pytest.mark.parametrize("number", range(5))
def test_one_sign_is_enough_on_the_sites_own_articles(number: int) -> None:
    assert kept(ARTICLE + only(number)) == PARAGRAPHS
    undated = ARTICLE.replace(" (IT BOLTWISE)", "")
    found = blocks_of(undated + only(number), url="https://www.it-boltwise.de/a.html")
    assert [block.text for block in found if block.kept] == [text.replace(" (IT BOLTWISE)", "") for text in PARAGRAPHS]


def test_a_subheading_that_reads_like_a_weak_sign_stays_with_the_prose_under_it() -> None:
    prose = "In Dresden wurden im Mai doppelt so viele Stellen ausgeschrieben wie im Jahr zuvor. " * 3
    html = f"{ARTICLE}<h3>Stellenangebote</h3><p>{prose}</p>"
    assert kept(html) == [*PARAGRAPHS, "Stellenangebote", prose.strip()]
    assert kept(html + "".join(APPENDED)) == [*PARAGRAPHS, "Stellenangebote", prose.strip()]


@pytest.mark.parametrize(
    "sentence",
    [
        "LinkedIn zeigt mehr Stellenangebote als je zuvor.",
        "Stellenangebote: Plattform wächst um ein Drittel",
        "Newsletter abonnieren immer mehr Leser, sagt der Verband.",
        "Sign up for the newsletter was the only sentence on the page, and it worked.",
        "Patreon erhöht seine Gebühren.",
        "Support for Patreon creators ended in June.",
        "Weiterlesen bildet: eine Studie aus Jena",
        "X",
        "Facebook",
        "Mehr zum Thema Lüfter steht im Handbuch der Behörde.",
        "Cookies sind kleine Dateien, und diese Seite der Technik kennt kaum jemand.",
        "Comment is free, but facts are sacred.",
        "Kommentare unter Artikeln prüft künftig Grok.",
        "Related: the word comes from Latin. " * 12 + "So it is old.",
        "Stellenangebote für Lüfterbauer haben sich seit Mai verdoppelt.",
        "Der Newsletter abonnieren-Knopf war zu groß, meint der Betreiber des Dienstes.",
        "Du willst nichts verpassen? So warb das Blatt 1998 um Leser, und es wirkte.",
        "Auf Patreon unterstützen ihn inzwischen tausend Leute, darunter der Bürgermeister.",
        "Es werden alle Kommentare moderiert, sagte die Sprecherin am Dienstag dem Sender.",
        "Read more books than you buy was her advice to the students of 2019.",
        "The post office first appeared on maps of the valley in 1871.",
        "Anzeige erstattete der Händler am Freitag bei der Wache in Plauen.",
        "Facebook und Twitter teilen sich künftig ein Rechenzentrum in Lulea.",
        "Comments on the draft are due by Friday.",
        "Related questions were left open by the court.",
        "Werbung wird auf den Plätzen der Stadt ab Juli verboten.",
    ],
)
def test_a_sentence_that_speaks_of_such_things_stays(sentence: str) -> None:
    assert kept(f"<p>Vorweg.</p><p>{entities.escape(sentence)}</p>") == ["Vorweg.", sentence]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("The post Quiet fans appeared first on Fan News.", "feed footer"),
        ("Der Beitrag Leise Lüfter erschien zuerst auf Lüfterblatt.", "feed footer"),
        ("Weiterlesen →", "read on"),
        ("Continue reading Quiet fans", "read on"),
        ("Teilen: Facebook | X | LinkedIn", "share row"),
        ("Jetzt unseren Newsletter abonnieren!", "newsletter prompt"),
        ("Sign up for our free weekly newsletter", "newsletter prompt"),
        ("Support us on Patreon", "support prompt"),
        ("Leave a comment", "comment rules"),
        ("Lesen Sie auch: Wie Grok die Börse sieht", "related"),
        ("Empfohlener externer Inhalt", "consent notice"),
        ("Anzeige", "advertisement"),
        ("- Anzeige -", "advertisement"),
        ("Hier unseren kostenlosen Newsletter abonnieren!", "newsletter prompt"),
        ("Melden Sie sich jetzt für unseren wöchentlichen Newsletter an.", "newsletter prompt"),
        ("Get our best stories delivered straight to your inbox.", "newsletter prompt"),
        ("Unterstütze uns auf Steady!", "support prompt"),
        ("Share on Facebook", "share row"),
        ("12 Kommentare", "comment rules"),
        ("Schreiben Sie einen Kommentar", "comment rules"),
        ("Stellenangebote", "job offers"),
        ("Wir verwenden Cookies, um die Nutzung zu messen.", "consent notice"),
        ("Dieser Artikel ist exklusiv für Plus Abonnenten", "paywall notice"),
        ("Listen to this article", "page control"),
    ],
)
def test_usual_boilerplate_goes_with_its_name(block: str, reason: str) -> None:
    (first, second) = blocks_of(f"<p>Ein Satz.</p><p>{entities.escape(block)}</p>")
    assert first.kept
    assert second.reason == f"pattern: {reason}"


def test_a_footer_is_known_by_the_articles_own_title() -> None:
    html = "<p>Es ist leise.</p><p>The post Leise first appeared on Fan News.</p>"
    assert [block.kept for block in blocks_of(html, title="Leise")] == [True, False]


def test_the_list_under_a_related_heading_goes_with_it_and_the_text_after_stays() -> None:
    html = "<p>A.</p><h3>Mehr zum Thema</h3><ul><li>xAI baut aus</li><li>Grok lernt</li></ul><p>B.</p>"
    assert kept(html) == ["A.", "B."]


@pytest.mark.parametrize(
    ("html", "texts"),
    [
        ("<p><b>x</b>AI wächst</p>", ["xAI wächst"]),
        ("<div>a<div>b</div>c</div>", ["a", "b", "c"]),
        ("<ul><li>one</li><li><p>two</p></li></ul>", ["one", "two"]),
        ("<table><tr><td>a</td><td>b<br>c</td></tr><tr><td></td><td>d</td></tr></table>", ["a | b c", "d"]),
        ("<p>Sie sagt&#8230;<br/>ja</p><p>&#132;Gut&#147; &#150; sie</p>", ["Sie sagt…\nja", "„Gut“ – sie"]),
        ("<p>a</p>b<h2>c</h2>d", ["a", "b", "c", "d"]),
        ("<p style='display: none'>a</p><p hidden>b</p><p>c</p>", ["c"]),
        ("<img src='data:image/png;base64," + "A" * 50_000 + "'><p>a <b>b</b></p>", ["a b"]),
        ("x <- y and z\n\nb", ["x <- y and z", "b"]),
        ("Ein Absatz steht in &lt;p&gt;.", ["Ein Absatz steht in <p>."]),
        ("<p>a<br>b</p>", ["a\nb"]),
        ("<p>a<br><br>b</p>", ["a", "b"]),
        ("<p>AT&amp;T &lt;3 R&#38;D</p>", ["AT&T <3 R&D"]),
        ("<p>a\n  b\tc&nbsp;d</p>", ["a b c d"]),
        ("<script>xAI()</script><style>p{}</style><p>a</p><noscript>b</noscript><iframe>c</iframe>", ["a"]),
        ("<p>a</p><!-- b --><img src='pixel.gif' width=1 height=1 alt='c'>", ["a"]),
        ("plain\n\ntext", ["plain", "text"]),
        ("&lt;p&gt;escaped &lt;b&gt;twice&lt;/b&gt;&lt;/p&gt;", ["escaped twice"]),
        ("<pre>a  b\n  c</pre>", ["a  b\n  c"]),
        ("a < b and b > c", ["a < b and b > c"]),
        ("<p>nul\0, bell\x07, &#x1b;[31m</p>", ["nul, bell, [31m"]),
        ("", []),
    ],
)
def test_blocks_are_what_a_reader_sees(html: str, texts: list[str]) -> None:
    assert kept(html) == texts


def test_elements_that_plugins_append_go_by_their_class() -> None:
    html = "<p>Ein Satz.</p><div class='sharedaddy sd-block'><h3>Weitersagen</h3><a>Netz</a></div><p>Noch einer.</p>"
    assert [(block.text, block.reason) for block in blocks_of(html)] == [
        ("Ein Satz.", ""),
        ("Weitersagen", "pattern: share row"),
        ("Netz", "pattern: share row"),
        ("Noch einer.", ""),
    ]


def test_kinds_are_told_apart() -> None:
    html = "<h2>h</h2><p>p</p><li>li</li><blockquote>q</blockquote><pre>c</pre><figcaption>f</figcaption>"
    assert [block.kind for block in blocks_of(html)] == ["h", "p", "li", "quote", "pre", "caption"]


def test_an_article_has_its_first_paragraph_as_lead_and_two_letters_of_language() -> None:
    entry = Entry("k", "d", "https://news.example/a", "T", "<h2>Kicker</h2><p>Erstens.</p><p>Zweitens.</p>")
    article = clean(entry, feed_language="de-DE")
    assert (article.lead, article.text, article.language) == ("Erstens.", "Kicker\n\nErstens.\n\nZweitens.", "de")


def test_deep_nesting_keeps_its_text() -> None:
    assert kept("<div>" * 300 + "deep" + "</div>" * 300) == ["deep"]


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x",
        "<a>" * 1_000_000 + "x",
        "<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">x</p>",
        ("<p " + " ".join(f"a{n}" for n in range(3_000)) + ">x</p>") * 50,
        "<!--" * 250_000,
        ("<!--" + "x" * 45) * 19_999,
        "<b><p>" * 9_900,
        "<table><tr><td>" * 6_000,
        ("<p>" + "share this x " * 30 + "!</p>") * 2_400,
        "&#" * 400_000,
        "<!" * 200_000 + "<",
        "&amp;a" * 200_000,
        "<" * 200_000,
        "x" * 3_000_000,
    ],
    ids=[
        "nested",
        "unclosed",
        "attributes",
        "many",
        "comments",
        "opened",
        "misnested",
        "tables",
        "shares",
        "references",
        "declarations",
        "entities",
        "angles",
        "long",
    ],
)
def test_hostile_markup_ends_in_bounded_time(html: str) -> None:
    started = time.process_time()
    clean(Entry("k", "d", None, "t", html))
    assert time.process_time() - started < 2  # a guard against minutes, not a measurement


rough = st.lists(
    st.one_of(
        st.sampled_from(
            ["<p>", "</p>", "<li>", "<br>", "<b>", "</b>", "<pre>", "<script>", "&lt;", "&#x41;", "<div ", "\n\n"]
        ),
        st.text(max_size=12),
    ),
    max_size=30,
).map("".join)


@given(rough)
@example("\ud800<p>\udfff")
def test_no_input_raises_and_order_is_kept(html: str) -> None:
    texts = [block.text for block in blocks_of(html)]
    assert all(text.strip() and not set(text) & set("\0\x07\x1b") for text in texts)
    text_of(blocks_of(html)).encode("utf-8")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1), min_size=1))
@settings(max_examples=60)
def test_cleaning_twice_is_cleaning_once(texts: list[str]) -> None:
    once = text_of(blocks_of("".join(f"<p>{entities.escape(text)}</p>" for text in texts)))
    twice = text_of(blocks_of("".join(f"<p>{entities.escape(text)}</p>" for text in once.split("\n\n") if once)))
    assert twice == once


@pytest.mark.parametrize(
    ("own", "feeds", "language"),
    [("de-AT", None, "de"), (None, "EN_us", "en"), ("klingon", "de", "de"), ("", None, None), ("d", "x1", None)],
)
def test_a_language_is_two_letters_or_none(own: str | None, feeds: str | None, language: str | None) -> None:
    assert clean(Entry("k", "d", None, "t", "", language=own), feed_language=feeds).language == language


def test_an_empty_entry_is_an_article_without_text() -> None:
    article = clean(Entry("k", "d", None, "t", ""))
    assert (article.title, article.lead, article.text, article.blocks) == ("t", "", "", ())


def test_the_lead_is_the_first_paragraph_with_a_sentence() -> None:
    html = "<p>Dresden</p><h2>Leise.</h2><p>Es ist leise.</p>"
    assert clean(Entry("k", "d", None, "t", html)).lead == "Es ist leise."
    assert clean(Entry("k", "d", None, "t", "Nur eine Zeile")).lead == "Nur eine Zeile"
