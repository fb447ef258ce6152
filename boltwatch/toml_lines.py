"""Where each key of a TOML document stands: tomllib reads the values and forgets the lines.

Only for text that tomllib has accepted: it finds its way through valid TOML and judges nothing.
"""

import contextlib
import re
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r"""(?P<bare>[A-Za-z0-9_-]+)|"(?P<basic>(?:[^"\\]|\\.)*)"|'(?P<literal>[^']*)'""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?""""{0,2}'
    r"|'''.*?''''{0,2}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")  # numbers, booleans and dates, which may hold a blank
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, counted from 1, of every key, table and array element of valid TOML.

    Tables of an array have their index in the path: ("feeds", 0, "url"). A table that is only
    implied ([a.b] implies a) has the line that implied it first.
    """
    scan = _Scan(text)
    scan.document()
    return scan.lines


def nearest_line(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """The line of `path`, or of the closest thing around it that has one; 1 if nothing has."""
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)


def last_key_line(text: str) -> int:
    """The line of the last pair or header that is begun in a text that may not be TOML to its end."""
    scan = _Scan(text)
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        scan.document()
    return scan.statement_line


class _Scan:
    """One pass over the text, from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[KeyPath, int] = {}
        self._sizes: dict[KeyPath, int] = {}  # arrays of tables and how many tables they have so far
        self.statement_line = 1  # where the pair or header begins that is being read
        self._line, self._counted = 1, 0

    def document(self) -> None:
        """Headers and key-value pairs until the end."""
        table: KeyPath = ()
        self._skip(_GAP)
        while self.at < len(self.text):
            self.statement_line = self._here()
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)

    def _header(self) -> KeyPath:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        keys = self._dotted_key()
        self.at += 2 if array else 1
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._last_of(self._mark((*path, key)))
        path = self._mark((*path, keys[-1]))
        if not array:
            return self._last_of(path)
        self._sizes[path] = self._sizes.get(path, 0) + 1
        return self._mark(self._last_of(path))

    def _last_of(self, path: KeyPath) -> KeyPath:
        return (*path, self._sizes[path] - 1) if path in self._sizes else path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key in self._dotted_key():
            path = self._mark((*path, key))
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _dotted_key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            found = _KEY.match(self.text, self.at)
            if found is None:
                raise ValueError(f"a key was expected at character {self.at}: the text is not valid TOML")
            keys.append(_key_text(found))
            self.at = found.end()
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        if self.text[self.at] == "[":
            self._array(path)
        elif self.text[self.at] == "{":
            self._inline_table(path)
        else:
            self._skip(_STRING if self.text[self.at] in "\"'" else _SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        self._skip(_GAP)
        index = 0
        while self.text[self.at] != "]":
            self._value(self._mark((*path, index)))
            self._separator()
            index += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self._skip(_GAP)
        while self.text[self.at] != "}":
            self._pair(path)
            self._separator()
        self.at += 1

    def _separator(self) -> None:
        self._skip(_GAP)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_GAP)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"nothing known stands at character {self.at}: the text is not valid TOML")
        self.at = found.end()

    def _mark(self, path: KeyPath) -> KeyPath:
        self.lines.setdefault(path, self._here())
        return path

    def _here(self) -> int:
        # Counted from the last place on: from the start each time, a long file would take quadratic time.
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line


def _key_text(found: re.Match[str]) -> str:
    if found["basic"] is None:
        return found["bare"] if found["bare"] is not None else found["literal"]
    return _ESCAPE.sub(_unescape, found["basic"])


def _unescape(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else _ESCAPED.get(found[3], found[3])
