"""The e-mail channel against a real SMTP server: letters as they arrive, and every way a server can fail."""

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.alerts.channels.mail import MailChannel
from boltwatch.alerts.compose import compose
from boltwatch.errors import ConfigError, DeliveryError
from boltwatch.model import Alert, Article, Message, Span
from boltwatch.secret import Secret
from boltwatch.settings import EmailSettings, Security
from tests.mailserver import Letter, MailServer

CREATED_AT = datetime(2026, 11, 24, 8, 0, 30, tzinfo=UTC)
PASSWORD = "geheim-Pässwort-1"


def message(title: str = "xAI baut in Memphis", *, key: str = "k1", rule: str = "xai", story_id: int = 5) -> Message:
    text = "Die Firma xAI baut. 🦊 Mehr folgt."
    of = Article("a", "d", "https://news.example/x", title, "Ein Anfang.", text, published_at=CREATED_AT)
    hits = (Span("text", 10, 13),)
    return compose(
        Alert(7, rule, "xAI", 41, of, hits, "Nachrichten", "https://n.example/f", CREATED_AT, story_id), key=key
    )


def channel(
    server: MailServer,
    *,
    security: Security | None = None,
    password: str | None = None,
    recipients: tuple[str, ...] = ("anna@example.org",),
    sender: str = "Boltwatch <bolt@example.org>",
    timeout: float = 5,
    tls: ssl.SSLContext | None = None,
) -> MailChannel:
    settings = EmailSettings(
        "desk", server.host, server.port, security or server.security,
        "bolt" if password else None, Secret(password) if password else None,
        sender, recipients, timedelta(seconds=timeout),
    )  # fmt: skip
    return MailChannel(settings, tls=tls or server.trust())


def send(by: MailChannel, what: Message | None = None) -> str:
    return asyncio.run(by.send(what or message(), attempt_at=datetime(2026, 11, 24, 9, tzinfo=UTC)))


