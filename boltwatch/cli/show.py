"""How commands find their configuration and database, and how they print rows."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boltwatch.model import Article, Span

if TYPE_CHECKING:
    from sqlite_utils import Database

    from boltwatch.config import Config

# C0 and C1 controls and bidi overrides: what a feed says must never steer the reader's terminal.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)), "�")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def config() -> "Config":
    """The configuration that the command line or its surroundings name."""
    from boltwatch.config import find, load

    explicit = click.get_current_context().find_root().obj
    return load(find(explicit, environ=os.environ, cwd=Path.cwd()), environ=os.environ)


def value(name: str, reader: Callable[[object], Any], given: str) -> Any:
    """What the configuration's reader makes of a word of the command line; a usage error names it."""
    from boltwatch.errors import ConfigError

    try:
        return reader(given)
    except ConfigError as error:
        raise click.BadParameter(str(error), param_hint=name) from error


@contextmanager
def archive(settings: "Config | None" = None) -> Iterator["Database"]:
    """The open database of the configuration."""
    from boltwatch.archive.store import open_database

    db = open_database((settings or config()).database)
    try:
        yield db
    finally:
        db.close()


def plain(text: object) -> str:
    """A value as text that a terminal shows as it is: nothing for None, no control characters."""
    return "" if text is None else str(text).translate(_CONTROLS)


def rows(found: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Print rows: every column as JSON, or the named ones as a table."""
    if as_json:
        click.echo(json.dumps([dict(row) for row in found], ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in found:
        table.add_row(*(Text(_short(column, row[column])) for column in columns))
    Console(soft_wrap=False).print(table)


def marked(article: Article, spans: Iterable[Span]) -> list[str]:
    """The lines of an article that made a rule hold, with the words in [brackets]: the title first when it was hit."""
    from boltwatch.alerts.excerpt import excerpts, title_line

    spans = tuple(spans)
    title = title_line(article, spans, 200)
    lines = ([title] if title.marks else []) + list(excerpts(article, spans))
    return [plain("".join(f"[{text}]" if hit else text for text, hit in line.pieces())) for line in lines]


def _short(column: str, value: object) -> str:
    if column.endswith("_at") and isinstance(value, str):
        return value[:16].replace("T", " ")
    return plain(value)
