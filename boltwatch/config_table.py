"""Reads one table of config.toml key by key and notes every mistake with its place, so that all are told at once.

Knows nothing of feeds, rules or channels: which keys a table has, and what they hold, is told by the caller.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from boltwatch.errors import ConfigError
from boltwatch.toml_lines import KeyPath, nearest_line

Reader = Callable[[object], object]
Readers = Mapping[str, Reader]

_NAMED = ("rules",)  # lists whose tables have a name to call them by

# What other programs call a thing, where the spelling is too far off for a guess.
_OTHER_WORDS = {
    "address": "url",
    "body_limit": "max_body_mb",
    "expression": "match",
    "from": "sender",
    "interval": "every",
    "log_level": "level",
    "login": "username",
    "name": "title",
    "query": "match",
    "refresh": "every",
    "server": "host",
    "smtp_host": "host",
    "to": "recipients",
    "token": "secret",
    "user": "username",
    "user_agent": "contact",
}


def wrong(message: str) -> ConfigError:
    """A complaint about one value, its place still to be added."""
    return ConfigError((message,))


def nearest(word: str, known: Iterable[str], *, quote: str = '"') -> str:
    """The bracket that ends a complaint about an unknown word: did you mean …, else everything that is known."""
    names = list(known)
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    if close:
        return f"(did you mean {quote}{lower[close[0]]}{quote}?)"
    if _OTHER_WORDS.get(word.lower()) in names:
        return f"(did you mean {quote}{_OTHER_WORDS[word.lower()]}{quote}?)"
    return f"(known: {', '.join(names)})" if names else "(none is known)"


class Complaints:
    """Every mistake found in one document, each as FILE:LINE KEY: what is wrong (what would be right).

    `misplaced` says of keys that are often written into the wrong table where they belong.
    """

    def __init__(
        self,
        file: str,
        document: Mapping[str, object],
        lines: Mapping[KeyPath, int],
        misplaced: Mapping[str, str] | None = None,
    ) -> None:
        self._file, self._document, self._lines = file, document, lines
        self.misplaced = misplaced or {}
        self._found: list[tuple[int, str]] = []

    def add(self, path: KeyPath, message: str) -> None:
        """Notes a mistake; further lines of the message stand indented below its first."""
        first, *rest = message.split("\n")
        place = f"{self._file}:{self.line(path)} {self._label(path)}: {first}"
        self._found.append((self.line(path), "\n".join([place, *(f"    {line}" for line in rest)])))

    def line(self, path: KeyPath) -> int:
        """Where `path` stands in the file, counted from 1."""
        return nearest_line(self._lines, path)

    def settle(self) -> None:
        """Raises ConfigError with everything noted, in the order of the file; does nothing if nothing was."""
        if self._found:
            ordered = sorted(self._found, key=lambda found: found[0])
            raise ConfigError(tuple(text for _, text in ordered))

    def _label(self, path: KeyPath) -> str:
        """rules.xai.match for a table that has a name, feeds[2].url (the second feed) for one that has none."""
        node: Any = self._document
        label = ""
        for step in path:
            node = _step(node, step)
            name = step if isinstance(step, str) else _step(node, "name") if path[0] in _NAMED else None
            known = isinstance(name, str) and name.strip() and name.isprintable()
            label += f".{name}" if known else f"[{step + 1}]" if isinstance(step, int) else f".{step!r}"
        return label.removeprefix(".")


def _step(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None


def read_table(
    raw: object,
    path: KeyPath,
    readers: Readers,
    complaints: Complaints,
    *,
    required: tuple[str, ...] = (),
) -> dict[str, Any] | None:
    """What the table's keys hold, only those that stand there; None if anything in it is wrong (and noted)."""
    if not isinstance(raw, dict):
        complaints.add(path, f"must be a table, not {kind(raw)} (write {_header(path)} on a line of its own)")
        return None
    unknown = _unknown_keys(raw, path, readers, complaints)
    missing = [key for key in required if key not in raw]
    for key in missing:
        complaints.add(path, f"{key} is missing")
    values: dict[str, Any] = {}
    for key in readers.keys() & raw.keys():
        try:
            values[key] = readers[key](raw[key])
        except ConfigError as error:
            for complaint in error.complaints:
                complaints.add((*path, key), complaint)
    return None if unknown or missing or len(values) < len(raw) else values


def _header(path: KeyPath) -> str:
    keys = ".".join(step if step.replace("-", "").isalnum() else f'"{step}"' for step in path if isinstance(step, str))
    return f"[[{keys}]]" if isinstance(path[-1], int) else f"[{keys}]"


def _unknown_keys(raw: dict[str, object], path: KeyPath, readers: Readers, complaints: Complaints) -> list[str]:
    unknown = [key for key in raw if key not in readers]
    for key in unknown:
        hint = complaints.misplaced.get(key) or nearest(key, readers, quote="")
        complaints.add((*path, key), f"unknown key {hint}")
    return unknown


def kind(raw: object) -> str:
    """What TOML calls such a value, for a sentence; never the value, which may be a secret."""
    names = {bool: "true or false", str: "text", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(raw), "a date or time")
