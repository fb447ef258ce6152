"""The command line as people and scripts meet it: real processes on real files."""

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Answer, FeedServer, Item, rss

ROOT = Path(__file__).parent.parent
OLD = [Item("Ein alter Beitrag")]
NEW = Item(
    "Die Mühle mahlt wieder", "<p>Der Müller nutzt jetzt Grok.</p><p>Es klappert.</p>", link="https://n.example/m"
)


class Place:
    """A folder with a config.toml, and the command run in it."""

    def __init__(self, folder: Path, server: FeedServer) -> None:
        self.folder, self.server = folder, server
        server.routes["/feed"] = Answer(body=rss(OLD), headers=[("ETag", '"1"')])
        self.write()

    def write(self, more: str = "") -> None:
        (self.folder / "config.toml").write_text(
            f'[network]\nallow_private = ["127.0.0.0/8"]\n[[feeds]]\nurl = "{self.server.url("/feed")}"\n'
            f'[[rules]]\nname = "grok"\nmatch = "Grok"\n[channels.log]\ntype = "log"\n{more}',
            encoding="utf-8",
        )

    def run(self, *words: str, given: str = "", code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "boltwatch", *words],
            cwd=self.folder,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BOLTWATCH_CONFIG": str(self.folder / "config.toml")},
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FeedServer() as server:
        yield Place(tmp_path, server)


def test_from_the_first_poll_to_why(place: Place) -> None:
    assert "polled=1 changed=1 unchanged=0 failed=0 articles=1 alerts=0" in place.run("poll")
    assert "polled=0" in place.run("poll")
    place.server.routes["/feed"] = Answer(body=rss([NEW, *OLD]))
    said = place.run("poll", "--all")
    assert "articles=1 alerts=1" in said
    assert "rule=grok" in said
    (alert,) = json.loads(place.run("alerts", "--json"))
    assert (alert["rule"], alert["title"], alert["deliveries"]) == ("grok", "Die Mühle mahlt wieder", "log=sent")
    for asked in ("1", "https://n.example/m"):
        why = place.run("why", asked)
        assert "Der Müller nutzt jetzt [Grok]." in why
        assert "words: Grok (text)" in why
    assert "no article of this address" in place.run("why", "https://n.example/other")
    assert "there is no alert 9" in place.run("why", "9", code=1)
    assert "Mühle" in place.run("search", "muller")
    assert "1 of 2 articles of the last 30d match" in place.run("rules", "test", "Grok")
    assert json.loads(place.run("deliveries", "--json"))[0]["state"] == "sent"
    assert place.server.requests[1].headers["if-none-match"] == '"1"'


def test_polling_twice_adds_nothing_and_a_failing_feed_says_why(place: Place) -> None:
    place.run("poll")
    assert "changed=0 unchanged=1 failed=0 articles=0 alerts=0" in place.run("poll", "--all")
    place.server.routes["/feed"] = Answer(500)
    said = place.run("poll", "--all")
    assert "failed=1" in said
    assert "answered with status 500" in said
    assert "1 failure in a row" in place.run("feeds", "why", place.server.url("/feed"))


def test_a_first_poll_alerts_when_told_to(place: Place) -> None:
    place.server.routes["/feed"] = Answer(body=rss([NEW]))
    text = (place.folder / "config.toml").read_text(encoding="utf-8")
    (place.folder / "config.toml").write_text(f"alert_on_first_poll = true\n{text}", encoding="utf-8")
    assert "alerts=1" in place.run("poll")


