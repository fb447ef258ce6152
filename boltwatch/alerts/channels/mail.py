"""The e-mail channel: an alert as a letter (RFC 5322), handed to one mail server (RFC 5321).

Must never speak unencrypted unless the settings say "none", nor let the password into a message. The letter is made
by `letter`, which is pure: the same message makes the same octets on every attempt.
"""

import asyncio
import base64
import hashlib
import re
import smtplib
import socket
import ssl
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache

from boltwatch.alerts.excerpt import one_line
from boltwatch.errors import ConfigError, DeliveryError
from boltwatch.model import Message
from boltwatch.settings import EmailSettings

ANSWER_LIMIT = 200  # characters kept of what the server says
WHOLE_TALK = 2  # times the timeout for one answer: the longest a delivery, and so a shutdown, may take
_THREADS = 4  # letters on their way at once; a channel's own, so that a hanging server delays no other channel
_REMEMBERED = 1_000  # letters taken by some recipients only

Refusals = Mapping[str, tuple[int, str]]


@dataclass(slots=True)
class Talk:
    """What came of one conversation: who took the letter, who refused it with which reply, the server's last words."""

    took: set[str] = field(default_factory=set)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    answer: str = ""


class MailChannel:
    """Hands alerts to a mail server, one connection a letter.

    Delivered: every recipient took it, or those who did not were refused for good (then the answer names them). If
    some were only put off, the letter is tried again for these alone; who has it is remembered in memory, so a restart
    may repeat it, under the same Message-ID. Permanent: a 5xx reply to the sender, to all recipients or to the letter.
    A refused login, a missing STARTTLS or a bad certificate is tried again: the owner may mend it and lose no alert.
    """

    def __init__(self, settings: EmailSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._sender = _address(settings.name, settings.sender)
        self._recipients = tuple(_address(settings.name, recipient) for recipient in settings.recipients)
        if not self._recipients:
            raise ConfigError((f'channel "{settings.name}": name at least one recipient',))
        self._tls = tls or ssl.create_default_context()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"mail-{settings.name}")
        self._partly: dict[str, set[str]] = {}  # message key -> who has the letter already

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Hands the letter over once; the server's reply to it.

        A cancelled send still ends its conversation in its thread, which can double the letter, never lose it.
        """
        octets = self._octets(message)
        had = self._partly.get(message.key, set())
        missing = [recipient.addr_spec for recipient in self._recipients if recipient.addr_spec not in had]
        loop = asyncio.get_running_loop()
        talk = await loop.run_in_executor(self._threads, self._deliver, octets, missing)
        return self._settled(message.key, had | talk.took, talk)

    def _octets(self, message: Message) -> bytes:
        try:
            return letter(message, self._sender, self._recipients).as_bytes()
        except (ValueError, MessageError) as error:  # the mail library's own net against broken headers
            raise self._error(f"the letter cannot be written: {error}", permanent=True) from error

    def _settled(self, key: str, took: set[str], talk: Talk) -> str:
        """The answer of a delivered letter; else remembers who has it and raises."""
        self._partly.pop(key, None)
        put_off = {who: reply for who, reply in talk.refused.items() if reply[0] < 500}
        if not took:
            raise self._error(f"every recipient was refused: {_named(talk.refused)}", permanent=not put_off)
        if put_off:
            self._partly[key] = took
            while len(self._partly) > _REMEMBERED:
                del self._partly[next(iter(self._partly))]
            raise self._error(f"not taken yet for {_named(put_off)}")
        refused = f"refused for {_named(talk.refused)}; others: " if talk.refused else ""
        return one_line(self._hide(refused + talk.answer), ANSWER_LIMIT)

    def _deliver(self, octets: bytes, recipients: list[str]) -> Talk:
        """One conversation, in a thread; all of its troubles as DeliveryError."""
        late = threading.Event()
        try:
            with self._line(late) as smtp:
                self._open(smtp)
                return self._talk(smtp, octets, recipients)
        except (
            OSError,
            ValueError,
        ) as error:  # smtplib's own are OSErrors; ValueError: a TLS socket unwrapped by a cut
            long = f"the conversation took longer than {WHOLE_TALK * self._settings.timeout.total_seconds():g} s"
            raise self._error(long if late.is_set() else self._trouble(error)) from None

    def _trouble(self, error: OSError | ValueError) -> str:
        """What went wrong, and what the owner can do about it."""
        match error:
            case smtplib.SMTPNotSupportedError():
                return f"{error}; set security and login to what the server offers"
            case smtplib.SMTPAuthenticationError():
                return f"login refused ({_said(error)}); check username and password"
            case smtplib.SMTPResponseException():
                return _said(error)
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted: {error.verify_message}"
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            return f"no answer within {self._settings.timeout.total_seconds():g} s"
        return str(error) or type(error).__name__

    @contextmanager
    def _line(self, late: threading.Event) -> Iterator[smtplib.SMTP]:
        """An SMTP client, not connected yet, that is cut off when the whole conversation takes too long."""
        seconds = self._settings.timeout.total_seconds()
        if self._settings.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(local_hostname=_own_name(), timeout=seconds, context=self._tls)
        else:
            smtp = smtplib.SMTP(local_hostname=_own_name(), timeout=seconds)
        smtp._host = self._settings.host  # type: ignore[attr-defined]  # else the certificate's name is not checked
        cut = threading.Timer(WHOLE_TALK * seconds, _cut, (smtp, late))
        cut.daemon = True
        cut.start()
        try:
            yield smtp
        finally:
            cut.cancel()
            smtp.close()

    def _open(self, smtp: smtplib.SMTP) -> None:
        """Connected, encrypted as the settings demand and logged in."""
        code, reply = smtp.connect(self._settings.host, self._settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, reply)
        if self._settings.security == "starttls":
            smtp.ehlo_or_helo_if_needed()
            code, reply = smtp.starttls(context=self._tls)
            if code != 220:
                raise smtplib.SMTPResponseException(code, reply)
        smtp.ehlo_or_helo_if_needed()
        if self._settings.username and self._settings.password:
            _log_in(smtp, self._settings.username, self._settings.password.reveal())

    def _talk(self, smtp: smtplib.SMTP, octets: bytes, recipients: list[str]) -> Talk:
        """The letter handed over. A 5xx reply to sender or letter raises a permanent DeliveryError."""
        talk = Talk()
        self._check("the sender", *smtp.mail(self._sender.addr_spec, [f"size={len(octets)}"] * smtp.has_extn("size")))
        for recipient in recipients:
            code, reply = smtp.rcpt(recipient)
            if code == 421:  # the server is about to close
                raise smtplib.SMTPResponseException(code, reply)
            if code not in (250, 251):
                talk.refused[recipient] = (code, _words(reply))
        if took := set(recipients) - talk.refused.keys():
            code, reply = smtp.data(octets)
            self._check("the letter", code, reply)
            talk.took, talk.answer = took, f"{code} {_words(reply)}"
        _leave(smtp)
        return talk

    def _check(self, what: str, code: int, reply: bytes) -> None:
        if code // 100 != 2:
            # 530, 534, 535, 538: the server wants a login, which the owner can mend (RFC 4954 section 6).
            permanent = code >= 500 and code not in (530, 534, 535, 538)
            raise self._error(f"{what} was refused: {code} {_words(reply)}", permanent=permanent)

    def _error(self, what: str, *, permanent: bool = False) -> DeliveryError:
        where = f'e-mail "{self.name}" at {self._settings.host}:{self._settings.port}: '
        return DeliveryError(where + one_line(self._hide(what), ANSWER_LIMIT), permanent=permanent)

    def _hide(self, text: str) -> str:
        password = self._settings.password.reveal() if self._settings.password else ""
        for hidden in (password, base64.b64encode(password.encode()).decode()):
            text = text.replace(hidden, "***") if hidden else text
        return text


def letter(message: Message, sender: Address, recipients: tuple[Address, ...]) -> EmailMessage:
    """The message as multipart/alternative, seven bits a line of at most 998 octets, the same on every attempt.

    Alerts of one story are one thread: each refers to a letter that is never sent, the story itself (RFC 5322 3.6.4).
    """
    host, alert = _host(sender), message.alert
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = recipients
    mail["Subject"] = one_line(message.subject, 400).replace("=?", "= ?")  # else read as an encoded word (RFC 2047)
    mail["Date"] = format_datetime(alert.created_at.astimezone(UTC))
    mail["Message-ID"] = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@{host}>"
    mail["In-Reply-To"] = mail["References"] = f"<story-{alert.story_id}@{host}>"
    mail["List-Id"] = f"<{_label(alert.rule)}.boltwatch.{host}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{hashlib.sha256(message.key.encode()).hexdigest()[32:]}")
    return mail


def _address(channel: str, text: str) -> Address:
    """The address of "Name <user@host>" or "user@host", its host as the DNS knows it."""
    name, plain = parseaddr(text)
    user, _, host = plain.rpartition("@")
    try:
        if not (text.isprintable() and user.isascii() and user and host):
            raise ValueError
        return Address(one_line(name, 100), user, host.encode("idna").decode())
    except (ValueError, MessageError, IndexError):
        raise ConfigError((f'channel "{channel}": {one_line(text, 100)!r} is not a mail address',)) from None


def _host(sender: Address) -> str:
    return sender.domain.lower()


def _label(rule: str) -> str:
    """The rule's name as a label of a List-Id (RFC 2919); a name that had to be changed carries a digest of itself."""
    ascii_name = unicodedata.normalize("NFKD", rule).encode("ascii", "ignore").decode().lower()
    label = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:40]
    if label == rule.lower():
        return label
    digest = hashlib.sha256(rule.encode(errors="replace")).hexdigest()[:6]
    return f"{label}-{digest}".lstrip("-")


