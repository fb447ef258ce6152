"""Imports point down only, and pure rooms stay pure."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "boltwatch"

# Each floor may import from the floors above it in this list, and from its own.
FLOORS = (
    {"__init__", "model", "errors", "secret"},
    {"settings", "clock"},
    {
        "feeds.parse",
        "feeds.quick",
        "feeds.pace",
        "articles",
        "rules",
        "alerts.compose",
        "alerts.excerpt",
        "config",
        "toml_lines",
        "read",
    },
    {"feeds", "archive", "alerts", "workers", "notify"},
    {"pipeline"},
    {"assemble"},
    {"daemon", "rounds"},
    {"cli", "__main__"},
)

# No network, no database, no clock, no log in these. (config opens the files it is asked to read, and nothing else.)
PURE = {
    "model",
    "errors",
    "settings",
    "feeds.parse",
    "feeds.quick",
    "feeds.pace",
    "articles",
    "rules",
    "alerts.compose",
    "alerts.excerpt",
    "config",
    "read",
}
IMPURE = {
    "asyncio",
    "httpx",
    "httpcore",
    "logging",
    "random",
    "smtplib",
    "socket",
    "sqlite3",
    "sqlite_utils",
    "subprocess",
    "threading",
    "time",
    "urllib.request",
}


def rooms() -> list[str]:
    """Every module of the package, named from within it."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts))
    return found


def path_of(room: str) -> Path:
    """The file of a module."""
    base = PACKAGE.joinpath(*room.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def is_in(room: str, names: set[str]) -> bool:
    """Whether a module stands under one of these names."""
    return any(room == name or room.startswith((f"{name}.", f"{name}_")) for name in names)


def floor_of(room: str) -> int:
    """The floor with the longest name that fits."""
    fitting = [
        (len(name), at)
        for at, names in enumerate(FLOORS)
        for name in names
        if room == name or room.startswith((f"{name}.", f"{name}_"))
    ]
    assert fitting, f"{room} stands on no floor: name it in tests/test_floors.py"
    return max(fitting)[1]


def imports(room: str) -> list[str]:
    """What a module imports, wherever in the file."""
    found = []
    for node in ast.walk(ast.parse(path_of(room).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def own(names: list[str]) -> list[str]:
    """The modules of this package among imported names."""
    known = set(rooms())
    return [
        name.removeprefix("boltwatch.")
        for name in names
        if name.removeprefix("boltwatch.") in known and "boltwatch." in name
    ]


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_from_its_own_floor_or_below(room: str) -> None:
    above = [name for name in own(imports(room)) if floor_of(name) > floor_of(room)]
    assert above == []


@pytest.mark.parametrize("room", [room for room in rooms() if is_in(room, PURE)])
def test_a_pure_room_has_no_window_to_the_world(room: str) -> None:
    assert [name for name in imports(room) if is_in(name, IMPURE)] == []


def test_sql_stands_in_the_archive_only() -> None:
    users = [room for room in rooms() if any(is_in(name, {"sqlite3", "sqlite_utils"}) for name in imports(room))]
    assert [room for room in users if not is_in(room, {"archive", "cli.show", "cli.keep"})] == []
