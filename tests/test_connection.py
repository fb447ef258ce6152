"""The feed client on the wire: kept connections, TLS names, one deadline, and answers that end badly."""

import asyncio
import gzip
import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from boltwatch.errors import BoltwatchError, FetchError
from boltwatch.feeds.fetch import Fetcher, Limits
from boltwatch.feeds.guard import Guard
from boltwatch.model import Feed, Fetched, NotModified
from tests.servers import Answer, FeedServer, Item, Request, rss

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BODY = rss([Item("A title")])


async def this_machine(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def ask(
    *urls: str, etag: str | None = None, seconds: float = 10, tls: ssl.SSLContext | None = None
) -> list[Fetched | NotModified | BoltwatchError]:
    """Ask one address after the other with one fetcher; errors are told like answers."""

    async def work() -> list[Fetched | NotModified | BoltwatchError]:
        found: list[Fetched | NotModified | BoltwatchError] = []
        async with Fetcher(
            user_agent="Boltwatch/test",
            guard=Guard(["127.0.0.0/8"]),
            clock=lambda: NOW,
            limits=Limits(seconds=seconds, body=1 << 20),
            gap=timedelta(0),
            resolver=this_machine,
            tls=tls,
        ) as fetcher:
            for url in urls:
                try:
                    found.append(await fetcher.fetch(Feed(id=1, url=url, etag=etag)))
                except BoltwatchError as error:
                    found.append(error)
        return found

    return asyncio.run(work())


def serve(server: FeedServer, *answers: Answer) -> str:
    """The address of a feed that gives these answers in turn, and the last one for ever."""
    left = list(answers)

    def route(request: Request) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    server.routes["/feed"] = route
    return server.url("/feed")


CLOSED = Answer(raw=b"")


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_once() -> None:
    with FeedServer() as server:
        url = serve(server, Answer(body=BODY), CLOSED, Answer(body=BODY))
        assert [type(answer) for answer in ask(url, url)] == [Fetched, Fetched]
        assert len(server.requests) == 3


def test_a_server_that_always_closes_is_asked_at_most_twice() -> None:
    with FeedServer() as server:
        url = serve(server, Answer(body=BODY), CLOSED)
        assert isinstance(ask(url, url)[1], FetchError)
        assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [CLOSED, Answer(reset=True)])
def test_a_new_connection_that_fails_is_not_asked_again(answer: Answer) -> None:
    with FeedServer() as server:
        assert isinstance(ask(serve(server, answer))[0], FetchError)
        assert len(server.requests) == 1


@pytest.mark.parametrize("start", [b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"])
def test_an_answer_that_has_begun_is_not_asked_for_again(start: bytes) -> None:
    with FeedServer() as server:
        url = serve(server, Answer(body=BODY), Answer(raw=start))
        assert isinstance(ask(url, url)[1], FetchError)
        assert len(server.requests) == 2


def test_a_304_with_a_body_does_not_become_the_start_of_the_next_answer() -> None:
    def talkative(request: Request) -> Answer:
        return Answer(304, headers=[("X", "y\r\n\r\n<html>not modified</html>")])

    with FeedServer() as server:
        server.routes["/feed"] = talkative
        url = server.url("/feed")
        assert ask(url, url, etag='"1"') == [NotModified(), NotModified()]


@pytest.mark.parametrize(
    "rest",
    [Answer(429, body=b"x", length=9), Answer(429, body=b"x" * 90, per_second=5), Answer(429, endless=True)],
)
def test_what_the_server_asks_for_counts_though_its_explanation_breaks_off(rest: Answer) -> None:
    with FeedServer() as server:
        answer = Answer(
            429, [("Retry-After", "600")], rest.body, rest.length, per_second=rest.per_second, endless=rest.endless
        )
        (error,) = ask(serve(server, answer), seconds=1)
        assert isinstance(error, FetchError)
        assert (error.status, error.wait) == (429, timedelta(minutes=10))


def test_a_bot_wall_is_recognised_though_it_is_packed() -> None:
    with FeedServer() as server:
        wall = gzip.compress(b"<title>Just a moment...</title>")
        (error,) = ask(serve(server, Answer(403, headers=[("Content-Encoding", "gzip")], body=wall)))
        assert "bot wall" in str(error)


def test_one_deadline_holds_for_all_redirects_together() -> None:
    with FeedServer() as server:
        for at in range(5):
            server.routes[f"/{at}"] = Answer(302, headers=[("Location", f"/{at + 1}")], delay=0.2)
        started = time.monotonic()
        (error,) = ask(server.url("/0"), seconds=0.5)
        assert "not done within 0.5 s" in str(error)
        assert time.monotonic() - started < 1.5


def test_a_head_that_drips_is_given_up_at_the_deadline() -> None:
    with FeedServer() as server:
        started = time.monotonic()
        (error,) = ask(serve(server, Answer(raw=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500, per_second=20)), seconds=0.5)
        assert "not done within 0.5 s" in str(error)
        assert time.monotonic() - started < 1.5


def test_a_body_announced_as_too_large_is_not_waited_for() -> None:
    with FeedServer() as server:
        (error,) = ask(serve(server, Answer(body=b"x" * 100, length=10**10)))
        assert "larger than 1 MB" in str(error)


def test_a_line_break_in_a_stored_validator_is_never_sent() -> None:
    with FeedServer() as server:
        (error,) = ask(serve(server, Answer(body=BODY)), etag='"a"\r\nX-Injected: y')
        assert isinstance(error, FetchError)
        assert server.requests == []


def trusted_pair() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server that holds a certificate for news.example, and a client that trusts its issuer."""
    issuer = trustme.CA()
    here, there = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.configure_trust(here)
    issuer.issue_cert("news.example").configure_cert(there)
    return there, here


def test_the_name_is_shown_and_verified_though_the_address_is_connected_to() -> None:
    there, here = trusted_pair()
    shown: list[str | None] = []
    there.sni_callback = lambda connection, name, context: shown.append(name)
    with FeedServer(tls=there) as server:
        serve(server, Answer(body=BODY))
        good, bad = ask(
            f"https://news.example:{server.port}/feed", f"https://else.example:{server.port}/feed", tls=here
        )
        assert isinstance(good, Fetched)
        assert server.requests[0].headers["host"] == f"news.example:{server.port}"
        assert "certificate is not trusted" in str(bad)
        assert shown == ["news.example", "else.example"]
        assert len(server.requests) == 1


def test_a_redirect_back_to_http_is_refused() -> None:
    there, here = trusted_pair()
    with FeedServer(tls=there) as server, FeedServer() as plain:
        serve(server, Answer(301, headers=[("Location", plain.url("/feed"))]))
        (error,) = ask(f"https://news.example:{server.port}/feed", tls=here)
        assert "back to http" in str(error)
        assert plain.requests == []


def test_waiting_for_a_connection_behind_slow_hosts_is_not_counted_as_this_hosts_time() -> None:
    async def work(port: int) -> list[Fetched]:
        fetcher = Fetcher(
            user_agent="Boltwatch/test",
            guard=Guard(["127.0.0.0/8"]),
            clock=lambda: NOW,
            limits=Limits(seconds=0.8),
            resolver=this_machine,
        )
        async with fetcher:
            urls = [f"http://site{number}.example:{port}/feed" for number in range(240)]
            return await asyncio.gather(*(fetcher.get(url, "*/*") for url in urls))

    with FeedServer() as server:
        server.routes["/feed"] = Answer(body=BODY, delay=0.3)
        assert len(asyncio.run(work(server.port))) == 240
        assert server.most_busy <= 80
