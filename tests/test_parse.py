"""Bytes become entries, whatever the bytes are."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.errors import ParseError
from boltwatch.feeds.parse import assembled, judged, parse
from boltwatch.feeds.quick import quick
from tests.servers import Item, rss

URL = "https://news.example/feed"
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://a.example/">
<title>An Atom Feed</title><link href="/"/><id>urn:x</id><updated>2026-03-01T10:00:00Z</updated>
<entry><title type="html">AT&amp;amp;T &amp;lt;b&amp;gt;x&amp;lt;/b&amp;gt;</title><link href="one.html"/><id>urn:1</id>
<published>2026-03-01T09:00:00+01:00</published><updated>2026-03-01T10:00:00Z</updated><author><name>Ann</name></author>
<category term="fans"/><summary>Short.</summary>
<content type="html">&lt;p&gt;Long content here.&lt;/p&gt;</content></entry>
</feed>"""
RDF = b"""<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><title>An RDF Feed</title><link>https://r.example/</link></channel>
<item rdf:about="https://r.example/1"><title>First</title><link>https://r.example/1</link><description>d</description></item>
</rdf:RDF>"""


def titles(body: bytes) -> list[str]:
    return [entry.title for entry in parse(body, url=URL).entries]


def test_rss_in_wordpress_shape_gives_everything_an_article_needs() -> None:
    html = "<p>First paragraph of some length.</p><p>And a second one, longer than the teaser of eighty signs.</p>"
    item = Item("A <b>title</b> & more", html, guid="tag:1", date=datetime(2026, 3, 1, 9, tzinfo=UTC))
    parsed = parse(rss([item], title="News & Views"), url=URL, content_type="application/rss+xml")
    (entry,) = parsed.entries
    assert (parsed.title, parsed.site_url, parsed.language) == ("News & Views", "https://news.example/", "de-DE")
    assert (entry.key, entry.title, entry.html, entry.author) == ("tag:1", "A title & more", html, "A. Author")
    assert entry.published_at == datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_atom_resolves_addresses_and_prefers_the_content() -> None:
    (entry,) = parse(ATOM, url=URL).entries
    assert entry.url == "https://a.example/one.html"
    assert entry.html == "<p>Long content here.</p>"
    assert (entry.author, entry.tags, entry.title) == ("Ann", ("fans",), "AT&T <b>x</b>")
    assert entry.published_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_rdf_is_read() -> None:
    assert titles(RDF) == ["First"]


def test_json_feed_is_read() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "JSON",
        "home_page_url": "https://j.example/",
        "items": [
            {
                "id": 7,
                "url": "/seven",
                "title": "Seven",
                "content_text": "a < b",
                "tags": ["x"],
                "authors": [{"name": "Jo"}],
            },
            {"id": "8", "content_html": "<p>8</p>", "date_published": "2026-03-01T10:00:00+02:00"},
            "no item",
        ],
    }
    seven, eight = parse(json.dumps(feed).encode(), url="https://j.example/feed.json").entries
    assert (seven.key, seven.url, seven.html) == ("7", "https://j.example/seven", "a &lt; b")
    assert (seven.author, seven.tags) == ("Jo", ("x",))
    assert eight.published_at == datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the answer is empty"),
        (b" \r\n\t", "the answer is empty"),
        (b"<!DOCTYPE html><html><body><form>Login</form></body></html>", "web page"),
        (b"<html><title>Just a moment...</title></html>", "bot wall"),
        (b'{"error":"rate limited"}', "not a JSON Feed"),
        (b'{"error":', "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "not a feed"),
        (b"<?xml version='1.0'?><opml/>", "not a feed"),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse(body, url=URL)


def test_a_feed_without_entries_is_a_feed() -> None:
    assert titles(rss([])) == []


@pytest.mark.parametrize(
    "before", [b"\xef\xbb\xbf", b"\n\n", b"<br />\n<b>Warning</b>: mysql_connect() in <b>x.php</b>\n"]
)
def test_what_stands_before_the_declaration_does_not_matter(before: bytes) -> None:
    assert titles(before + rss([Item("One")])) == ["One"]


def test_a_feed_cut_in_the_middle_keeps_its_complete_entries() -> None:
    body = rss([Item("One"), Item("Two"), Item("Three")])
    assert titles(body[: body.index(b"Three")])[:2] == ["One", "Two"]


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("Mon, 01 Jan 0001 00:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("yesterday", None),
        ("Fri, 30 Feb 2024 25:61:61 GMT", None),
        ("9" * 40, None),
        ("2016-12-31T23:59:60Z", 2017),
        ("Tue, 14 Nov 2023 22:13:20 GMT", 2023),
    ],
)
def test_nonsense_dates_are_no_dates_and_the_entry_stays(date: str, year: int | None) -> None:
    (entry,) = parse(rss([Item("One", date=date)]), url=URL).entries
    assert (entry.published_at and entry.published_at.year) == year


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", " javascript:x", "http://["]
)
def test_only_http_addresses_survive(link: str) -> None:
    (entry,) = parse(rss([Item("One", link=link)]), url=URL).entries
    assert entry.url is None


