"""config.toml -> Config. Every mistake is told at once, with file, line, key, what is wrong and what would be right.

Reads the file and the secret files it names, nothing else: no network, no database, no clock, no log.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from os.path import exists
from pathlib import Path
from typing import Any

from boltwatch import config_values as values
from boltwatch.config_channels import TYPES, channel_readers, read_channels
from boltwatch.config_secrets import Surroundings
from boltwatch.config_subjects import FEED_KEYS, RULE_KEYS, read_feeds, read_rules
from boltwatch.config_table import Complaints, Readers, read_table, wrong
from boltwatch.settings import Config, Network
from boltwatch.toml_lines import key_lines, last_key_line

__all__ = ["Config", "find", "known_keys", "load"]

_SECTIONS = ("network", "feeds", "rules", "channels")
_MISPLACED = dict.fromkeys(
    ("database", "alert_on_first_poll"), "(it belongs at the top of the file, above the first [table])"
)
_SYNTAX = re.compile(r"(?P<cause>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)
_SYNTAX_HINTS = {
    "Invalid value": 'text stands in quotes: key = "text"',
    "Expected newline or end of document after a statement": 'text stands in quotes: key = "text"',
    "Illegal character '\\n'": "a quotation mark is missing at the end of the line",
    "Unterminated string": "a quotation mark is missing at its end",
    "Unclosed array": "a ] or a comma is missing",
    "Unescaped '\\' in a string": "text with a backslash stands in single quotes: key = 'C:\\news'",
    "Cannot overwrite a value": "this key stands there twice",
}
NETWORK_KEYS: Readers = {
    "contact": values.contact,
    "allow_private": values.each(values.private_place, '["192.168.0.0/16", "nas.home"]'),
    "per_host": values.number(1, 10),
    "gap": values.duration(timedelta(0), timedelta(hours=1)),
    "timeout": values.duration(timedelta(seconds=1), timedelta(minutes=10)),
    "max_body_mb": values.number(1, 1024),
    "workers": values.number(1, 256),
}


def find(explicit: str | None, *, environ: Mapping[str, str], cwd: Path) -> Path:
    """The config file to use: the one named, else $BOLTWATCH_CONFIG, else the first that exists of the usual places.

    A file that was named is returned even if it does not exist, so that `load` can say so instead of another being
    taken for it.
    """
    named = explicit if explicit is not None else environ.get("BOLTWATCH_CONFIG") or None
    if named is not None:
        return cwd / named
    places = _usual_places(environ, cwd)
    for place in places:
        if exists(place):
            return place
    looked = "\n".join(f"  {place}" for place in places)
    raise wrong(f"no config file found; looked at\n{looked}\n(write one there, or name one with --config FILE)")


def _usual_places(environ: Mapping[str, str], cwd: Path) -> list[Path]:
    places = [cwd / "config.toml"]
    xdg, home = environ.get("XDG_CONFIG_HOME", ""), environ.get("HOME")
    if xdg.startswith("/"):  # the XDG Base Directory Specification has relative ones ignored
        places.append(Path(xdg, "boltwatch", "config.toml"))
    elif home:
        places.append(Path(home, ".config", "boltwatch", "config.toml"))
    return [*places, Path("/etc/boltwatch/config.toml")]


def load(path: Path, *, environ: Mapping[str, str]) -> Config:
    """The config that stands in `path`, whole and checked; raises ConfigError with every complaint at once."""
    text = _text(path)
    document = _document(path, text)
    complaints = Complaints(str(path), document, key_lines(text), _MISPLACED)
    around = Surroundings(environ, path.absolute().parent)
    top = read_table(document, (), _top_readers(around), complaints)
    network = read_table(document.get("network", {}), ("network",), NETWORK_KEYS, complaints)
    channels = read_channels(document.get("channels", {}), around, complaints)
    feeds = read_feeds(document.get("feeds", []), complaints)
    rules = read_rules(document.get("rules", []), document.get("channels"), feeds, complaints)
    complaints.settle()
    settings = {key: value for key, value in (top or {}).items() if key not in _SECTIONS}
    database = settings.pop("database", around.folder / "boltwatch.db")
    return Config(
        path, database, **settings, network=Network(**network or {}), feeds=feeds, rules=rules, channels=channels
    )


def known_keys() -> dict[str, tuple[str, ...]]:
    """Every key config.toml may hold, by table: "" is the top, "channels.email" a channel of that type."""
    around = Surroundings({}, Path())
    tables = {"": _top_readers(around), "network": NETWORK_KEYS, "feeds": FEED_KEYS, "rules": RULE_KEYS}
    tables |= {f"channels.{kind}": channel_readers(kind, around) for kind in TYPES}
    return {table: tuple(readers) for table, readers in tables.items()}


def _top_readers(around: Surroundings) -> Readers:
    def database(raw: object) -> Path:
        name = values.text(raw)
        if name == ":memory:" or name.endswith("/"):
            raise wrong('must be a file (such as "boltwatch.db")')
        return around.place(name)

    # The sections are read each on their own; here they only need to be known.
    return {"database": database, "alert_on_first_poll": values.flag, **dict.fromkeys(_SECTIONS, _as_it_is)}


def _as_it_is(raw: object) -> object:
    return raw


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig")  # editors on Windows begin a file with a byte order mark
    except FileNotFoundError:
        raise wrong(f"{path}: there is no such file (name another with --config FILE)") from None
    except IsADirectoryError:
        raise wrong(f"{path}: is a folder (name the file in it: {path / 'config.toml'})") from None
    except OSError as error:
        raise wrong(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise wrong(f"{path}:{line}: the file is not UTF-8 from here on (save it as UTF-8)") from None


def _document(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, cause = _syntax_fault(text, str(error))
        raise wrong(f"{path}:{line}: {cause}") from None
    except RecursionError:
        raise wrong(f"{path}: lists or tables are nested too deeply to be read") from None


def _syntax_fault(text: str, message: str) -> tuple[int, str]:
    found = _SYNTAX.fullmatch(message)
    cause = found["cause"] if found else message
    line = int(found["line"]) if found and found["line"] else last_key_line(text)
    hint = _SYNTAX_HINTS.get(cause)
    if cause.startswith("Cannot declare"):
        hint = "this table stands there twice; several feeds or rules are written [[feeds]], [[rules]]"
    if cause == "Invalid value" and not (found and found["line"]):
        hint = "a value is missing, or a ] or } that closes one"
    return line, f"not valid TOML: {cause}" + (f" ({hint})" if hint else "")
