"""The network, politely: one conditional GET for each poll, few connections to a host and a pause between them.

Redirects are followed by hand and each hop is checked; bodies are read raw and inflated under a cap. Everything that
the world does wrong leaves here as a FetchError with a sentence for the owner.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from boltwatch.errors import FetchError, Refused
from boltwatch.feeds.answers import Head, complaint, content_codings, head_of, max_age
from boltwatch.feeds.gate import Gate
from boltwatch.feeds.guard import Guard, GuardedBackend, Resolver, resolve
from boltwatch.feeds.inflate import inflate
from boltwatch.model import Feed, Fetched, NotModified

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/feed+json;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_HOPS = 5
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_SHARDS = 8  # httpx's pool costs grow with the square of its connections: several small pools beat one large


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may cost: bytes (as sent and inflated), and seconds from first to last."""

    body: int = 16 << 20
    seconds: float = 30.0


class Fetcher:
    """Asks for feeds and pages. Made once; safe for many tasks of one event loop."""

    def __init__(
        self,
        *,
        user_agent: str,
        guard: Guard,
        clock: Callable[[], datetime],
        limits: Limits | None = None,
        per_host: int = 2,
        gap: timedelta = timedelta(seconds=1),
        own_gap: timedelta | None = None,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._agent, self._guard, self._clock = user_agent, guard, clock
        self._limits = limits or Limits()
        self._gate = Gate(per_host)
        self._gap, self._own_gap = gap, gap if own_gap is None else own_gap
        self._resolver = resolver
        self._tls = tls or httpx.create_ssl_context(trust_env=False)
        self._shards: dict[int, httpx.AsyncHTTPTransport] = {}
        self._webhooks: httpx.AsyncHTTPTransport | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in (*self._shards.values(), *filter(None, [self._webhooks])):
            await transport.aclose()

    async def fetch(self, feed: Feed) -> Fetched | NotModified:
        """The feed's document, or that it has not changed. Raises FetchError (Refused, Gone)."""
        validators = [
            (name, value.encode("latin-1", "replace"))
            for name, value in ((b"If-None-Match", feed.etag), (b"If-Modified-Since", feed.last_modified))
            if value
        ]
        # 226 (RFC 3229) is understood: it is offered only when there is a state to be different from.
        extra = [(b"A-IM", b"feed"), *validators] if feed.etag else validators
        return await self._follow(feed.address, FEED_TYPES, extra)

    async def get(self, url: str, accept: str) -> Fetched:
        """A page or any other address, with the same manners. Raises FetchError."""
        found = await self._follow(url, accept, [])
        if isinstance(found, NotModified):  # _read refuses this already; said for the type checker
            raise FetchError(f"{url} answered 304 to a request without conditions")
        return found

    def transport(self) -> httpx.AsyncBaseTransport:
        """A guarded way out for webhooks: private addresses are refused unless allowed. Closed with the fetcher."""
        if self._webhooks is None:
            self._webhooks = self._open_transport(httpx.Limits(max_connections=10, max_keepalive_connections=5))
        return self._webhooks

    async def _follow(self, url: str, accept: str, extra: list[tuple[bytes, bytes]]) -> Fetched | NotModified:
        seen: list[str] = []
        moved_to: str | None = None
        permanent = True
        while True:
            url = _clean(url)
            if url in seen:
                raise FetchError(f"{url} redirects in a loop")
            seen.append(url)
            if len(seen) > _HOPS + 1:
                raise FetchError(f"{seen[0]} redirects more than {_HOPS} times")
            answer = await self._ask(url, accept, extra)
            if not isinstance(answer, _Hop):
                return answer if isinstance(answer, NotModified) else _with_move(answer, moved_to)
            permanent = permanent and answer.status in _PERMANENT
            url = _next(url, answer.location)
            moved_to = url if permanent else moved_to

    async def _ask(self, url: str, accept: str, extra: list[tuple[bytes, bytes]]) -> "Fetched | NotModified | _Hop":
        host = urlsplit(url).netloc
        gap = self._own_gap if self._guard.is_own(urlsplit(url).hostname or "") else self._gap
        async with self._gate.turn(host, gap.total_seconds()):
            try:
                async with asyncio.timeout(self._limits.seconds):
                    return await self._exchange(url, accept, extra)
            except TimeoutError as error:
                raise FetchError(f"{url} was not done within {self._limits.seconds:g} s") from error
            except httpx.TransportError as error:
                raise FetchError(f"{url}: {_plain(error)}") from error
            except (httpx.InvalidURL, httpx.HTTPError, ssl.SSLError, OSError, UnicodeError) as error:
                raise FetchError(f"{url} cannot be asked ({_plain(error)})") from error

    async def _exchange(
        self, url: str, accept: str, extra: list[tuple[bytes, bytes]]
    ) -> "Fetched | NotModified | _Hop":
        headers = [
            (b"Host", urlsplit(url).netloc.rpartition("@")[2].encode("idna" if not url.isascii() else "ascii")),
            (b"User-Agent", self._agent.encode("utf-8")),
            (b"Accept", accept.encode("ascii")),
            (b"Accept-Encoding", b"gzip, br, zstd"),
            *extra,
        ]
        wait = dict.fromkeys(("connect", "read", "write", "pool"), self._limits.seconds)
        request = httpx.Request("GET", url, headers=headers, extensions={"timeout": wait})
        response = await self._shard(request.url.host).handle_async_request(request)
        try:
            return await self._read(url, response, conditional=bool(extra))
        finally:
            await response.aclose()

    async def _read(self, url: str, response: httpx.Response, *, conditional: bool) -> "Fetched | NotModified | _Hop":
        head = head_of(response.headers.raw)
        age = max_age(head, self._clock())
        if response.status_code == 304 and conditional:
            await self._body(url, response)  # none by definition; read to its end, the connection can be used again
            return NotModified(head.get("etag"), head.get("last-modified"), age)
        if response.status_code in _REDIRECTS and "location" in head:
            return _Hop(response.status_code, head["location"])
        if response.status_code not in (200, 226):
            start = await self._body(url, response, at_most=4096)
            raise complaint(url, response.status_code, head, start, self._clock())
        body = await self._body(url, response)
        try:
            body = await self._inflated(body, head)
        except FetchError as error:
            raise FetchError(f"{url}: {error}") from error
        return Fetched(url, body, head.get("content-type", ""), head.get("etag"), head.get("last-modified"), age)

    async def _body(self, url: str, response: httpx.Response, at_most: int | None = None) -> bytes:
        pieces: list[bytes] = []
        size = 0
        stream = response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("the transport answered with a stream that is not asynchronous")
        async for piece in stream:
            size += len(piece)
            pieces.append(piece)
            if at_most is not None and size >= at_most:
                break
            if size > self._limits.body:
                raise FetchError(
                    f"{url} is larger than {self._limits.body >> 20} MB; network.max_body_mb sets the limit"
                )
        return b"".join(pieces)

    async def _inflated(self, body: bytes, head: Head) -> bytes:
        codings = content_codings(head)
        # What takes more than a moment must not hold up the loop.
        if len(body) > 1 << 18:
            return await asyncio.to_thread(inflate, body, codings, cap=self._limits.body)
        return inflate(body, codings, cap=self._limits.body)

    def _shard(self, host: str) -> httpx.AsyncHTTPTransport:
        number = hash(host) % _SHARDS
        if number not in self._shards:
            self._shards[number] = self._open_transport(
                httpx.Limits(max_connections=10, max_keepalive_connections=5, keepalive_expiry=15)
            )
        return self._shards[number]

    def _open_transport(self, limits: httpx.Limits) -> httpx.AsyncHTTPTransport:
        transport = httpx.AsyncHTTPTransport(verify=self._tls, limits=limits, retries=0)
        # httpx offers no argument for the backend of its own pool. A test proves that the guard is asked.
        pool = transport._pool
        pool._network_backend = GuardedBackend(self._guard, resolver=self._resolver, inner=pool._network_backend)
        return transport


@dataclass(frozen=True, slots=True)
class _Hop:
    status: int
    location: str


def _with_move(fetched: Fetched, moved_to: str | None) -> Fetched:
    return Fetched(
        fetched.url,
        fetched.body,
        fetched.content_type,
        fetched.etag,
        fetched.last_modified,
        fetched.max_age,
        moved_to,
    )


def _clean(url: str) -> str:
    """The address as it is asked: without fragment (RFC 9110 section 7.1); only http and https, with a host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Refused(f"{url[:200]} is not an address ({error})") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Refused(f"{url[:200]} is not an http or https address")
    return urlunsplit(parts._replace(fragment=""))


def _next(url: str, location: str) -> str:
    """Where a redirect leads. Raises Refused for a step from https to http, or one that carries credentials."""
    try:
        target = urljoin(url, location.strip())
        parts = urlsplit(target)
        credentials = parts.username is not None or parts.password is not None
    except ValueError as error:
        raise Refused(f"{url} redirects to something that is not an address") from error
    if credentials:
        raise Refused(f"{url} redirects to an address with a user name in it")
    if urlsplit(url).scheme == "https" and parts.scheme == "http":
        raise Refused(f"{url} redirects from https back to http ({target[:200]})")
    return target


def _plain(error: Exception) -> str:
    """The cause in words, whatever httpx wraps it in."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout | httpx.ReadTimeout):
        return "no answer in time"
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return f"its certificate is not trusted ({words.rpartition(': ')[2]})"
    return words[:300]