def test_titles_are_one_harmless_line() -> None:
    nasty = "a\r\nBcc: x@y.example \u202eright\u202c &#27;[31m " + "long " * 400
    (entry,) = parse(rss([Item(nasty)]), url=URL).entries
    assert "\n" not in entry.title
    assert not set(entry.title) & set("\x1b\u202e\r")
    assert len(entry.title) <= 500


def test_identity_is_guid_else_link_else_content_and_never_long() -> None:
    bare = b"<rss version='2.0'><channel><item><description>only words</description></item></channel></rss>"
    (entry,) = parse(bare, url=URL).entries
    assert entry.key.startswith("sha256:")
    assert parse(bare, url=URL).entries == (entry,)
    (huge,) = parse(rss([Item("One", guid="g" * 1_000_000)]), url=URL).entries
    assert len(huge.key) < 100


def test_one_guid_for_several_entries_neither_loses_nor_repeats() -> None:
    same = [Item(f"Title {n}", guid="same") for n in range(5)]
    keys = [entry.key for entry in parse(rss([*same, same[0]]), url=URL).entries]
    assert len(keys) == len(set(keys)) == 5
    assert [entry.key for entry in parse(rss(same), url=URL).entries] == keys


def test_an_edit_changes_the_digest_and_a_tracking_pixel_does_not() -> None:
    def digest(html: str) -> str:
        return parse(rss([Item("One", html, guid="1")]), url=URL).entries[0].digest

    assert digest("<p>a</p>") != digest("<p>b</p>")
    assert digest("<p>a</p><img src='t?1' width='1' height='1'>") == digest(
        "<p>a</p><img src='t?2' width='1' height='1'>"
    )


def test_what_the_feed_asks_of_its_pollers_is_read() -> None:
    channel = (
        "<ttl>90</ttl><skipHours><hour>3</hour><hour>24</hour></skipHours><skipDays><day>Sunday</day></skipDays>"
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>12</sy:updateFrequency>"
    )
    freshness = parse(rss([], channel=channel), url=URL).freshness
    assert freshness.ttl == timedelta(hours=2)
    assert (freshness.skip_hours, freshness.skip_days) == (frozenset({0, 3}), frozenset({6}))


@pytest.mark.parametrize("charset", ["klingon", "zlib_codec", "rot13", "idna", "utf-7"])
def test_lying_charsets_raise_nothing_else(charset: str) -> None:
    body = rss([Item("Größe")]).replace(b"UTF-8", charset.encode())
    try:
        parse(body, url=URL, content_type=f"text/xml; charset={charset}")
    except ParseError as error:
        assert URL in str(error)  # noqa: PT017 (either end is right)


@pytest.mark.parametrize(
    "body", [rss([Item("Größe")]).decode().replace("UTF-8", "utf-16").encode("utf-16"), rss([Item("Gr\xf6\xdfe")])]
)
def test_encodings_that_are_right_are_read(body: bytes) -> None:
    assert titles(body) == ["Größe"]


def test_entities_are_not_expanded_without_bounds_and_never_from_outside() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    item = '<rss version="2.0"><channel><item><title>t&{};</title></item></channel></rss>'
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "ha">{laughs}]>{item.format("l9")}'
    outside = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>{item.format("x")}'
    secret = Path("/etc/hostname").read_text(encoding="utf-8").strip() or "a host without a name"
    started = time.process_time()
    for document in (bomb, outside):
        try:
            for entry in parse(document.encode(), url=URL).entries:
                assert len(entry.title) <= 500
                assert secret not in entry.title
        except ParseError:
            continue
    assert time.process_time() - started < 5


SAMPLES = [
    rss([Item("One", "<p>a</p>"), Item("Zwei ü", "<p>b</p>")]),
    ATOM,
    RDF,
    b'{"items":[{"id":1,"title":"x"}],"version":"1"}',
]