def failure(by: MailChannel, what: Message | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(by, what)
    return caught.value


def arrived(title: str = "xAI", **changes: object) -> Letter:
    with MailServer() as server:
        send(channel(server), message(title, **changes))  # type: ignore[arg-type]
    return server.letters[0]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_goes_encrypted_and_logged_in(security: Security) -> None:
    with MailServer(security=security, users={"bolt": PASSWORD}) as server:
        answer = send(channel(server, password=PASSWORD))
    (letter,) = server.letters
    assert answer == "250 2.0.0 queued as 1"
    assert (letter.encrypted, letter.login) == (True, "bolt")
    assert (letter.sender, letter.recipients) == ("bolt@example.org", ("anna@example.org",))


def test_a_server_that_knows_only_auth_login_is_served() -> None:
    with MailServer(security="tls", users={"bolt": "ascii-word"}, mechanisms=("LOGIN",)) as server:
        send(channel(server, password="ascii-word"))
    assert server.letters[0].login == "bolt"


def test_no_letter_and_no_password_leaves_without_encryption() -> None:
    """A server that offers no STARTTLS gets nothing when STARTTLS is set; the owner may mend it, so it is retried."""
    with MailServer(users={"bolt": PASSWORD}) as server:
        error = failure(channel(server, security="starttls", password=PASSWORD))
    assert not server.letters
    assert not error.permanent
    assert "STARTTLS" in str(error)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_another_name_or_maker_is_refused(security: Security) -> None:
    with MailServer(security=security, certificate_for="elsewhere.test") as server:
        wrong_name = failure(channel(server))
        unknown_maker = failure(channel(server, tls=ssl.create_default_context()))
    assert not server.letters
    for error in (wrong_name, unknown_maker):
        assert "certificate is not trusted" in str(error) and not error.permanent


def test_a_wrong_password_is_retried_and_never_shown() -> None:
    with MailServer(security="tls", users={"bolt": "other"}) as server:
        error = failure(channel(server, password=PASSWORD))
    assert not error.permanent
    assert "login refused (535" in str(error) and "check username and password" in str(error)
    assert PASSWORD not in f"{error!r}{error.__cause__!r}"


def test_a_server_that_says_the_password_aloud_is_not_quoted() -> None:
    with MailServer(answers={"DATA": f"550 you said {PASSWORD}"}, users={"bolt": PASSWORD}, security="tls") as server:
        error = failure(channel(server, password=PASSWORD.encode("ascii", "ignore").decode()))
        assert "535" in str(error)
    with MailServer(
        answers={"DATA": "550 you said plain-word"}, users={"bolt": "plain-word"}, security="tls"
    ) as server:
        error = failure(channel(server, password="plain-word"))
    assert "550 you said ***" in str(error)


@pytest.mark.parametrize(
    ("answers", "permanent", "said"),
    [
        ({"CONNECT": "554 no service"}, False, "554"),
        ({"CONNECT": "421 busy"}, False, "421"),
        ({"CONNECT": "drop"}, False, "closed"),
        ({"MAIL": "550 5.7.1 sender rejected"}, True, "the sender was refused: 550 5.7.1 sender rejected"),
        ({"MAIL": "451 later"}, False, "451 later"),
        ({"MAIL": "530 5.7.0 login first"}, False, "530 5.7.0 login first"),
        ({"RCPT": "550 no such user"}, True, "anna@example.org (550 no such user)"),
        ({"RCPT": "450 greylisted"}, False, "anna@example.org (450 greylisted)"),
        ({"DATA": "552 too big"}, True, "the letter was refused: 552 too big"),
        ({"DATA": "452 disk full"}, False, "452 disk full"),
        ({"DATA": "drop"}, False, "127.0.0.1"),
    ],
)
def test_a_refusal_says_whether_trying_again_can_help(answers: dict[str, str], permanent: bool, said: str) -> None:
    with MailServer(answers=answers) as server:
        error = failure(channel(server))
        assert error.permanent is permanent
        assert said in str(error) and str(error).startswith(f'e-mail "desk" at 127.0.0.1:{server.port}: ')
        assert not server.letters
        server.answers.clear()
        send(channel(server))
    assert len(server.letters) == 1


@pytest.mark.parametrize("answers", [{"CONNECT": "hang"}, {"CONNECT": "drip"}, {"MAIL": "hang"}, {"DATA": "hang"}])
def test_a_silent_or_dripping_server_is_given_up(answers: dict[str, str]) -> None:
    with MailServer(answers=answers) as server:
        begun = time.monotonic()
        error = failure(channel(server, timeout=0.15))
    assert time.monotonic() - begun < 2
    assert not error.permanent and ("no answer within 0.15 s" in str(error) or "longer than 0.3 s" in str(error))


def test_nobody_listening_is_retried() -> None:
    with MailServer() as server:
        pass
    assert not failure(channel(server)).permanent


def test_a_lost_good_bye_does_not_undo_a_delivery() -> None:
    with MailServer(answers={"QUIT": "drop"}) as server:
        assert send(channel(server)).startswith("250")


def test_a_letter_taken_without_a_word_comes_again_under_the_same_id() -> None:
    """Between the final dot and its answer nobody can know (RFC 1047); the Message-ID lets a mailbox drop it."""
    with MailServer(answers={"TAKEN": "drop"}) as server:
        by = channel(server)
        assert not failure(by).permanent
        server.answers.clear()
        send(by)
    first, second = server.letters
    assert first.octets == second.octets
    assert len(first.octets) > 1_000


def test_a_recipient_refused_for_good_does_not_hold_the_letter_from_others() -> None:
    with MailServer(answers={"RCPT gone@example.org": "550 unknown"}) as server:
        answer = send(channel(server, recipients=("anna@example.org", "gone@example.org")))
    assert server.letters[0].recipients == ("anna@example.org",)
    assert answer == "refused for gone@example.org (550 unknown); others: 250 2.0.0 queued as 1"


def test_a_recipient_put_off_gets_the_letter_later_and_nobody_gets_it_twice() -> None:
    with MailServer(answers={"RCPT late@example.org": "450 greylisted"}) as server:
        by = channel(server, recipients=("anna@example.org", "late@example.org"))
        error = failure(by)
        assert not error.permanent and "late@example.org (450 greylisted)" in str(error)
        server.answers.clear()
        send(by)
    assert [letter.recipients for letter in server.letters] == [("anna@example.org",), ("late@example.org",)]


def test_the_letter_is_text_and_page_in_seven_bits_and_short_lines() -> None:
    letter = arrived("Grüße 🦊 " * 40)
    assert letter.octets.isascii()
    assert max(map(len, letter.octets.split(b"\r\n"))) <= 998
    assert letter.mail.get_content_type() == "multipart/alternative"
    plain, page = letter.mail.iter_parts()
    assert "> Die Firma *xAI* baut." in plain.get_content()
    assert ">xAI</mark> baut." in page.get_content()
    assert plain["content-type"].params["charset"] == page["content-type"].params["charset"] == "utf-8"
    assert not letter.mail.defects


def test_the_headers_tell_mail_programs_what_they_deal_with() -> None:
    mail = arrived("xAI baut").mail
    assert mail["From"] == "Boltwatch <bolt@example.org>" and mail["To"] == "anna@example.org"
    assert mail["Subject"] == "[xai] xAI baut (Nachrichten)"
    assert mail["Date"].datetime == CREATED_AT
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "<xai.boltwatch.example.org>"
    assert mail["MIME-Version"] == "1.0"


def test_the_id_is_of_the_key_and_alerts_of_one_story_thread() -> None:
    one, two, other = (
        arrived(**changes).mail for changes in ({"key": "k1"}, {"key": "k2"}, {"key": "k3", "story_id": 6})
    )
    assert len({mail["Message-ID"] for mail in (one, two, other)}) == 3
    assert one["Message-ID"].endswith("@example.org>")
    assert one["References"] == one["In-Reply-To"] == two["References"] == "<story-5@example.org>"
    assert other["References"] == "<story-6@example.org>"


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        ("xai", "xai"),
        ("uk-rates", "uk-rates"),
        ("Öl & Gas", "ol-gas-"),
        ("漢字", ""),
        ("a\r\nBcc: eve@example.org", "a-bcc-"),
    ],
)
def test_every_rule_has_a_list_id_of_its_own(rule: str, label: str) -> None:
    value = str(arrived(rule=rule).mail["List-Id"])
    assert value.startswith(f"<{label}") and value.endswith(".boltwatch.example.org>")
    assert value.isascii() and " " not in value


