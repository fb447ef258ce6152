"""The feed client against a real server: validators, redirects, limits, manners."""

import asyncio
import gzip
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import brotli
import pytest
import zstandard

from boltwatch.errors import FetchError, Gone, Refused
from boltwatch.feeds.fetch import Fetcher, Limits
from boltwatch.feeds.guard import Guard
from boltwatch.model import Feed, Fetched, NotModified
from tests.servers import Answer, FeedServer, Item, Request, rss

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BODY = rss([Item("A title")])


def ask(
    url: str,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    times: int = 1,
    limits: Limits | None = None,
    gap: float = 0,
    allow: Sequence[str] = ("127.0.0.0/8",),
) -> list[Fetched | NotModified]:
    """Fetch a feed so many times at once."""

    async def work() -> list[Fetched | NotModified]:
        fetcher = Fetcher(
            user_agent="Boltwatch/test (feed reader; ops@news.example)",
            guard=Guard(allow),
            clock=lambda: NOW,
            limits=limits,
            gap=timedelta(seconds=gap),
        )
        async with fetcher:
            feed = Feed(id=1, url=url, etag=etag, last_modified=last_modified)
            return await asyncio.gather(*(fetcher.fetch(feed) for _ in range(times)))

    return asyncio.run(work())


def fetched(url: str, limits: Limits | None = None) -> Fetched:
    (answer,) = ask(url, limits=limits)
    assert isinstance(answer, Fetched)
    return answer


@pytest.mark.parametrize("etag", ['"abc"', 'W/"weak"', '"a,b;c-gzip"', "unquoted", '"gr\xfc\xdfe"'])
def test_validators_are_echoed_byte_for_byte(etag: str) -> None:
    with FeedServer() as server:
        odd_date = "Sunday, 1-Mar-26 9:00 CET"
        server.routes["/feed"] = Answer(headers=[("ETag", etag), ("Last-Modified", odd_date)], body=BODY)
        answer = fetched(server.url("/feed"))
        server.routes["/feed"] = Answer(status=304)
        assert ask(server.url("/feed"), etag=answer.etag, last_modified=answer.last_modified) == [NotModified()]
        assert server.requests[1].headers["if-none-match"] == etag
        assert server.requests[1].headers["if-modified-since"] == odd_date


def test_who_asks_is_honest_and_sends_nothing_that_tracks() -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(headers=[("Set-Cookie", "a=b")], body=BODY)
        ask(server.url("/feed#part"), times=2)
        for request in server.requests:
            assert request.method == "GET"
            assert request.path == "/feed"
            assert request.headers["user-agent"] == "Boltwatch/test (feed reader; ops@news.example)"
            assert "gzip" in request.headers["accept-encoding"]
            assert "application/rss+xml" in request.headers["accept"]
            unwanted = {"cookie", "referer", "authorization", "pragma", "cache-control", "range", "if-none-match"}
            assert not unwanted & set(request.headers)


CODED = {
    "gzip": gzip.compress(BODY),
    "deflate": zlib.compress(BODY),
    "br": brotli.compress(BODY),
    "zstd": zstandard.compress(BODY),
    "gzip, gzip": gzip.compress(gzip.compress(BODY)),
}


@pytest.mark.parametrize("coding", CODED)
def test_every_coding_is_undone(coding: str) -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(headers=[("Content-Encoding", coding)], body=CODED[coding])
        assert fetched(server.url("/feed")).body == BODY


def test_a_body_that_only_says_gzip_is_taken_as_it_is() -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(headers=[("Content-Encoding", "gzip")], body=BODY)
        assert fetched(server.url("/feed")).body == BODY


ZEROS = b"\0" * (8 << 20)
BOMBS = {
    "gzip": gzip.compress(ZEROS),
    "br": brotli.compress(ZEROS),
    "zstd": zstandard.compress(ZEROS),
    "gzip, gzip": gzip.compress(gzip.compress(ZEROS)),
}


@pytest.mark.parametrize("coding", BOMBS)
def test_a_bomb_is_given_up_at_the_cap(coding: str) -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(headers=[("Content-Encoding", coding)], body=BOMBS[coding])
        with pytest.raises(FetchError, match="inflates to more than 1 MB"):
            ask(server.url("/feed"), limits=Limits(body=1 << 20))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(body=BODY, length=len(BODY) + 10), "peer closed"),
        (Answer(body=BODY, cut=20), "peer closed"),
        (Answer(reset=True), "."),
        (Answer(body=b"x" * 500, per_second=20), "not done within 0.5 s"),
        (Answer(delay=5), "not done within 0.5 s|no answer in time"),
        (Answer(endless=True), "larger than 1 MB"),
        (Answer(raw=b"no status line\r\n\r\n"), "."),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), "."),
        (Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000), "."),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"), "."),
        (Answer(headers=[("Content-Encoding", "gzip")], body=b"\x1f\x8bbroken"), "gzip body is broken"),
        (Answer(headers=[("Content-Encoding", "rot13")], body=BODY), "not offered"),
        (Answer(status=999), "999"),
        (Answer(status=304), "304"),
        (Answer(status=403, headers=[("cf-mitigated", "challenge")]), "bot wall"),
        (Answer(status=401), "login"),
    ],
)
def test_what_the_world_does_wrong_is_an_error_with_the_address_in_it(answer: Answer, words: str) -> None:
    with FeedServer() as server:
        server.routes["/feed"] = answer
        started = time.monotonic()
        with pytest.raises(FetchError, match=words) as caught:
            ask(server.url("/feed"), limits=Limits(body=1 << 20, seconds=0.5))
        assert server.url("/feed") in str(caught.value)
        assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    ("status", "value", "wait"),
    [
        (429, "120", timedelta(minutes=2)),
        (503, "Mon, 02 Mar 2026 09:00:00 GMT", timedelta(hours=1)),
        (429, None, timedelta(hours=1)),
        (429, "999999999999", timedelta(days=7)),
        (503, "-5", None),
        (503, "soon", None),
    ],
)
def test_retry_after_is_understood_and_capped(status: int, value: str | None, wait: timedelta | None) -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(status, headers=[("Retry-After", value)] if value else [])
        with pytest.raises(FetchError) as caught:
            ask(server.url("/feed"))
        assert caught.value.wait == wait
        assert len(server.requests) == 1