@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0, 900), st.binary(max_size=6)), max_size=5))
def test_no_bytes_raise_anything_but_a_parse_error(sample: bytes, edits: list[tuple[int, bytes]]) -> None:
    body = bytearray(sample)
    for at, what in edits:
        body[at : at + len(what)] = what
    try:
        parsed = parse(bytes(body), url=URL)
    except ParseError:
        return
    keys = [entry.key for entry in parsed.entries]
    assert len(keys) == len(set(keys))
    for entry in parsed.entries:
        (entry.title + entry.html + entry.key).encode("utf-8")


def test_a_lone_surrogate_is_left_out() -> None:
    for reference in (b"&#xD800;", b"&#57343;"):
        assert titles(rss([Item("Wort")]).replace(b"Wort", b"Wo" + reference + b"rt")) == ["Wort"]


@pytest.mark.parametrize("pad", ["", " "])
@pytest.mark.parametrize("content_type", ["", "text/xml; charset=utf-16"])
def test_a_wide_encoding_declared_in_narrow_letters_is_a_lie(pad: str, content_type: str) -> None:
    """Seen in the wild: with an even number of bytes the document even decodes as UTF-16, to nothing."""
    body = rss([Item("Größe")], channel=pad).replace(b'encoding="UTF-8"', b'encoding="utf-16"')
    parsed = parse(body, url=URL, content_type=content_type)
    assert [entry.title for entry in parsed.entries] == ["Größe"]


ordinary = st.lists(
    st.builds(
        Item,
        title=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=30),
        html=st.sampled_from(["<p>a</p>", "<p>AT&amp;T &lt; b</p><img src='/x.png'>", "", "plain", "<p>ü 漢</p>"]),
        guid=st.sampled_from(["", "tag:1", "https://n.example/?p=2", "urn:x:3"]),
        date=st.sampled_from([None, "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 +0200", "soon", "9"]),
    ),
    max_size=4,
)


@given(
    ordinary, st.sampled_from(["", "<ttl>60</ttl>", "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' href='x'/>"])
)
def test_the_quick_way_gives_what_feedparser_gives_or_nothing(items: list[Item], channel: str) -> None:
    body = rss(items, channel=channel)
    found = quick(body, "", URL)
    if found is not None:
        assert assembled(found, body, URL) == assembled(judged(body, URL, ""), body, URL)


