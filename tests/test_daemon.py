"""The daemon as a process: from config.toml to the mail received, then SIGTERM, then restart."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.mailserver import MailServer
from tests.servers import Answer, FeedServer, Item, rss

PATIENCE = 25.0
OLD = [Item("Ein alter Beitrag ohne Belang"), Item("xAI war schon vorher da")]
NEW = Item(
    "Der Sendemast am Hafen wird erneuert",
    html="<p>BREMEN (IT BOLTWISE) – Der neue Mast trägt künftig auch Technik von xAI.</p><p>Im Mai ist er fertig.</p>",
)
QUIET = Item(
    "Ein Tag am Fluss",
    html="<p>Am Fluss war es still.</p><p>Du willst nichts verpassen?</p>"
    '<p>Du möchtest über ähnliche News und Beiträge wie "xAI am Fluss" informiert werden?</p>',
)


class Manager:
    """The service manager's end of sd_notify."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                said = self._socket.recv(4096).decode()
            except OSError:
                return
            if not said:
                return
            self.heard += said.split("\n")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Daemon:
    """`boltwatch run` on a folder's config.toml."""

    def __init__(self, folder: Path, manager: Manager, **environ: str) -> None:
        self.log = folder / "daemon.log"
        self.manager = manager
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "boltwatch", "--config", str(folder / "config.toml"), "run"],
                stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "2000000", **environ},
            )

    def wait_ready(self) -> None:
        wait_for(lambda: "READY=1" in self.manager.heard or self.process.poll() is not None, self.said)
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


@contextmanager
def running(folder: Path, manager: Manager, **environ: str) -> Iterator[Daemon]:
    """A daemon that is ready, and gone afterwards whatever happens."""
    manager.heard.clear()
    daemon = Daemon(folder, manager, **environ)
    try:
        daemon.wait_ready()
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def wait_for(happens: Callable[[], object], explain: Callable[[], str] = str) -> None:
    """Wait until something is true; fail with an explanation when it takes too long."""
    until = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < until, explain()
        time.sleep(0.05)


