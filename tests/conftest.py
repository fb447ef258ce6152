"""What many tests stand on: a clock they own, an open database, and nouns that are quick to make."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from boltwatch.archive.store import open_database

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database in a file."""
    opened = open_database(tmp_path / "boltwatch.db")
    yield opened
    opened.close()