XHTML = b"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" xml:lang="en_GB">
<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <em>Feed</em></div></title><id>https://x.example/</id>
<entry xml:lang="fr" xml:base="sub/"><id>one</id><updated>2026-03-01</updated>
<title>Un <![CDATA[& deux]]></title><media:group><media:title>deeper</media:title>
<media:description>From the group.</media:description></media:group>
<link rel="self" href="self"/><link href="a/../b.html?x=1"/><link rel="replies" type="text/html" href="c"/>
<author><name>Ann</name></author><author><name>Bob</name></author>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p class="a&quot;b">1 &lt; 2<br/></p> tail</div>
</content></entry>
<entry><id>tag:x.example,2026:2</id><title type="html">&amp;lt;b&amp;gt;bold&amp;lt;/b&amp;gt;</title>
<updated>2026-03-01T10:00:00.123+01:30</updated><summary>S</summary><category term="t" label="T"/>
<author><name>Cy</name><email>cy@x.org</email></author></entry></feed>"""
RICH = b"""<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>One</title><image><title>Logo</title></image>
<link>https://r.example/?a=1&amp;b=2</link><language>de</language><ttl> 30 </ttl>
<item><title>T</title><dc:title>Other</dc:title><guid isPermaLink="false">g1</guid><link>/rel?a=1&amp;b=2#f</link>
<description>short</description><itunes:summary>another</itunes:summary>
<content:encoded>&lt;p&gt;long&lt;/p&gt;</content:encoded>
<dc:creator>Jo</dc:creator><itunes:author>Podcast</itunes:author><category>a</category><category>a</category>
<itunes:keywords>x, y</itunes:keywords>
<pubDate>Sun, 1 Mar 2026 09:00 EST</pubDate><dc:date>2026-03-02T00:00:00Z</dc:date>
<source url="https://s.example/">Elsewhere</source></item>
<item><guid>https://r.example//2</guid><description/><author>a@b.example (Al)</author><pubDate/></item>
<item><title>M\xc3\x83\xc2\xbcll \xc2\x93cp1252\xc2\x94</title><guid>rel/3</guid>
<unknown><title>nested</title></unknown></item>
</channel></rss>"""


@pytest.mark.parametrize("body", [ATOM, RDF, XHTML, RICH])
def test_the_quick_way_reads_what_is_rich_as_feedparser_does(body: bytes) -> None:
    found = quick(body, "", URL)
    assert found is not None
    assert assembled(found, body, URL) == assembled(judged(body, URL, ""), body, URL)


_PIECES = [
    *b"<title>A</title> <title/> <dc:title>B</dc:title> <link>x/1</link> <link/> <guid>2</guid>".split(),
    *b"<author>Z</author> <guid>https://g.example/</guid> <description>d</description>".split(),
    b"<description>later</description>",
    *b"<content:encoded>c</content:encoded> <dc:creator>Y</dc:creator> <category>k</category>".split(),
    *b"<x><title>n</title></x> <dc:date>2026-01-01</dc:date> <source><title>s</title></source>".split(),
    *b"<image><url>i</url><title>i</title></image> <itunes:summary>i</itunes:summary>".split(),
    b"<pubDate>Sun, 1 Mar 2026 09:00:00 GMT</pubDate>",
    b'<guid isPermaLink="false">f</guid>',
    b'<atom:link href="y"/>',
    b'<atom:link rel="self" href="z"/>',
    b'<title xml:lang="fr" xml:base="https://b.example/c/">T</title>',
]


@given(st.lists(st.sampled_from(_PIECES), max_size=9), st.lists(st.sampled_from(_PIECES), max_size=4))
def test_any_mixture_of_elements_is_read_as_feedparser_does(inside: list[bytes], around: list[bytes]) -> None:
    """Doubled, empty, nested and misplaced elements: in an item, and in the channel around it."""
    head = RICH[: RICH.index(b"<channel>")].replace(b"xmlns:dc", b'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc')
    body = head + b"<channel>" + b"".join(around) + b"<item>" + b"".join(inside) + b"</item></channel></rss>"
    if (found := quick(body, "", URL)) is not None:
        assert assembled(found, body, URL) == assembled(judged(body, URL, ""), body, URL)


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        (b"Ca\x02fe", "Cafe"),
        (b"Tom & Jerry", "Tom & Jerry"),
        (b"a&nbsp;b", "a b"),
        (b"<![CDATA[a & b]]> & c", "a & b & c"),
        (b"T</title><wfw:x>1</wfw:x><title>", "T"),
    ],
)
def test_the_commonest_faults_do_not_cost_the_quick_way(fault: bytes, title: str) -> None:
    body = rss([Item("Wort")]).replace(b"Wort", fault)
    assert quick(body, "", URL) is not None
    assert titles(body) == [title]
    assert [" ".join(entry.title.split()) for entry in assembled(judged(body, URL, ""), body, URL).entries] == [title]


def test_the_quick_way_takes_ordinary_feeds_and_leaves_special_ones() -> None:
    plain = Item("One", date="Tue, 14 Nov 2023 22:13:20 GMT")
    assert quick(rss([plain]), "application/rss+xml; charset=utf-8", URL)
    assert quick(rss([plain]), "text/xml; charset=iso-8859-1", URL) is None
    assert quick(rss([plain])[:-20], "", URL) is None
    assert quick(b"<!DOCTYPE rss>" + rss([plain]), "", URL) is None
    assert quick(rss([Item("One", date="a day in spring")]), "", URL) is None


def test_the_digest_follows_the_address_and_comment_counts_do_not_matter() -> None:
    def digest(link: str, comments: int) -> str:
        body = rss([Item("One", guid="1", link=link)]).replace(
            b"</item>", f"<slash:comments xmlns:slash='urn:s'>{comments}</slash:comments></item>".encode()
        )
        return parse(body, url=URL).entries[0].digest

    assert digest("https://n.example/1", 1) == digest("https://n.example/1", 2) != digest("https://n.example/2", 1)


def test_a_tag_with_endless_attributes_is_refused_at_once() -> None:
    attributes = " ".join(f'a{n}="x"' for n in range(100_000))
    with pytest.raises(ParseError, match="thousands of attributes"):
        parse(f"<rss {attributes}><channel/></rss>".encode(), url=URL)


@pytest.mark.parametrize("piece", ["<img", "<!--", "&amp;lt;!--", "<", "&amp;a", "<img width=", "]]>", "<![CDATA["])
@pytest.mark.parametrize("where", ["title", "description"])
def test_no_repetition_costs_more_than_its_length(piece: str, where: str) -> None:
    held = piece.replace("<", "&lt;") if piece != "<![CDATA[" else piece
    body = f"<rss version='2.0'><channel><item><{where}>{held * 40_000}</{where}></item></channel></rss>".encode()
    started = time.process_time()
    with suppress(ParseError):
        parse(body, url=URL)
    assert time.process_time() - started < 2
