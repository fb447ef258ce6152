"""The network, politely: one conditional GET for each poll, few connections to a host and a pause between them.

Redirects are followed by hand and each hop is checked; bodies are read raw and inflated under a cap. Everything that
the world does wrong leaves here as a FetchError with a sentence for the owner.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from boltwatch.errors import FetchError
from boltwatch.feeds.answers import Head, complaint, content_codings, head_of, max_age
from boltwatch.feeds.connection import watched
from boltwatch.feeds.gate import Gate
from boltwatch.feeds.guard import Guard, GuardedBackend, Resolver, resolve
from boltwatch.feeds.hops import Hop, clean, host_of, next_address
from boltwatch.feeds.inflate import inflate
from boltwatch.model import Feed, Fetched, NotModified

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/feed+json;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_HOPS = 5
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_EXPLAINED = 1 << 16  # of a body that is no document, read to tell what is wrong and to keep the connection
_CONNECTIONS = 10
_SHARDS = 8  # httpx's pool costs grow with the square of its connections: several small pools beat one large


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may cost: bytes (as sent and inflated), and seconds from first to last."""

    body: int = 16 << 20
    seconds: float = 30.0


@dataclass(slots=True)
class _Quest:
    """What one poll asks at each address on its way, and how long it may still take; waiting in line is not counted."""

    accept: str
    extra: list[tuple[bytes, bytes]]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Shard:
    transport: httpx.AsyncHTTPTransport
    # One that waits for a connection waits here, before its time runs: the pool would let it time out for others.
    seats: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CONNECTIONS))


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
        self._shards: dict[int, _Shard] = {}
        self._webhooks: httpx.AsyncHTTPTransport | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        shards = (shard.transport for shard in self._shards.values())
        for transport in (*shards, *filter(None, [self._webhooks])):
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
        quest = _Quest(accept, extra, self._limits.seconds)
        seen: list[str] = []
        moved_to: str | None = None
        permanent = True
        while True:
            url = clean(url)
            if url in seen:
                raise FetchError(f"{url} redirects in a loop")
            seen.append(url)
            if len(seen) > _HOPS + 1:
                raise FetchError(f"{seen[0]} redirects more than {_HOPS} times")
            answer = await self._ask(url, quest)
            if isinstance(answer, Fetched):
                return replace(answer, moved_to=moved_to)
            if isinstance(answer, NotModified):
                return answer
            permanent = permanent and answer.status in _PERMANENT
            url = next_address(url, answer.location)
            moved_to = url if permanent else moved_to

    async def _ask(self, url: str, quest: _Quest) -> Fetched | NotModified | Hop:
        host, place = host_of(url)
        gap = self._own_gap if self._guard.is_own(host) else self._gap
        shard = self._shard(host)
        async with self._gate.turn(place, gap.total_seconds()), shard.seats:
            started = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(quest.seconds):
                    return await self._exchange(url, quest, shard.transport)
            except TimeoutError as error:
                raise FetchError(f"{url} was not done within {self._limits.seconds:g} s") from error
            except httpx.TransportError as error:
                raise FetchError(f"{url}: {_plain(error)}") from error
            except (httpx.InvalidURL, httpx.HTTPError, ssl.SSLError, OSError, UnicodeError) as error:
                raise FetchError(f"{url} cannot be asked ({_plain(error)})") from error
            finally:
                quest.seconds -= asyncio.get_running_loop().time() - started

    async def _exchange(
        self, url: str, quest: _Quest, transport: httpx.AsyncHTTPTransport
    ) -> Fetched | NotModified | Hop:
        address = httpx.URL(url)
        headers = [
            (b"Host", address.netloc),
            (b"User-Agent", self._agent.encode("utf-8")),
            (b"Accept", quest.accept.encode("ascii")),
            (b"Accept-Encoding", b"gzip, br, zstd"),
            *quest.extra,
        ]
        wait = dict.fromkeys(("connect", "read", "write", "pool"), quest.seconds)
        request = httpx.Request("GET", address, headers=headers, extensions={"timeout": wait})
        response = await _send(request, transport)
        try:
            return await self._read(url, response, conditional=bool(quest.extra))
        finally:
            await response.aclose()

    async def _read(self, url: str, response: httpx.Response, *, conditional: bool) -> Fetched | NotModified | Hop:
        head = head_of(response.headers.raw)
        status = response.status_code
        age = max_age(head, self._clock())
        if status == 304 and conditional:
            await self._body(url, response)  # none by definition; read to its end, the connection can be used again
            return NotModified(head.get("etag"), head.get("last-modified"), age)
        if status in _REDIRECTS and "location" in head:
            await self._explained(response)
            return Hop(status, head["location"])
        if status not in (200, 226):
            start = await self._explained(response)
            with suppress(FetchError):
                start = inflate(start, content_codings(head), cap=_EXPLAINED * 16)
            raise complaint(url, status, head, start, self._clock())
        body = await self._document(url, response, head)
        return Fetched(url, body, head.get("content-type", ""), head.get("etag"), head.get("last-modified"), age)

    async def _document(self, url: str, response: httpx.Response, head: Head) -> bytes:
        length = head.get("content-length", "")
        if length.isdecimal() and int(length) > self._limits.body:  # so much is not sent for nothing at every poll
            raise self._too_large(url)
        body = await self._body(url, response)
        try:
            return await self._inflated(body, head)
        except FetchError as error:
            raise FetchError(f"{url}: {error}") from error

    async def _body(self, url: str, response: httpx.Response) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in _pieces(response):
            size += len(piece)
            if size > self._limits.body:
                raise self._too_large(url)
            pieces.append(piece)
        return b"".join(pieces)

    async def _explained(self, response: httpx.Response) -> bytes:
        """The start of a body beside the point: the status has said enough, so nothing that is wrong here matters."""
        pieces: list[bytes] = []
        size = 0
        with suppress(httpx.TransportError, TimeoutError):
            async with asyncio.timeout(min(2.0, self._limits.seconds / 4)):
                async for piece in _pieces(response):
                    size += len(piece)
                    pieces.append(piece)
                    if size > _EXPLAINED:
                        break
        return b"".join(pieces)

    def _too_large(self, url: str) -> FetchError:
        return FetchError(f"{url} is larger than {self._limits.body >> 20} MB; network.max_body_mb sets the limit")

    async def _inflated(self, body: bytes, head: Head) -> bytes:
        codings = content_codings(head)
        # What takes more than a moment must not hold up the loop.
        if len(body) > 1 << 18:
            return await asyncio.to_thread(inflate, body, codings, cap=self._limits.body)
        return inflate(body, codings, cap=self._limits.body)

    def _shard(self, host: str) -> _Shard:
        number = hash(host) % _SHARDS
        if number not in self._shards:
            limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=5, keepalive_expiry=15)
            self._shards[number] = _Shard(self._open_transport(limits))
        return self._shards[number]

    def _open_transport(self, limits: httpx.Limits) -> httpx.AsyncHTTPTransport:
        transport = httpx.AsyncHTTPTransport(verify=self._tls, limits=limits, retries=0)
        # httpx offers no argument for the backend of its own pool. A test proves that the guard is asked.
        pool = transport._pool
        pool._network_backend = GuardedBackend(self._guard, resolver=self._resolver, inner=pool._network_backend)
        return transport


async def _send(request: httpx.Request, transport: httpx.AsyncHTTPTransport) -> httpx.Response:
    """The answer's head. A kept connection that turns out to be closed already is replaced, once."""
    with watched() as exchange:
        try:
            return await transport.handle_async_request(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if not exchange.was_stale:
                raise
    return await transport.handle_async_request(request)


def _pieces(response: httpx.Response) -> httpx.AsyncByteStream:
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("the transport answered with a stream that is not asynchronous")
    return response.stream


def _plain(error: Exception) -> str:
    """The cause in words, whatever httpx wraps it in."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout | httpx.ReadTimeout):
        return "no answer in time"
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return f"its certificate is not trusted ({words.rpartition(': ')[2]})"
    return words[:300]
