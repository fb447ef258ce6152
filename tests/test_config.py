"""Laws of config: what is right is read as written, from wherever it lies; nothing in the file breaks the reader."""

import re
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.config import find
from boltwatch.config_values import canonical_url, duration, mail_address, spell, url
from boltwatch.errors import ConfigError
from boltwatch.model import FullText
from boltwatch.secret import Secret
from boltwatch.settings import Config, EmailSettings, FeedSettings, LogSettings, Network, WebhookSettings
from tests.config_texts import FEED, HOOK, MAIL, RULE, WHSEC, complaints_of, load_text


def test_an_empty_file_is_a_config_of_defaults(tmp_path: Path) -> None:
    assert load_text(tmp_path, "") == Config(tmp_path / "config.toml", tmp_path / "boltwatch.db")


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    text = f"""
database = "data/news.db"
alert_on_first_poll = true
[network]
contact = "ops@example.org"
allow_private = ["127.0.0.0/8", "::1", "nas.home"]
per_host = 1
gap = "0s"
timeout = "5s"
max_body_mb = 2
workers = 3
[[feeds]]
url = " https://news.example/feed "
title = "Nachrichten ü"
every = "1h30m"
full_text = "never"
[[rules]]
name = "xai"
match = '''
  xAI'''
channels = ["desk"]
feeds = ["HTTPS://News.example:443/feed"]
[channels.mail]
type = "email"
host = "127.0.0.1"
port = 2525
security = "none"
username = "me"
password = "geheim"
sender = "Boltwatch <a@b.example>"
recipients = ["c@d.example", "e@f.example"]
timeout = "2s"
[channels.desk]
type = "webhook"
url = "https://hook.example/in"
secret = ["{WHSEC}", {{ env = "OLD" }}]
headers = {{ Authorization = "Bearer x" }}
timeout = "3s"
[channels."the log"]
type = "log"
level = "warning"
"""
    config = load_text(tmp_path, text, {"OLD": WHSEC})
    assert config.database == tmp_path / "data" / "news.db" and config.alert_on_first_poll
    assert config.network == Network(
        "ops@example.org", ("127.0.0.0/8", "::1", "nas.home"), 1, timedelta(0), timedelta(seconds=5), 2, 3
    )
    ninety = timedelta(minutes=90)
    assert config.feeds == (FeedSettings("https://news.example/feed", "Nachrichten ü", ninety, FullText.NEVER),)
    (rule,) = config.rules
    assert (rule.name, rule.expression.strip(), rule.channels, rule.line) == ("xai", "xAI", ("desk",), 19)
    assert rule.feeds == ("https://news.example/feed",)  # spelled as the feed is, so that the two can be compared
    people, two, three = ("c@d.example", "e@f.example"), timedelta(seconds=2), timedelta(seconds=3)
    assert config.channels == (
        EmailSettings(
            "mail", "127.0.0.1", 2525, "none", "me", Secret("geheim"), "Boltwatch <a@b.example>", people, two
        ),
        WebhookSettings(
            "desk",
            Secret("https://hook.example/in"),
            (Secret(WHSEC), Secret(WHSEC)),
            three,
            (("Authorization", Secret("Bearer x")),),
        ),
        LogSettings("the log", "warning"),
    )


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_of_a_mail_server_follows_the_security(tmp_path: Path, security: str, port: int) -> None:
    (channel,) = load_text(tmp_path, MAIL + f'security = "{security}"').channels
    assert isinstance(channel, EmailSettings) and channel.port == port


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_password_may_go_in_the_clear_to_this_very_machine(tmp_path: Path, host: str) -> None:
    text = MAIL.replace("smtp.example", host) + 'username = "me"\npassword = "x"\nsecurity = "none"'
    assert load_text(tmp_path, text).channels


def test_a_rule_without_channels_names_all_of_them(tmp_path: Path) -> None:
    assert load_text(tmp_path, RULE + MAIL + HOOK).rules[0].channels == ("mail", "desk")