def asked(database: Path, sql: str) -> list[tuple[object, ...]]:
    """What the database says, as anyone may ask it while the daemon runs."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database, timeout=10)) as db, db:
        try:
            return db.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []


def poll_now(database: Path) -> None:
    """Make every feed due: the row is the truth of when."""
    asked(database, "update feeds set due_at = '2026-01-01T00:00:00.000000Z'")


def write_config(
    folder: Path, server: FeedServer, rules: str, channels: str = '[channels.log]\ntype = "log"\n'
) -> None:
    (folder / "config.toml").write_text(
        f'[network]\ncontact = "ops@news.example"\nallow_private = ["127.0.0.0/8"]\ngap = "0s"\n'
        f'[[feeds]]\nurl = "{server.url("/feed")}"\n{rules}\n{channels}',
        encoding="utf-8",
    )


XAI = '[[rules]]\nname = "xai"\nmatch = "xAI OR Grok"\n'


def test_from_config_to_the_mail_received_then_sigterm_then_restart(tmp_path: Path, manager: Manager) -> None:
    """Given a feed with old news, only what appears later and names the topic in its own words is mailed, once."""
    database = tmp_path / "boltwatch.db"
    with (
        FeedServer() as server,
        MailServer(security="starttls", users={"bolt": "the-password"}) as post,
    ):
        post._authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        server.routes["/feed"] = Answer(body=rss(OLD))
        write_config(
            tmp_path,
            server,
            XAI,
            f'[channels.mail]\ntype = "email"\nhost = "127.0.0.1"\nport = {post.port}\nsecurity = "starttls"\n'
            'username = "bolt"\npassword = { env = "MAIL_PASSWORD" }\nsender = "bolt@news.example"\n'
            'recipients = ["me@news.example"]\n',
        )
        secrets = {"MAIL_PASSWORD": "the-password", "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        with running(tmp_path, manager, **secrets) as daemon:
            wait_for(lambda: asked(database, "select count(*) from articles") == [(2,)], daemon.said)
            assert asked(database, "select count(*) from alerts") == [(0,)]
            server.routes["/feed"] = Answer(body=rss([NEW, QUIET, *OLD]))
            poll_now(database)
            wait_for(lambda: post.letters, daemon.said)
            wait_for(lambda: asked(database, "select state from deliveries") == [("sent",)], daemon.said)
            wait_for(lambda: "WATCHDOG=1" in manager.heard, daemon.said)
            assert daemon.stop() == 0, daemon.said()
            assert "STOPPING=1" in manager.heard
        with running(tmp_path, manager, **secrets) as daemon:
            before = len(server.requests)
            poll_now(database)
            wait_for(lambda: len(server.requests) > before, daemon.said)
            wait_for(lambda: "outcome=unchanged" in daemon.said(), daemon.said)
            assert daemon.stop() == 0, daemon.said()
    (letter,) = post.letters
    assert letter.encrypted
    assert letter.login == "bolt"
    assert "Sendemast" in letter.mail["Subject"]
    assert "the-password" not in daemon.said()
    assert asked(database, "select count(*) from articles") == [(4,)]


def test_sighup_takes_a_good_file_and_refuses_a_bad_one(tmp_path: Path, manager: Manager) -> None:
    database = tmp_path / "boltwatch.db"
    with FeedServer() as server:
        server.routes["/feed"] = Answer(body=rss(OLD))
        write_config(tmp_path, server, XAI)
        with running(tmp_path, manager) as daemon:
            (tmp_path / "config.toml").write_text("[[feeds]]\nurl = 7\nevry = 1\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "the old configuration stays in force" in daemon.said(), daemon.said)
            assert "config.toml:3" in daemon.said()
            assert asked(database, "select name, state from rules") == [("xai", "active")]
            write_config(tmp_path, server, XAI + '[[rules]]\nname = "fluss"\nkeywords = ["Sendemast"]\n')
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "reloaded feeds=1 rules=2" in daemon.said(), daemon.said)
            wait_for(lambda: asked(database, "select count(*) from articles") == [(2,)], daemon.said)
            server.routes["/feed"] = Answer(body=rss([NEW, *OLD]))
            poll_now(database)
            wait_for(lambda: asked(database, "select count(*) from alerts") == [(2,)], daemon.said)
            wait_for(lambda: "rule=fluss" in daemon.said(), daemon.said)
            assert "RELOADING=1" in manager.heard
            assert daemon.stop() == 0


def test_a_rule_added_by_command_is_taken_up_by_the_running_daemon(tmp_path: Path, manager: Manager) -> None:
    database = tmp_path / "boltwatch.db"
    with FeedServer() as server:
        server.routes["/feed"] = Answer(body=rss(OLD))
        write_config(tmp_path, server, "")
        with running(tmp_path, manager) as daemon:
            wait_for(lambda: asked(database, "select count(*) from articles") == [(2,)], daemon.said)
            command = [sys.executable, "-m", "boltwatch", "--config", str(tmp_path / "config.toml")]
            subprocess.run([*command, "rules", "add", "mast", "Sendemast"], check=True, capture_output=True)
            wait_for(lambda: "rules changed rules=1" in daemon.said(), daemon.said)
            server.routes["/feed"] = Answer(body=rss([NEW, *OLD]))
            poll_now(database)
            wait_for(lambda: "rule=mast" in daemon.said(), daemon.said)
            assert daemon.stop() == 0


def test_a_second_daemon_refuses_with_a_clear_line_and_the_first_goes_on(tmp_path: Path, manager: Manager) -> None:
    with FeedServer() as server:
        server.routes["/feed"] = Answer(body=rss(OLD))
        write_config(tmp_path, server, XAI)
        with running(tmp_path, manager) as daemon:
            second = subprocess.run(
                [sys.executable, "-m", "boltwatch", "--config", str(tmp_path / "config.toml"), "run"],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert second.returncode == 1
            assert f"another Boltwatch daemon works on this database (process {daemon.process.pid})" in second.stderr
            assert "Traceback" not in second.stderr
            assert daemon.process.poll() is None
            assert daemon.stop() == 0


def test_a_bad_file_starts_nothing_and_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('databse = "x.db"\n[[rules]]\nname = "a"\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "boltwatch", "--config", str(tmp_path / "config.toml"), "run"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert "config.toml:1 databse" in done.stderr
    assert "did you mean database" in done.stderr
    assert "config.toml:2 rules.a" in done.stderr
    assert list(tmp_path.glob("*.db")) == []


def test_killed_while_sending_the_alert_is_delivered_after_the_lease(tmp_path: Path, manager: Manager) -> None:
    """kill -9 between claim and answer: the delivery is due again when its lease ends, under the same key."""
    database = tmp_path / "boltwatch.db"
    with FeedServer() as server:
        server.routes["/feed"] = Answer(body=rss(OLD))
        server.routes["/hook"] = Answer(status=204, delay=PATIENCE)
        hook = f'[channels.desk]\ntype = "webhook"\nurl = "{server.url("/hook")}"\n'
        write_config(tmp_path, server, XAI, hook)
        with running(tmp_path, manager) as daemon:
            wait_for(lambda: asked(database, "select count(*) from articles") == [(2,)], daemon.said)
            server.routes["/feed"] = Answer(body=rss([NEW, *OLD]))
            poll_now(database)
            wait_for(lambda: server.asked("/hook"), daemon.said)
            daemon.process.kill()
            daemon.process.wait()
        assert asked(database, "select state from deliveries") == [("sending",)]
        server.routes["/hook"] = Answer(status=204)
        asked(database, "update deliveries set try_at = '2026-01-01T00:00:00.000000Z'")
        with running(tmp_path, manager) as daemon:
            wait_for(lambda: asked(database, "select state from deliveries") == [("sent",)], daemon.said)
            assert daemon.stop() == 0
    first, second = server.asked("/hook")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