def test_feeds_and_rules_are_added_and_removed_by_command(place: Place) -> None:
    url = place.server.url("/other")
    place.server.routes["/other"] = Answer(body=rss([Item("Anderes")]))
    assert "added" in place.run("feeds", "add", url, "--every", "10m")
    assert "added rule" in place.run("rules", "add", "mill", '"Die Mühle" OR Müller')
    assert "polled=2" in place.run("poll")
    assert [feed["origin"] for feed in json.loads(place.run("feeds", "--json"))] == ["config", "user"]
    assert "ok    mill: " in place.run("rules", "check")
    place.run("feeds", "remove", url)
    place.run("rules", "remove", "mill")
    assert "polled=1" in place.run("poll", "--all")
    assert "stands in config.toml" in place.run("feeds", "remove", place.server.url("/feed"), code=1)
    assert "stands in config.toml" in place.run("rules", "add", "grok", "x1", code=1)
    assert "is not known" in place.run("feeds", "remove", "https://n.example/", code=1)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["rules", "add", "r", "xAI Grok"], 1, "column 5"),
        (["rules", "add", "r", "xAI", "--channel", "desk"], 1, 'channel "desk" is not defined'),
        (["feeds", "add", "ftp://n.example/"], 2, "cannot be fetched"),
        (["feeds", "add", "https://n.example/", "--every", "often"], 2, "is not a duration"),
        (["poll", "https://n.example/unknown"], 1, "is not watched"),
        (["extract", "no-such-file.html"], 1, "No such file"),
        (["--config", "nowhere.toml", "feeds"], 2, "nowhere.toml"),
        (["flap"], 2, "No such command"),
    ],
)
def test_mistakes_are_answered_in_words_with_an_exit_code(place: Place, words: list[str], code: int, says: str) -> None:
    assert says in place.run(*words, code=code)


def test_match_reads_and_writes_json_lines(place: Place) -> None:
    given = '{"id": 1, "title": "xAI wächst", "text": "Nichts."}\n\n{"id": "b", "text": "relaxAI"}\n'
    lines = place.run("match", "--jsonl", "--rule", "Grok", "--rule", "xAI", given=given).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 1, "matches": [{"rule": 1, "spans": [["title", 0, 3]]}]},
        {"id": "b", "matches": []},
    ]
    assert "line 2" in place.run("match", "--jsonl", "--rule", "x1", given='{"id":1}\nnope\n', code=1)


def test_extract_reads_and_writes_json_lines_in_order(place: Place) -> None:
    page = (
        "<html><body><article>"
        + "<p>Der Turm steht seit hundert Jahren am Ufer des Sees.</p>" * 9
        + "</article></body></html>"
    )
    given = "".join(
        json.dumps({"id": n, "url": "https://n.example/", "html": html}) + "\n" for n, html in enumerate([page, ""])
    )
    first, second = (json.loads(line) for line in place.run("extract", "--jsonl", given=given).splitlines())
    assert (first["id"], second) == (0, {"id": 1, "text": ""})
    assert "Der Turm steht" in first["text"]
    place.server.routes["/page"] = Answer(body=page.encode())
    assert "keep" in place.run("extract", place.server.url("/page"), "--blocks")


def test_doctor_and_backup(place: Place) -> None:
    assert "warn  database" in place.run("doctor")
    place.run("poll")
    checked = {line["about"]: line["verdict"] for line in json.loads(place.run("doctor", "--json"))}
    assert checked["database"] == checked["deliveries"] == "ok"
    assert "checked" in place.run("backup", "copy.db")
    assert sqlite3.connect(place.folder / "copy.db").execute("select count(*) from articles").fetchone() == (1,)


def test_control_characters_of_a_feed_never_reach_the_terminal(place: Place) -> None:
    place.server.routes["/feed"] = Answer(body=rss([Item("A\u009b31m title \u202eevil")]))
    place.run("poll")
    said = place.run("search", "title")
    assert not set(said) & set("\x1b\x9b\u202e")


def readme_blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def test_every_query_of_the_readme_runs(place: Place) -> None:
    place.server.routes["/feed"] = Answer(body=rss([NEW, *OLD]))
    place.run("poll")
    queries = [
        shlex.split(line)
        for block in readme_blocks("sh")
        for line in block.splitlines()
        if line.startswith("sqlite-utils")
    ]
    assert len(queries) == 5
    for program, *words in queries:
        done = subprocess.run(
            [sys.executable, "-m", program.replace("-", "_"), *words],
            cwd=place.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_readmes_two_commands_are_targets_of_the_makefile() -> None:
    commands = [line.split("#")[0].split() for block in readme_blocks("sh") for line in block.splitlines()]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert ["make", target] in commands
        assert re.search(rf"^{target}:", makefile, flags=re.M)


def test_every_command_the_design_names_exists(place: Place) -> None:
    said = place.run("--help")
    for name in (
        "run",
        "poll",
        "extract",
        "match",
        "rules",
        "why",
        "search",
        "feeds",
        "alerts",
        "deliveries",
        "doctor",
        "backup",
    ):
        assert re.search(rf"^  {name} ", said, flags=re.M)
        place.run(name, "--help")
