"""What a connection lived through during one exchange: whether it is new, and how much came back.

httpx reports a kept connection that the server had already closed like any other failure, and only that one may be
asked again. This module counts; it decides nothing and connects to nothing.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore


@dataclass(slots=True)
class Exchange:
    """One request on the wire, as it goes."""

    fresh: bool = False
    received: int = 0

    @property
    def was_stale(self) -> bool:
        """Whether a kept connection ended before any byte of the answer (RFC 9112 section 9.3.1: ask again)."""
        return not self.fresh and not self.received


# The pool takes no argument through to its connections; a request and its connection share a task, and so this.
_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def watched() -> Iterator[Exchange]:
    """The record of what this task does on the wire until the end of the block."""
    exchange = Exchange()
    token = _current.set(exchange)
    try:
        yield exchange
    finally:
        _current.reset(token)


class WatchedStream(httpcore.AsyncNetworkStream):
    """A connection that counts what is read, for the exchange that reads it. Making one marks the exchange fresh."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        if exchange := _current.get():
            exchange.fresh = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 (httpcore's signature)
        """The next bytes; none at the end."""
        data = await self._inner.read(max_bytes, timeout)
        if exchange := _current.get():
            exchange.received += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 (httpcore's signature)
        """Send."""
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, under TLS."""
        return WatchedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What the connection beneath knows."""
        return self._inner.get_extra_info(info)