def test_410_is_gone() -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(410)
        with pytest.raises(Gone):
            ask(server.url("/feed"))


@pytest.mark.parametrize(
    ("headers", "age"),
    [
        ([("Cache-Control", "public, max-age=600")], timedelta(minutes=10)),
        ([("Cache-Control", "max-age=600"), ("Age", "500")], timedelta(seconds=100)),
        ([("Expires", "Mon, 02 Mar 2026 10:00:00 GMT")], timedelta(hours=2)),
        ([("Expires", "0")], None),
        ([("Cache-Control", "no-cache, max-age=0")], None),
        ([], None),
    ],
)
def test_freshness_is_what_the_server_says(headers: list[tuple[str, str]], age: timedelta | None) -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(headers=headers, body=BODY)
        assert fetched(server.url("/feed")).max_age == age


def redirect(status: int, to: str) -> Answer:
    return Answer(status, headers=[("Location", to), ("ETag", '"of the redirect"')])


@pytest.mark.parametrize(
    ("steps", "moved_to"),
    [((301,), "/feed"), ((308, 301), "/feed"), ((302,), None), ((307,), None), ((301, 302), "/1"), ((302, 301), None)],
)
def test_only_the_permanent_steps_from_the_start_are_remembered(steps: tuple[int, ...], moved_to: str | None) -> None:
    with FeedServer() as server:
        for at, status in enumerate(steps):
            server.routes[f"/{at}"] = redirect(status, f"/{at + 1}" if at + 1 < len(steps) else "/feed")
        server.routes["/feed"] = Answer(body=BODY, headers=[("ETag", '"final"')])
        answer = fetched(server.url("/0"))
        assert answer.moved_to == (moved_to and server.url(moved_to))
        assert (answer.url, answer.etag) == (server.url("/feed"), '"final"')


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("/loop", "in a loop"),
        ("file:///etc/hostname", "not an http or https address"),
        ("http://user:pw@127.0.0.1:1/", "user name"),
        ("http://[::1", "not an address"),
    ],
)
def test_a_redirect_that_leads_nowhere_good_is_refused(to: str, words: str) -> None:
    with FeedServer() as server:
        server.routes["/loop"] = redirect(301, to)
        with pytest.raises(FetchError, match=words):
            ask(server.url("/loop"))


def test_more_than_five_redirects_are_given_up() -> None:
    with FeedServer() as server:
        for at in range(9):
            server.routes[f"/{at}"] = redirect(302, f"/{at + 1}")
        with pytest.raises(FetchError, match="more than 5 times"):
            ask(server.url("/0"))
        assert len(server.requests) == 6


def test_a_host_gets_two_requests_at_a_time_and_a_gap_between_starts() -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(body=BODY, delay=0.08)
        ask(server.url("/feed"), times=8)
        assert server.most_busy <= 2
        server.requests.clear()
        ask(server.url("/feed"), times=4, gap=0.1)
        starts = [request.at for request in server.requests]
        assert all(later - earlier > 0.08 for earlier, later in pairwise(starts))


def test_polls_of_one_host_share_a_connection() -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(304)
        ask(server.url("/feed"), etag='"1"', times=20)
        server.routes["/feed"] = Answer(body=BODY)
        ask(server.url("/feed"), times=20)
        assert server.connections <= 4


def test_a_private_address_is_refused_before_anything_is_sent() -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(body=BODY)
        with pytest.raises(Refused, match=r"loopback.*network\.allow_private"):
            ask(server.url("/feed"), allow=())
        assert server.requests == []


def test_a_redirect_to_a_private_address_is_refused_on_the_address_connected_to() -> None:
    """A canary listens on 127.0.0.2; only 127.0.0.1 is allowed."""
    with FeedServer() as server, FeedServer(host="127.0.0.2") as canary:
        server.routes["/feed"] = redirect(302, canary.url("/secret"))
        with pytest.raises(Refused, match="loopback"):
            ask(server.url("/feed"), allow=("127.0.0.1/32",))
        assert canary.requests == []


def test_a_name_is_judged_by_what_it_resolves_to() -> None:
    async def work(url: str, found: list[str]) -> None:
        async def resolver(host: str, port: int) -> Sequence[str]:
            return found

        fetcher = Fetcher(user_agent="x", guard=Guard(), clock=lambda: NOW, resolver=resolver)
        async with fetcher:
            await fetcher.get(url, "*/*")

    with FeedServer(host="127.0.0.2") as canary:
        for found in (["127.0.0.2"], ["::ffff:127.0.0.2"], []):
            with pytest.raises(FetchError, match=r"may not be visited"):
                asyncio.run(work(f"http://news.example:{canary.port}/", found))
        assert canary.requests == []


def test_a_delta_answer_is_taken_like_a_full_one() -> None:
    """RFC 3229: 226 holds what is new, and that is what is wanted."""

    def delta(request: Request) -> Answer:
        assert request.headers["a-im"] == "feed"
        return Answer(226, headers=[("IM", "feed")], body=BODY)

    with FeedServer() as server:
        server.routes["/feed"] = delta
        (answer,) = ask(server.url("/feed"), etag='"1"')
        assert isinstance(answer, Fetched)
        assert answer.body == BODY