def test_keywords_make_a_rule_of_any_of_them(tmp_path: Path) -> None:
    rules = load_text(tmp_path, '[[rules]]\nname = "x"\nkeywords = ["xAI", "X Corp"]').rules
    assert "xAI" in rules[0].expression and '"X Corp"' in rules[0].expression


def test_a_file_from_windows_is_read_like_any_other(tmp_path: Path) -> None:
    assert (
        load_text(tmp_path, b"\xef\xbb\xbf" + FEED.replace("\n", "\r\n").encode()).feeds
        == load_text(tmp_path, FEED).feeds
    )


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("ftp://a.example/x", '"ftp" cannot be fetched'),
        ("feed://a.example/x", 'did you mean "https://a.example/x"'),
        ("https://", "has no host"),
        ("https:///feed", "has no host"),
        ("https://a..example/", "has no host"),
        ("https://a.example:99999/", "host or port"),
        ("https://[::1/", "host or port"),
        ("https://a.example/a b", "holds a blank"),
        ("https://a.example/\x00", "holds a blank"),
        ("a.example", 'did you mean "https://a.example"'),
        ("localhost", 'write "https://'),
        ("", "is empty"),
        ("https://a.example/" + "x" * 2000, "characters long"),
    ],
)
def test_what_is_no_web_address_is_refused(address: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault.replace("?", r"\?")):
        url(address)


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8080/", "https://[::1]:80/a", "https://u:p@a.example/x?y=1#z", "https://müller.example/ä"],
)
def test_web_addresses_are_kept_as_written(address: str) -> None:
    assert url(address) == address
    assert canonical_url(canonical_url(address)) == canonical_url(address)


ADDRESSES = [
    "a@b.example",
    "Bolt <a@b.example>",
    '"Max, Eva" <a@b.example>',
    "Zoë <a@b.example>",
    "a@[127.0.0.1]",
    "a@ü.de",
]
NO_ADDRESSES = [
    "a",
    "a@",
    "@b",
    "a b@c.de",
    "a@b..c",
    "ä@b.de",
    "a@b.de, c@d.de",
    "a@b.de (x)",
    "a@b@c.de",
    f"a@{'ü' * 60}.de",
]


def test_a_mail_address_may_have_a_name_and_a_host_of_any_script() -> None:
    assert [mail_address(address) for address in ADDRESSES] == ADDRESSES
    for address in NO_ADDRESSES:
        with pytest.raises(ConfigError, match="must be one e-mail address"):
            mail_address(address)


