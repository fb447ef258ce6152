"""What is known to be appended to articles, by site and by wording: TOML beside this file, compiled once. Pure data.

A pattern or sign that does not compile fails at import, so no release can carry one.
"""

import re
import tomllib
from importlib.resources import files
from typing import Any, NamedTuple


class Pattern(NamedTuple):
    """Wordings of one sort of boilerplate; `takes_list`: the list under it goes too; `tail`: only at the end."""

    name: str
    takes_list: bool
    tail: bool


class Section(NamedTuple):
    """What one site appends: from its first sign on nothing is the article."""

    hosts: tuple[str, ...]
    marks: tuple[str, ...]  # an article that holds one of these comes from the site, wherever it is printed
    reason: str
    strong: re.Pattern[str]
    weak: re.Pattern[str]
    item: re.Pattern[str]  # weak too, but only as a list item, and only on the site's own articles


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _either(wordings: list[str]) -> str:
    return "|".join(f"(?:{wording})" for wording in wordings)


def _section(name: str) -> Section:
    rule = _read(name)
    reason = f"site rule {rule['hosts'][0]}: {rule['reason']}"
    strong, weak, item = (re.compile(_either(rule[strength])) for strength in ("strong", "weak", "item"))
    return Section(tuple(rule["hosts"]), tuple(rule["marks"]), reason, strong, weak, item)


_COMMON = _read("common.toml")
PATTERNS = tuple(Pattern(one["name"], one.get("list", False), one.get("tail", False)) for one in _COMMON["pattern"])
# One expression for all: a block that is none of them, as nearly every block is, is asked once.
# `lastindex` tells which.
PATTERN = re.compile("|".join(f"({_either(one['whole'])})" for one in _COMMON["pattern"]))
CLASSES = {name: one["name"] for one in _COMMON["class"] for name in one["names"]}
SECTIONS = tuple(
    _section(path.name)
    for path in sorted(files(__package__).iterdir(), key=lambda path: path.name)
    if path.name.endswith(".toml") and path.name != "common.toml"
)
