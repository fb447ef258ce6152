"""Reading markup: laws that hold for any input, and the quick way against the tree."""

import html as entities

from hypothesis import example, given, settings
from hypothesis import strategies as st

from boltwatch.articles import markup
from boltwatch.articles.strip import blocks_of, clean, text_of
from boltwatch.model import Entry

MARKUP_WORDS = [
    "<p>", "</p>", "<p class='sharedaddy x'>", "<li>", "</li>", "<ul>", "</ul>", "<br>", "<br/>", "</br>", "<b>",
    "</b>", "<i>", "</i>", "<a href='x'>", "</a>", "<div>", "</div>", "<div hidden>", "<pre>", "</pre>", "<script>",
    "</script>", "<style>", "</style>", "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<h2>", "</h2>",
    "<blockquote>", "</blockquote>", "<figure>", "<figcaption>", "</figure>", "<title>", "</title>", "<textarea>",
    "</textarea>", "<body>", "</body>", "<html>", "</html>", "<head>", "<template>", "</template>", "<iframe>",
    "</iframe>", "<noscript>", "</noscript>", "<select>", "<option>", "</select>", "<button>", "</button>",
    "<!-- c -->", "<!--", "-->", "<img alt='a>b'>", "<o:p>", "</o:p>", "<ruby>", "<rt>", "<center>", "<font>",
    "&nbsp;", "&lt;", "&amp;", "&#65;", "&#0;", "&x;", " ", "\n",
]  # fmt: skip
soups = st.lists(st.one_of(st.sampled_from(MARKUP_WORDS), st.text("ab<>&;\t 'ö\u2028\xad", max_size=6)), max_size=40)


@given(soups.map("".join))
@settings(max_examples=400)
@example("<table>a<tr>b<td>c<p>d</table>e")
@example("<b><p>a</b>c</p></body>d")
def test_the_quick_way_gives_what_a_beautifulsoup_tree_gives(html: str) -> None:
    if not markup.is_odd(html):
        assert list(markup.quick(html)) == list(markup.soup(html))


@given(soups.map(lambda parts: "".join(part for part in parts if "&" not in part and "<!--" not in part)))
def test_no_tag_of_the_markup_stands_in_the_text(html: str) -> None:
    text = text_of(blocks_of(f"<p>{html}"))
    assert not [tag for tag in MARKUP_WORDS if tag.startswith(("<p", "<b", "</", "<a")) and tag in text]


@given(st.lists(st.text("abc äß.,\xad", min_size=1).map(lambda t: " ".join(t.split())).filter(bool), min_size=1))
def test_plain_paragraphs_come_back_as_they_are(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    assert text_of(blocks_of(entities.escape(text))) == text


@given(soups.map("".join), st.text(max_size=8), st.text(max_size=20))
def test_cleaning_never_raises(html: str, title: str, url: str) -> None:
    article = clean(Entry("k", "d", url, title, html, language=title), feed_language=url)
    assert article.text == text_of(article.blocks)
    assert article.lead in article.text


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12), st.data())
def test_order_never_changes(words: list[str], data: st.DataObject) -> None:
    wraps = [
        data.draw(st.sampled_from(["<p>%s</p>", "<li>%s</li>", "%s<br>", "<b>%s</b> ", "<td>%s</td>"])) for _ in words
    ]
    html = "".join(wrap % word for wrap, word in zip(wraps, words, strict=True))
    assert [letter for letter in text_of(blocks_of(html)) if letter.isalpha()] == words
