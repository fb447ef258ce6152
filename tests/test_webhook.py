"""The webhook channel against a real HTTP server, with the public standardwebhooks library as the receiver."""

import asyncio
import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from boltwatch.alerts.channels.webhook import LONGEST_WAIT, WebhookChannel, retry_after
from boltwatch.alerts.compose import compose
from boltwatch.errors import ConfigError, DeliveryError, Refused
from boltwatch.model import Alert, Article, Message, Span
from boltwatch.secret import Secret
from boltwatch.settings import WebhookSettings

CREATED_AT = datetime(2026, 11, 24, 8, 0, 30, tzinfo=UTC)
OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (65, 66))
PATH = "/hook/very-secret-token?key=also-secret"
DOCS = Path(__file__).parent.parent / "docs"


@dataclass(slots=True)
class Receiver:
    """A server on 127.0.0.1 that keeps what it got and answers as the test wishes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0  # before each octet of the body
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    house = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name
            body = self.rfile.read(int(self.headers["content-length"]))
            house.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(house.status)
            for name, value in ({"content-length": str(len(house.body))} | house.headers).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for octet in house.body if house.delay else ():
                    time.sleep(house.delay)
                    self.wfile.write(bytes([octet]))
                    self.wfile.flush()
                self.wfile.write(b"" if house.delay else house.body)
            except OSError:  # the client has left, as it may
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing: the tests look at `got`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    house.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield house
    server.shutdown()
    thread.join()
    server.server_close()


def message(key: str = "k1") -> Message:
    text = "Die Firma xAI baut „Grok“. 🦊"
    of = Article("a", "d", "https://news.example/x", "xAI baut", "Ein Anfang.", text, published_at=CREATED_AT)
    hits = (Span("title", 0, 3), Span("text", 10, 13))
    return compose(Alert(7, "xai", "xAI", 41, of, hits, "Nachrichten", "https://n.example/f", CREATED_AT, 5), key=key)


def settings(url: str, *secrets: str, timeout: float = 5, headers: tuple[tuple[str, str], ...] = ()) -> WebhookSettings:
    hidden = tuple((name, Secret(value)) for name, value in headers)
    return WebhookSettings("desk", Secret(url), tuple(map(Secret, secrets)), timedelta(seconds=timeout), hidden)


def send(to: WebhookSettings, at: datetime | None = None, transport: httpx.AsyncBaseTransport | None = None) -> str:
    async def once() -> str:
        async with transport or httpx.AsyncHTTPTransport() as way:
            channel = WebhookChannel(to, transport=way, user_agent="Boltwatch/test")
            return await channel.send(message(), attempt_at=at or datetime.now(UTC))

    return asyncio.run(once())


def failure(
    to: WebhookSettings, at: datetime | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(to, at, transport)
    for hidden in ("very-secret-token", "also-secret", OLD, NEW, OLD[6:], "Bearer abc"):
        assert hidden not in f"{caught.value!r}{caught.value.__cause__!r}"
    return caught.value


def test_the_public_library_accepts_the_signature(receiver: Receiver) -> None:
    assert send(settings(receiver.url + PATH, OLD)) == "200 OK"
    ((path, headers, body),) = receiver.got
    assert path == PATH
    assert Webhook(OLD).verify(body, headers) == json.loads(message().payload)
    assert headers["webhook-id"] == "k1"
    assert (headers["content-type"], headers["user-agent"]) == ("application/json", "Boltwatch/test")


def test_a_changed_body_or_another_key_is_not_accepted(receiver: Receiver) -> None:
    send(settings(receiver.url, OLD))
    ((_, headers, body),) = receiver.got
    for key, content in ((OLD, body.replace(b"xAI", b"xBI")), (NEW, body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(content, headers)


def test_while_a_key_is_changed_old_and_new_receivers_both_accept(receiver: Receiver) -> None:
    send(settings(receiver.url, OLD, NEW))
    ((_, headers, body),) = receiver.got
    assert Webhook(OLD).verify(body, headers) == Webhook(NEW).verify(body, headers)


def test_an_instant_of_another_zone_is_signed_as_the_same_instant(receiver: Receiver) -> None:
    send(settings(receiver.url, OLD), at=datetime.now(timezone(timedelta(hours=2))))
    ((_, headers, body),) = receiver.got
    assert Webhook(OLD).verify(body, headers)


def test_the_timestamp_is_of_the_attempt_and_the_id_and_body_of_the_alert(receiver: Receiver) -> None:
    for hour in (9, 10):
        send(settings(receiver.url, OLD), at=datetime(2026, 11, 24, hour, tzinfo=UTC))
    (_, first, body), (_, second, again) = receiver.got
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 3600
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    assert first["webhook-signature"] != second["webhook-signature"]


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    send(settings(receiver.url))
    assert "webhook-signature" not in receiver.got[0][1]


def test_headers_of_the_owner_are_sent(receiver: Receiver) -> None:
    send(
        settings(
            receiver.url, headers=(("Authorization", "Bearer abc"), ("X-Grüße".encode("ascii", "ignore").decode(), "ü"))
        )
    )
    headers = receiver.got[0][1]
    assert headers["authorization"] == "Bearer abc"
    assert headers["x-gre"].encode("latin-1").decode() == "ü"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_delivery(status: int, receiver: Receiver) -> None:
    receiver.status = status
    assert send(settings(receiver.url)).startswith(str(status))


@pytest.mark.parametrize(
    "status", [301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504]
)
def test_every_other_answer_is_tried_again(status: int, receiver: Receiver) -> None:
    receiver.status = status
    error = failure(settings(receiver.url + PATH, OLD))
    assert not error.permanent
    assert str(error).startswith(f'webhook "desk" at 127.0.0.1: answered {status}')


def test_only_gone_is_permanent(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 410, {"retry-after": "60"}
    error = failure(settings(receiver.url))
    assert error.permanent and error.wait is None


def test_a_redirect_is_never_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"location": receiver.url + "/elsewhere"}
    assert "never followed" in str(failure(settings(receiver.url + PATH)))
    assert len(receiver.got) == 1


AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(minutes=2)),
        ("0000000000000120", timedelta(minutes=2)),
        ("99999999999999999999999", LONGEST_WAIT),
        ("Tue, 24 Nov 2026 09:02:00 GMT", timedelta(minutes=2)),
        ("Tue, 24 Nov 2026 09:02:00 -0000", timedelta(minutes=2)),
        ("Tue, 24 Nov 2026 08:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_wait_from_zero_to_a_day(
    value: str | None, wait: timedelta | None, receiver: Receiver
) -> None:
    assert retry_after(value, AT) == wait
    receiver.status, receiver.headers = 503, {"retry-after": value} if value is not None else {}
    assert failure(settings(receiver.url), AT).wait == wait


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [+-]?\w{0,6}"))
def test_no_retry_after_breaks_a_delivery(value: str) -> None:
    wait = retry_after(value, AT)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT


def test_the_answer_is_short_printable_and_free_of_secrets(receiver: Receiver) -> None:
    receiver.body = f"you\r\nsent \x1b[2J {PATH} {OLD} Bearer abc ".encode() + b"\xff" * 100_000
    answer = send(settings(receiver.url + PATH, OLD, headers=(("authorization", "Bearer abc"),)))
    assert answer.startswith("200 OK: you sent [2J *** *** ***")
    assert len(answer) <= 200 and answer.isprintable()
    receiver.status = 500
    assert "***" in str(failure(settings(receiver.url + PATH, OLD, headers=(("authorization", "Bearer abc"),))))


def test_a_packed_answer_is_not_unpacked(receiver: Receiver) -> None:
    receiver.headers, receiver.body = {"content-encoding": "gzip"}, b"\x1f\x8b not even gzip"
    assert send(settings(receiver.url)) == "200 OK"


def test_an_answer_that_drips_is_given_up_after_the_whole_time(receiver: Receiver) -> None:
    receiver.body, receiver.delay = b"x" * 100, 0.05
    begun = time.monotonic()
    error = failure(settings(receiver.url, timeout=0.3))
    assert time.monotonic() - begun < 1.5
    assert "no answer within 0.3 s" in str(error) and not error.permanent


def test_nobody_listening_is_tried_again(receiver: Receiver) -> None:
    assert not failure(settings("http://127.0.0.1:1" + PATH, OLD)).permanent


def test_a_transport_that_refuses_the_address_is_heard(receiver: Receiver) -> None:
    class Guarded(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise Refused(f"{request.url} is in a private network; name it in network.allow_private")

    error = failure(settings(receiver.url + PATH, OLD), transport=Guarded())
    assert "*** is in a private network; name it in network.allow_private" in str(error) and not error.permanent
    assert not receiver.got


def test_cookies_of_one_answer_do_not_go_into_the_next_request(receiver: Receiver) -> None:
    async def twice() -> None:
        async with httpx.AsyncHTTPTransport() as way:
            channel = WebhookChannel(settings(receiver.url), transport=way, user_agent="Boltwatch/test")
            for _ in range(2):
                await channel.send(message(), attempt_at=AT)

    receiver.headers = {"set-cookie": "track=1"}
    asyncio.run(twice())
    assert [headers.get("cookie") for _, headers, _ in receiver.got] == [None, None]


@pytest.mark.parametrize(
    "wrong",
    [
        settings("ftp://127.0.0.1" + PATH),
        settings("/just" + PATH),
        settings("http://127.0.0.1:port" + PATH),
        settings("http://127.0.0.1" + PATH, "whsec_dG9vIHNob3J0"),
        settings("http://127.0.0.1" + PATH, "whsec_" + "ä" * 40),
        settings("http://127.0.0.1" + PATH, "whsec_" + base64.b64encode(b"x" * 65).decode()),
        settings("http://127.0.0.1" + PATH, headers=(("webhook-id", "mine"),)),
        settings("http://127.0.0.1" + PATH, headers=(("bad name", "x"),)),
        settings("http://127.0.0.1" + PATH, headers=(("x-two", "very-secret-token\r\nx: y"),)),
    ],
)
def test_settings_that_can_never_work_are_named_at_the_start_and_not_shown(wrong: WebhookSettings) -> None:
    with pytest.raises(ConfigError, match='channel "desk"') as caught:
        WebhookChannel(wrong, transport=httpx.AsyncHTTPTransport(), user_agent="Boltwatch/test")
    assert "secret-token" not in str(caught.value) and "dG9v" not in str(caught.value)


def test_the_documented_check_accepts_what_is_sent_and_nothing_else(receiver: Receiver) -> None:
    """The Python of docs/webhook.md, run as it stands."""
    (source,) = re.findall(r"```python\n(.+?)```", (DOCS / "webhook.md").read_text(), re.DOTALL)
    page: dict[str, object] = {}
    exec(source, page)  # noqa: S102  # our own page
    check = page["check"]
    assert callable(check)
    send(settings(receiver.url, OLD, NEW))
    ((_, headers, body),) = receiver.got
    now = time.time()
    assert check(headers, body, NEW, now) == json.loads(body)
    for wrong in (
        (headers, body + b" ", NEW, now),
        (headers, body, "whsec_" + "A" * 32, now),
        (headers, body, NEW, now + 301),
    ):
        with pytest.raises(ValueError, match="webhook"):
            check(*wrong)