def _log_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    """AUTH PLAIN in UTF-8 (RFC 4616), which smtplib's own login cannot; other mechanisms are left to smtplib."""
    if "PLAIN" not in smtp.esmtp_features.get("auth", "").upper().split():
        smtp.login(username, password)
        return
    proof = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
    code, reply = smtp.docmd("AUTH", f"PLAIN {proof}")
    if code not in (235, 503):  # 503: logged in already
        raise smtplib.SMTPAuthenticationError(code, reply)


def _leave(smtp: smtplib.SMTP) -> None:
    """Says good-bye. The letter is taken by now: whatever goes wrong here must not bring it twice."""
    with suppress(OSError):
        if smtp.sock:
            smtp.sock.settimeout(1)
        smtp.quit()


def _cut(smtp: smtplib.SMTP, late: threading.Event) -> None:
    late.set()
    if smtp.sock:
        with suppress(OSError):
            # The plain socket's shutdown: SSLSocket's own would pull the TLS state from under the waiting thread.
            socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)


@cache
def _own_name() -> str:
    """This machine's name for EHLO; asked once, because the answer may take the resolver seconds."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def _words(reply: bytes | str) -> str:
    return one_line(reply.decode(errors="replace") if isinstance(reply, bytes) else reply, ANSWER_LIMIT)


def _said(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_words(error.smtp_error)}"


def _named(refused: Refusals) -> str:
    return ", ".join(f"{who} ({code} {words})" for who, (code, words) in refused.items())