@pytest.mark.parametrize("way", ["plain", "env", "file", "absolute", "home", "credential"])
def test_a_secret_is_found_wherever_it_lies_and_never_shown(tmp_path: Path, way: str) -> None:
    (tmp_path / "key").write_text("Tür 1\n", encoding="utf-8")
    written = {
        "plain": '"Tür 1"',
        "env": '{ env = "PW" }',
        "file": '{ file = "key" }',
        "absolute": f'{{ file = "{tmp_path}/key" }}',
        "home": '{ file = "~/key" }',
        "credential": '{ credential = "key" }',
    }[way]
    environ = {"PW": "Tür 1", "HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    config = load_text(tmp_path, MAIL + f'username = "me"\npassword = {written}', environ)
    (channel,) = config.channels
    assert isinstance(channel, EmailSettings) and channel.password == Secret("Tür 1")
    assert "Tür 1" not in f"{config!r} {channel} {channel.password} {channel.password!r}"


@pytest.mark.parametrize(
    ("way", "fault"),
    [
        ('{ env = "EMPTY" }', "the environment variable EMPTY is empty"),
        ('{ file = "none" }', "the secret cannot be read from {0}/none: No such file or directory"),
        ('{ file = "." }', "the secret cannot be read from {0}: Is a directory"),
        ('{ file = "latin" }', "the secret cannot be read from {0}/latin: it is not UTF-8 text"),
        ('{ file = "/dev/zero" }', "/dev/zero is too long for a secret (at most 64 KiB)"),
        ('{ credential = "../x" }', "must be the name of a credential, not a path (a path is given as { file = … })"),
        (
            '{ credential = "pw" }',
            "systemd has handed over no credentials (LoadCredential=pw:/path/to/it belongs into the unit; "
            "outside of systemd use env or file)",
        ),
        ('""', "is empty"),
        ("4711", 'must be text in quotes or { env = "NAME" }, { file = "PATH" }, not a number'),
    ],
)
def test_a_secret_that_is_not_there_is_told(tmp_path: Path, way: str, fault: str) -> None:
    (tmp_path / "latin").write_bytes(b"\xe4")
    complaints = complaints_of(tmp_path, MAIL + f'username = "me"\npassword = {way}', {"EMPTY": ""})
    assert complaints == ["config.toml:7 channels.mail.password: " + fault.replace("{0}", str(tmp_path))]


@given(st.integers(1, 40 * 86400))
def test_a_duration_is_read_as_it_is_spelled(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert duration(timedelta(0), timedelta(days=40))(spell(span)) == span


_RAW = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("aä.:/@[]\\\"'\n 1~", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["env", "file", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)
_KEYS = [
    "database",
    "alert_on_first_poll",
    "contact",
    "gap",
    "allow_private",
    "url",
    "every",
    "name",
    "match",
    "keywords",
]


def _toml(value: object) -> str:
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(char):04x}" for char in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(element) for element in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(element)}" for key, element in value.items()) + "}"
    return "1979-05-27" if value is None else str(value).lower()


@given(st.lists(st.tuples(st.sampled_from(["", "[network]", "[[feeds]]", "[[rules]]", "[channels.x]\ntype = 'email'",
       "[channels.y]\ntype = 'webhook'"]), st.sampled_from([*_KEYS, "channels", "feeds", "host", "password", "secret",
       "headers", "recipients", "port"]), _RAW), max_size=5))  # fmt: skip
def test_whatever_stands_in_the_file_is_either_read_or_complained_of(pieces: list[tuple[str, str, object]]) -> None:
    text = "\n".join(f"{table}\n{key} = {_toml(raw)}" for table, key, raw in pieces)
    with tempfile.TemporaryDirectory() as folder:
        assert _faults_of_place(Path(folder), text) == []


def _faults_of_place(folder: Path, text: str) -> list[str]:
    """The complaints that do not say where they belong."""
    try:
        load_text(folder, text)
    except ConfigError as error:
        return [complaint for complaint in error.complaints if not re.match(r".*config\.toml:\d+", complaint)]
    return []


def test_the_config_is_looked_for_in_the_order_of_the_page(tmp_path: Path) -> None:
    home, xdg, cwd = tmp_path / "home", tmp_path / "xdg", tmp_path / "cwd"
    environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(xdg), "BOLTWATCH_CONFIG": "named.toml"}
    places = [cwd / "config.toml", xdg / "boltwatch" / "config.toml"]
    for place in (*places, home / ".config" / "boltwatch" / "config.toml"):
        place.parent.mkdir(parents=True)
        place.touch()
    assert find("mine.toml", environ=environ, cwd=cwd) == cwd / "mine.toml"
    assert find(None, environ=environ, cwd=cwd) == cwd / "named.toml"
    del environ["BOLTWATCH_CONFIG"]
    for place in places:
        assert find(None, environ=environ, cwd=cwd) == place
        place.unlink()
    assert find(None, environ={"HOME": str(home)}, cwd=cwd) == home / ".config" / "boltwatch" / "config.toml"


@pytest.mark.skipif(Path("/etc/boltwatch/config.toml").exists(), reason="this machine has a config of its own")
def test_without_any_config_every_place_looked_at_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find(None, environ={"HOME": str(tmp_path / "h"), "XDG_CONFIG_HOME": "relative"}, cwd=tmp_path)
    for place in (tmp_path / "config.toml", tmp_path / "h/.config/boltwatch/config.toml", "/etc/boltwatch/config.toml"):
        assert str(place) in str(caught.value)
