"""Keeping the archive safe: online backup, checked before it counts."""

import sqlite3
from pathlib import Path

from boltwatch.errors import ArchiveError


def backup(database: Path, target: Path) -> None:
    """Copy the database while the daemon may go on writing; the copy is whole and checked, or it is not there.

    Raises ArchiveError when there is nothing to copy, the target exists, or the copy fails its integrity check.
    """
    if not database.exists():
        raise ArchiveError(f"{database}: there is no database yet; `boltwatch run` or `boltwatch poll` makes it")
    if target.exists():
        raise ArchiveError(f"{target}: exists already; name a new file")
    draft = target.with_name(target.name + ".part")
    try:
        _copy(database, draft)
        draft.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise ArchiveError(f"{target}: the backup could not be written ({error})") from error
    finally:
        draft.unlink(missing_ok=True)


def _copy(database: Path, draft: Path) -> None:
    source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    copy = sqlite3.connect(draft)
    try:
        source.backup(copy, pages=2000, sleep=0.01)
        verdict = copy.execute("pragma integrity_check").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"integrity check: {verdict}")
        copy.execute("pragma journal_mode = delete")
    finally:
        copy.close()
        source.close()


def integrity(database: Path) -> str:
    """`ok`, or what SQLite finds wrong with the file."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return str(connection.execute("pragma quick_check").fetchone()[0])
    finally:
        connection.close()
