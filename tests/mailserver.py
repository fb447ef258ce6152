"""A real SMTP server on 127.0.0.1, in a thread: takes letters, wants a login, speaks TLS, refuses, hangs, drops.

It shows a mail channel the world as it is; it knows nothing of the program under test.
"""

import asyncio
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Answers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """What arrived: the envelope, the octets, and whether it came encrypted and from whom."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes
    encrypted: bool
    login: str | None

    @property
    def mail(self) -> EmailMessage:
        """The letter as Python's own parser reads it."""
        parsed = message_from_bytes(self.octets, policy=policy.SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass(slots=True)
class MailServer:
    """`with MailServer() as server:` takes letters at server.host, server.port into server.letters.

    `answers` is looked up at each command and may be changed at any time: keys "CONNECT", "MAIL", "RCPT",
    "RCPT someone@host", "DATA" (after the final dot), "TAKEN" (the letter is kept, then this happens), "QUIT";
    values a reply such as "451 later", or "hang", "drop", and for CONNECT also "drip".
    """

    security: Literal["none", "starttls", "tls"] = "none"
    users: Mapping[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    certificate_for: str = "127.0.0.1"
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    host: str = "127.0.0.1"
    port: int = 0
    letters: list[Letter] = field(default_factory=list)
    connections: int = 0
    _authority: trustme.CA = field(default_factory=trustme.CA)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _thread: threading.Thread | None = None
    _server: asyncio.Server | None = None
    _open: list["_Protocol"] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread
        self._thread.join(5)
        self._loop.close()

    def trust(self) -> ssl.SSLContext:
        """What a client must trust to find this server's certificate good."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    async def _start(self) -> None:
        tls = self._tls() if self.security != "none" else None
        implicit = tls if self.security == "tls" else None
        self._server = await self._loop.create_server(
            lambda: _Protocol(self, tls if self.security == "starttls" else None), self.host, 0, ssl=implicit
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._server
        self._server.close()
        for protocol in self._open:
            for transport in (protocol._original_transport, protocol.transport):
                if isinstance(transport, asyncio.Transport):
                    transport.abort()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # the aborted transports close their sockets in the loop's next rounds

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(self.certificate_for).configure_cert(context)
        return context


class _Protocol(SMTP):
    """One connection."""

    def __init__(self, server: MailServer, starttls: ssl.SSLContext | None) -> None:
        left_out = {"PLAIN", "LOGIN"} - set(server.mechanisms)
        super().__init__(
            _Handler(server), tls_context=starttls, require_starttls=starttls is not None, hostname="mail.test",
            auth_require_tls=starttls is not None, authenticator=self._judge, auth_exclude_mechanism=left_out,
            loop=server._loop,
        )  # fmt: skip
        self._house = server

    def _judge(self, _s: object, _session: object, _e: object, _mechanism: str, proof: LoginPassword) -> AuthResult:
        known = self._house.users.get(proof.login.decode())
        good = known is not None and known.encode() == proof.password
        return AuthResult(success=good, handled=False, auth_data=proof)

    async def _handle_client(self) -> None:
        assert self.transport
        if self._original_transport is None:  # not the second greeting, after STARTTLS
            self._house.connections += 1
            self._house._open.append(self)
            trouble = self._house.answers.get("CONNECT")
            if trouble == "drip":
                await self._drip()
            elif trouble and (reply := await _trouble(trouble, self)):
                await self.push(reply)
                self.transport.close()
                return
        await super()._handle_client()

    async def _drip(self) -> None:
        """A greeting that never ends, one octet at a time: no single silence is ever long."""
        while self.transport and not self.transport.is_closing():
            self._writer.write(b"2")
            await asyncio.sleep(0.02)


async def _trouble(kind: str, protocol: Any) -> str:
    """A reply as it stands; "hang" never comes back, "drop" cuts the connection."""
    if kind == "hang":
        await asyncio.sleep(60)
    if kind == "drop":
        protocol.transport.abort()
        return "421 gone"
    return kind


class _Handler:
    """aiosmtpd's hooks; each answers for itself unless the test wants it otherwise."""

    def __init__(self, server: MailServer) -> None:
        self._house = server

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, protocol: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if trouble := self._house.answers.get("MAIL"):
            return await _trouble(trouble, protocol)
        if self._house.users and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, protocol: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        trouble = self._house.answers.get(f"RCPT {address}") or self._house.answers.get("RCPT")
        if trouble:
            return await _trouble(trouble, protocol)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, protocol: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if trouble := self._house.answers.get("DATA"):
            return await _trouble(trouble, protocol)
        encrypted = protocol.transport.get_extra_info("ssl_object") is not None
        login = session.auth_data.login.decode() if session.auth_data else None
        content = envelope.original_content or b""
        self._house.letters.append(
            Letter(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, encrypted, login)
        )
        if trouble := self._house.answers.get("TAKEN"):
            return await _trouble(trouble, protocol)
        return f"250 2.0.0 queued as {len(self._house.letters)}"

    async def handle_QUIT(self, protocol: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await _trouble(self._house.answers.get("QUIT", "221 Bye"), protocol)