NASTY = st.text(st.sampled_from('aäß🦊ع \r\n\t,;:<>@"\\=?_\x00\u202e\u2028\ud800.') | st.characters(), max_size=200)


def test_no_title_can_add_a_header_or_an_addressee() -> None:
    with MailServer() as server:
        by = channel(server)

        @given(NASTY)
        def law(title: str) -> None:
            told = message(f"{title}\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>")
            send(by, told)
            letter = server.letters.pop()
            assert letter.mail["Subject"].strip() == told.subject.replace(
                "=?", "= ?"
            )  # Python folds before a long word
            assert letter.recipients == ("anna@example.org",)
            assert sorted(letter.mail.keys()) == sorted(expected)
            assert not letter.mail.defects

        send(by)
        expected = server.letters.pop().mail.keys()
        law()


@pytest.mark.parametrize("title", ["x" * 10_000, "ü" * 10_000, "🦊 " * 5_000, "عربي " * 2_000])
def test_a_monstrous_title_arrives_as_composed(title: str) -> None:
    assert arrived(title).mail["Subject"] == message(title).subject


def test_a_title_that_looks_encoded_is_not_decoded() -> None:
    assert arrived("=?utf-8?q?Bank?=").mail["Subject"] == "[xai] = ?utf-8?q?Bank?= (Nachrichten)"


@pytest.mark.parametrize("bad", ["nobody", "a@", "@b.example", "a@b\r\nBcc: c@d.example", "ä@b.example", ""])
def test_an_address_that_is_none_is_named_at_the_start(bad: str) -> None:
    with pytest.raises(ConfigError, match=r'channel "desk": .* is not a mail address'):
        channel(MailServer(), recipients=(bad,))


def test_an_international_host_is_written_as_the_dns_knows_it() -> None:
    with MailServer() as server:
        send(channel(server, sender="Zürich Büro <b@bücher.example>"))
    assert server.letters[0].sender == "b@xn--bcher-kva.example"
    assert server.letters[0].mail["From"].addresses[0].display_name == "Zürich Büro"


def test_a_hanging_server_does_not_hold_the_loop_or_another_channel() -> None:
    async def both(slow: MailChannel, quick: MailChannel) -> float:
        waiting = [asyncio.create_task(slow.send(message(key=f"s{n}"), attempt_at=CREATED_AT)) for n in range(6)]
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        await quick.send(message(), attempt_at=CREATED_AT)
        took = time.monotonic() - begun
        await asyncio.gather(*waiting, return_exceptions=True)
        return took

    with MailServer(answers={"CONNECT": "hang"}) as hanging, MailServer() as healthy:
        assert asyncio.run(both(channel(hanging, timeout=0.8), channel(healthy))) < 0.8
