"""A real HTTP server on the loopback address that can be slow, cut off and lie; and feeds to serve."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from html import escape
from typing import Self

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked, and when (monotonic seconds)."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says; `raw` replaces it all, `length` lies about the body, `cut` closes after so many bytes."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    length: int | None = None
    cut: int | None = None
    delay: float = 0.0
    per_second: int | None = None  # bytes of the body, or of `raw`
    reset: bool = False
    raw: bytes | None = None
    endless: bool = False

    def head(self) -> bytes:
        """Status line and headers."""
        given = {name.lower() for name, _ in self.headers}
        lines = [f"HTTP/1.1 {self.status} Answer", *(f"{name}: {value}" for name, value in self.headers)]
        if self.status != 304 and not self.endless and not given & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(self.body) if self.length is None else self.length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


Route = Answer | Callable[[Request], Answer]


@dataclass(slots=True)
class FeedServer:
    """`with FeedServer() as server:` answers by server.routes[path] (with its query, else without); logs requests."""

    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    connections: int = 0
    busy: int = 0
    most_busy: int = 0
    _listener: socket.socket = field(init=False)
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        """The requests for one path."""
        return [request for request in self.requests if request.path == path]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        connection = accepted
        connection.settimeout(60)
        pending = b""
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while not self._closing.is_set():
                request, pending = _read_request(connection, pending)
                if request is None or not self._answer(connection, request):
                    return
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(accepted)
            connection.close()

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """Answer one request; False when the connection is to be closed."""
        with self._lock:
            self.requests.append(request)
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
        try:
            route = self.routes.get(request.path) or self.routes.get(request.path.partition("?")[0], Answer(404))
            answer = route if isinstance(route, Answer) else route(request)
            return self._send(connection, answer)
        finally:
            with self._lock:
                self.busy -= 1

    def _send(self, connection: socket.socket, answer: Answer) -> bool:
        self._closing.wait(answer.delay)
        if answer.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            return False
        if answer.raw is not None:
            if answer.per_second:
                self._drip(connection, answer.raw, answer.per_second)
            else:
                connection.sendall(answer.raw)
            return False
        connection.sendall(answer.head())
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        if answer.endless:
            return self._send_for_ever(connection, answer.body or b"x" * 65536)
        if answer.per_second:
            return self._drip(connection, body, answer.per_second)
        if answer.status != 304:
            connection.sendall(body)
        return answer.cut is None and answer.length is None

    def _send_for_ever(self, connection: socket.socket, piece: bytes) -> bool:
        until = time.monotonic() + 30
        while time.monotonic() < until and not self._closing.is_set():
            connection.sendall(piece)
        return False

    def _drip(self, connection: socket.socket, body: bytes, per_second: int) -> bool:
        for at in range(len(body)):
            if self._closing.wait(1 / per_second):
                return False
            connection.sendall(body[at : at + 1])
        return True


def _read_request(connection: socket.socket, pending: bytes) -> tuple[Request | None, bytes]:
    while b"\r\n\r\n" not in pending:
        more = connection.recv(65536)
        if not more:
            return None, b""
        pending += more
    head, _, pending = pending.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(pending) < length:
        pending += connection.recv(65536)
    return Request(method, path, headers, pending[:length], time.monotonic()), pending[length:]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a feed."""

    title: str
    html: str = "<p>One sentence of news.</p>"
    link: str = ""
    guid: str = ""
    date: object = None  # a datetime, or text put there as it is


def rss(items: Sequence[Item], *, title: str = "A News Site", channel: str = "") -> bytes:
    """An RSS 2.0 document in WordPress shape: teaser in description, everything in content:encoded."""
    body = "".join(_item(item) for item in items)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">'
        f"<channel><title>{escape(title)}</title><link>https://news.example/</link><description>News</description>"
        f"<language>de-DE</language>{channel}{body}</channel></rss>"
    ).encode()


def _item(item: Item) -> str:
    slug = "".join(sign if sign.isalnum() else "-" for sign in item.title.lower())
    link = item.link or f"https://news.example/{slug}.html"
    date = item.date if isinstance(item.date, str) or item.date is None else format_datetime(item.date)  # type: ignore[arg-type]
    return (
        f"<item><title>{escape(item.title)}</title><link>{escape(link)}</link>"
        f'<guid isPermaLink="false">{escape(item.guid or link)}</guid>'
        f"{f'<pubDate>{date}</pubDate>' if date else ''}<dc:creator>A. Author</dc:creator>"
        f"<description><![CDATA[{item.html[:80]} …]]></description>"
        f"<content:encoded><![CDATA[{item.html}]]></content:encoded></item>"
    )
