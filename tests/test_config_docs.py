"""Laws of the config's papers: docs/config.md tells every key there is and no other; the sample works as it stands."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from boltwatch.config import NETWORK_KEYS, known_keys, load
from boltwatch.config_channels import channel_readers
from boltwatch.config_secrets import Surroundings
from boltwatch.config_subjects import FEED_KEYS
from boltwatch.errors import ConfigError
from boltwatch.settings import Config, EmailSettings, FeedSettings, LogSettings, Network, WebhookSettings

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "config.toml"
PAGE = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
ENVIRON = {
    "BOLTWATCH_MAIL_PASSWORD": "open sesame",
    "BOLTWATCH_HOOK_SECRET": "whsec_" + "QUJD" * 11,
    "BOLTWATCH_HOOK_TOKEN": "Bearer 1234",
}
TITLES = {"The top of the file": "", "`[network]`": "network", "`[[feeds]]`": "feeds", "`[[rules]]`": "rules"}


def _documented() -> dict[str, dict[str, list[str]]]:
    """Section -> key -> the cells type, default, meaning, example of its row."""
    found: dict[str, dict[str, list[str]]] = {}
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]:
        title = section.split("\n", 1)[0]
        kind = re.fullmatch(r'`type = "(\w+)"`', title)
        rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, flags=re.MULTILINE)
        if rows:
            key = f"channels.{kind[1]}" if kind else TITLES[title]
            found[key] = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    return found


def test_each_key_that_is_known_is_documented_and_each_that_is_documented_is_known() -> None:
    assert {table: sorted(keys) for table, keys in _documented().items()} == {
        table: sorted(keys) for table, keys in known_keys().items()
    }


@pytest.mark.parametrize("table", known_keys())
def test_each_key_is_documented_in_full(table: str) -> None:
    for key, cells in _documented()[table].items():
        assert len(cells) == 4, key
        assert key == "type" or cells[2], key


def test_every_documented_example_is_accepted(tmp_path: Path) -> None:
    rules = _examples("rules")
    keywords = rules.pop("keywords")
    text = f"""{_pairs(_examples(""))}
[network]
{_pairs(_examples("network"))}
[[feeds]]
{_pairs(_examples("feeds"))}
[[rules]]
{_pairs(rules)}
[[rules]]
name = "by keywords"
keywords = {keywords}
[channels.mail]
{_pairs(_examples("channels.email"))}
[channels.desk]
{_pairs(_examples("channels.webhook"))}
[channels.log]
{_pairs(_examples("channels.log"))}
"""
    config = _load(tmp_path, text)
    assert (len(config.feeds), len(config.rules), len(config.channels)) == (1, 2, 3)
    assert config.network.contact == "you@example.org" and config.rules[0].feeds == (config.feeds[0].url,)


def _examples(table: str) -> dict[str, str]:
    """Key -> example; of the top, without the tables."""
    rows = {key: cells[3].strip("`") for key, cells in _documented()[table].items()}
    return {key: example for key, example in rows.items() if table or not example.startswith("[")}


def _pairs(examples: dict[str, str]) -> str:
    return "\n".join(f"{key} = {example}" for key, example in examples.items())


def test_the_complaints_on_the_page_are_what_such_a_file_gets(tmp_path: Path) -> None:
    lines = [""] * 21
    lines[0], lines[1], lines[11] = "[channels.desktop]", 'type = "log"', "[[feeds]]"
    lines[8], lines[9] = "[[feeds]]", 'url = "https://one.example/feed"'
    lines[12], lines[13] = 'url = "https://two.example/feed"', 'evry = "1h"'
    lines[17:21] = ["[[rules]]", 'name = "xai"', "match = 'xAI'", 'channels = ["desk"]']
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, "\n".join(lines))
    assert str(caught.value).replace(f"{tmp_path}/", "") in PAGE


def _defaults(settings: type) -> dict[str, Any]:
    return {field.name: field.default for field in fields(settings)}


@pytest.mark.parametrize(
    ("table", "readers", "defaults"),
    [
        ("network", NETWORK_KEYS, _defaults(Network)),
        ("feeds", FEED_KEYS, _defaults(FeedSettings)),
        ("channels.webhook", channel_readers("webhook", Surroundings({}, Path())), _defaults(WebhookSettings)),
        ("channels.log", channel_readers("log", Surroundings({}, Path())), _defaults(LogSettings)),
        (
            "channels.email",
            channel_readers("email", Surroundings({}, Path())),
            _defaults(EmailSettings) | {"security": "starttls"},
        ),
        ("", {"alert_on_first_poll": lambda raw: raw}, _defaults(Config)),
    ],
)
def test_the_documented_default_is_the_one_in_force(
    table: str, readers: Mapping[str, Any], defaults: dict[str, Any]
) -> None:
    checked = 0
    for key, reader in readers.items():
        written = _documented()[table][key][1]
        if written.startswith("`"):
            assert reader(tomllib.loads(f"x = {written.strip('`')}")["x"]) == defaults[key], key
            checked += 1
    assert checked


def test_the_sample_loads_as_it_stands_and_does_its_main_job() -> None:
    config = load(SAMPLE, environ={})
    assert [feed.url for feed in config.feeds] == ["https://www.it-boltwise.de/feed"]
    assert [rule.name for rule in config.rules] == ["xai", "grok", "refinanzierung"]
    assert {rule.channels for rule in config.rules} == {("log",)}
    assert config.channels == (LogSettings("log"),)
    assert config.database == ROOT / "boltwatch.db" and not config.alert_on_first_poll


def _uncommented() -> str:
    """The sample with every "# key = value" and "# [table]" line switched on."""
    return re.sub(r"^# (?=\[|\w+ = )", "", SAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_sample_loads_with_its_commented_parts_switched_on(tmp_path: Path) -> None:
    config = _load(tmp_path, _uncommented())
    log, mail, desk = config.channels
    assert isinstance(log, LogSettings) and isinstance(mail, EmailSettings) and isinstance(desk, WebhookSettings)
    assert mail.password is not None and mail.password.reveal() == "open sesame"
    assert desk.secrets[0].reveal() == ENVIRON["BOLTWATCH_HOOK_SECRET"]
    assert config.network.contact == "you@example.org"
    assert {rule.channels for rule in config.rules} == {("log", "mail", "desk")}


def test_the_sample_shows_every_key_of_each_channel() -> None:
    channels = tomllib.loads(_uncommented())["channels"]
    for name, kind in (("log", "log"), ("mail", "email"), ("desk", "webhook")):
        shown = set(channels[name]) | ({"level"} if kind == "log" else set())
        assert shown == set(known_keys()[f"channels.{kind}"])


def test_the_sample_holds_no_secret_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, _uncommented(), environ={})
    for name in ENVIRON:
        assert f"{name} is not set" in str(caught.value)


def _load(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ=environ)
