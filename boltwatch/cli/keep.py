"""`doctor` and `backup`: is all well, and a copy for when it is not."""

import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import NamedTuple

import click

from boltwatch.cli import show
from boltwatch.clock import now


@click.command()
@click.argument("target", required=False, type=click.Path(path_type=Path))
def backup(target: Path | None) -> None:
    """Copy the database to TARGET while everything runs, and check the copy."""
    from boltwatch.archive import keep

    database = show.config().database
    target = target or database.with_name(f"{database.stem}-{now():%Y%m%d-%H%M%S}.db")
    keep.backup(database, target)
    click.echo(f"{target}: {target.stat().st_size:,} bytes, checked")


class Finding(NamedTuple):
    """One line of the doctor: `ok`, `warn` or `bad`, about what, and the next step."""

    verdict: str
    about: str
    words: str


@click.command()
@show.as_json
def doctor(as_json: bool) -> None:
    """Look at configuration, database and queue; exit code 1 when something is bad."""
    config = show.config()
    findings = [Finding("ok", "config", f"{config.path}: {len(config.feeds)} feeds, {len(config.rules)} rules")]
    findings += _database(config.database)
    if not config.network.contact:
        findings.append(Finding("warn", "contact", "set network.contact, so that a site's owner can write to you"))
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False, indent=2))
    else:
        for verdict, about, words in findings:
            click.echo(f"{verdict:5} {about}: {show.plain(words)}")
        click.echo("not looked at yet: mail login, webhook reachability, clock, unit file")
    sys.exit(any(finding.verdict == "bad" for finding in findings))


def _database(database: Path) -> list[Finding]:
    from boltwatch.archive import ask, keep

    if not database.exists():
        return [Finding("warn", "database", f"{database} is not there yet; the first run makes it")]
    verdict = keep.integrity(database)
    findings = [Finding("ok" if verdict == "ok" else "bad", "database", f"{database}: {verdict}")]
    with show.archive() as db:
        counts = ask.trouble(db)
    free = shutil.disk_usage(database.parent).free
    findings.append(Finding("ok" if free > 1 << 29 else "bad", "disk", f"{free >> 20:,} MB free beside the database"))
    findings.append(Finding("ok", "sqlite", sqlite3.sqlite_version))
    failing, gone, dead = counts["failing_feeds"], counts["gone_feeds"], counts["dead_deliveries"]
    words = f"{counts['feeds']} watched, {failing} failing, {gone} retired by their owners; see `boltwatch feeds`"
    findings.append(Finding("warn" if failing or gone else "ok", "feeds", words))
    waiting = f"{counts['waiting_deliveries']} waiting, {dead} dead; see `boltwatch deliveries --state dead`"
    findings.append(Finding("bad" if dead else "ok", "deliveries", waiting))
    return findings
