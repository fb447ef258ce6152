"""How an address is asked, whose turn it counts for, and where a redirect leads."""

import pytest

from boltwatch.errors import Refused
from boltwatch.feeds.hops import clean, host_of, next_address


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://news.example/feed#part", "http://news.example/feed"),
        ("http://news.example/feed?", "http://news.example/feed?"),
        (" https://news.example/a%2fb?x=%7e&y=1|2 ", "https://news.example/a%2fb?x=%7e&y=1|2"),
    ],
)
def test_an_address_loses_its_fragment_and_nothing_else(url: str, asked: str) -> None:
    assert clean(url) == asked


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://news.example/", "http:///feed", "http://[::1", "http://a:x/", "news.example"]
)
def test_what_is_not_the_web_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="is not an"):
        clean(url)


def test_one_host_has_one_turn_however_it_is_written() -> None:
    spellings = ["http://news.example/", "http://NEWS.example.:80/a", "http://user@news.example/b?c"]
    assert {host_of(url) for url in spellings} == {("news.example", "news.example:80")}
    assert host_of("https://news.example/") == ("news.example", "news.example:443")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/feed", "https://news.example/feed"),
        ("//cdn.example/feed", "https://cdn.example/feed"),
        ("rss.xml?a=b", "https://news.example/old/rss.xml?a=b"),
        ("/gr\xc3\xbcn", "https://news.example/grün"),  # UTF-8, as servers send it
        ("/gr\xfcn", "https://news.example/gr%FCn"),  # latin-1 stays the byte it is
        ("/a%0d%0aX:%20y", "https://news.example/a%0d%0aX:%20y"),
    ],
)
def test_a_redirect_leads_where_its_bytes_say(location: str, target: str) -> None:
    assert next_address("https://news.example/old/feed", location) == target


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://news.example/feed", "back to http"),
        ("https://user@news.example/feed", "user name"),
        ("https://:secret@news.example/", "user name"),
        ("https://[", "not an address"),
    ],
)
def test_a_redirect_into_the_open_or_with_credentials_is_refused(location: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        next_address("https://news.example/feed", location)
