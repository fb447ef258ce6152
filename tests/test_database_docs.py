"""docs/database.md names exactly the tables and columns there are."""

import re
from pathlib import Path

from sqlite_utils import Database

PAGE = Path(__file__).parent.parent / "docs" / "database.md"


def documented() -> dict[str, list[str]]:
    """Table name to column names, as the page has them."""
    tables: dict[str, list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\w+)", line):
            tables[heading[1]] = []
        elif (cell := re.match(r"\| (\w+) \|", line)) and cell[1] != "column":
            tables[list(tables)[-1]].append(cell[1])
    return tables


def test_the_page_and_the_tables_agree_column_by_column(db: Database) -> None:
    shadow = {f"articles_fts_{part}" for part in ("data", "idx", "docsize", "config", "content")}
    found = {
        name: [column.name for column in db.table(name).columns]
        for name in db.table_names()
        if not name.startswith("_") and name not in shadow and not name.startswith("sqlite_")
    }
    assert documented() == found
