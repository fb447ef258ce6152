"""Markup becomes pieces of text: what a reader would see as one paragraph, with its kind. Pure, and bounded in time.

Three ways lead through one `Reader`: lxml's parser events for ordinary markup, a BeautifulSoup tree for all that is
odd or deep, and a plain scanner for what no tree should be built of. It judges no words.
"""

import html as entities
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from lxml import etree

from boltwatch.articles.sites import CLASSES

_MOST_TAGS = 20_000
_LONGEST_TAG = 20_000
_DEEPEST_QUICK = 200  # libxml2 loses text below 256 open elements without a word
_DEEPEST = 2_000
_BREAK, _CELL = "\x00", "\x01"  # stand for <br> and the end of a cell; control characters never come in from outside

_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "h"),
    **dict.fromkeys(("li", "dt", "dd"), "li"),
    **dict.fromkeys(("tr", "caption"), "table"),
    "blockquote": "quote",
    "pre": "pre",
    "figcaption": "caption",
}
# fmt: off
_PLAIN = frozenset((
    "address", "article", "aside", "audio", "body", "center", "details", "div", "dl", "fieldset", "figure", "footer",
    "header", "hr", "html", "main", "nav", "ol", "p", "section", "summary", "table", "tbody", "tfoot", "thead", "ul",
    "video",
))
_SILENT = frozenset((
    "script", "style", "template", "iframe", "form", "noscript", "button", "select", "textarea", "svg", "math",
    "object", "embed", "head", "title", "canvas",
))
_VOID = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
))
# fmt: on
_BLOCKS = _PLAIN | frozenset(_KINDS)

# Never fails once begun, so that no input makes it look twice: a tag that does not close ends where the next begins.
TAG = re.compile(r"<(?:(/?)([A-Za-z][A-Za-z0-9:-]{0,40})|[!?])[^<>]*(?:>|(?=<)|\Z)")
_ODD = re.compile(r"<(?:\?|!(?!--)|/?(?:plaintext|xmp|frameset|svg|math)\b)", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Piece(NamedTuple):
    """The text of one block; `reason` says why it is boilerplate when its element already tells."""

    kind: str
    text: str
    reason: str = ""


class Reader:
    """Takes start, end and data events of well-nested elements, makes pieces. The target interface of lxml's parser."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._parts: list[str] = []
        self._silent = 0  # open elements from a silent one on
        self._stack = [("p", "")]  # kind and reason of each open block

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element opens."""
        if self._silent or name in _SILENT or (attributes and _is_hidden(attributes)):
            self._silent += 1
        elif name == "br":
            self._parts.append(_BREAK)
        elif name in _BLOCKS:
            self._flush()
            kind, reason = self._stack[-1]
            kind = _KINDS.get(name) or ("p" if kind == "table" and name == "p" else kind)
            if not reason and attributes and "class" in attributes:
                reason = next((CLASSES[word] for word in attributes["class"].split() if word in CLASSES), "")
            self._stack.append((kind, reason or ("navigation" if name == "nav" else "")))

    def end(self, name: str) -> None:
        """The innermost open element closes."""
        if self._silent:
            self._silent -= 1
        elif name in _BLOCKS:
            self._flush()
            if len(self._stack) > 1:
                self._stack.pop()
        elif name in ("td", "th"):
            self._parts.append(_CELL)

    def data(self, text: str) -> None:
        """Text, in one or more pieces."""
        if not self._silent:
            self._parts.append(text)

    def close(self) -> list[Piece]:
        """The pieces, when all events have come."""
        self._flush()
        return self.pieces

    def _flush(self) -> None:
        if self._parts:
            kind, reason = self._stack[-1]
            self.pieces.extend(_tidied(kind, "".join(self._parts), reason))
            self._parts = []


def pieces_of(html: str) -> Sequence[Piece]:
    """The pieces of markup in document order."""
    if not _is_small(html):
        return list(_scan(html))
    deepest = html.count("<") - html.count("</")  # at most: every start tag stays open
    if deepest > _DEEPEST_QUICK:
        deepest = depth_of(html)
    if deepest > _DEEPEST:
        return list(_scan(html))
    return soup(html) if deepest > _DEEPEST_QUICK or is_odd(html) else quick(html)


def is_odd(html: str) -> bool:
    """Whether it holds what only a tree is trusted with: declarations, instructions, foreign or raw-text elements."""
    return _ODD.search(html) is not None


def quick(html: str) -> Sequence[Piece]:
    """The pieces by lxml's parser events, without a tree."""
    parser = etree.HTMLParser(target=Reader(), remove_comments=True, remove_pis=True)
    try:
        pieces: Sequence[Piece] = etree.fromstring(html, parser)
    except etree.LxmlError:
        return soup(html)
    return pieces


def soup(html: str) -> Sequence[Piece]:
    """The pieces by a BeautifulSoup tree."""
    reader = Reader()
    below = [iter(BeautifulSoup(html, "lxml").contents)]
    names: list[str] = []
    while below:
        element = next(below[-1], None)
        if element is None:
            below.pop()
            if names:
                reader.end(names.pop())
        elif isinstance(element, Tag):
            attributes = {
                name: " ".join(value) if isinstance(value, list) else value for name, value in element.attrs.items()
            }
            reader.start(element.name, attributes)
            names.append(element.name)
            below.append(iter(element.contents))
        elif isinstance(element, NavigableString) and not isinstance(element, PreformattedString):
            reader.data(str(element))
    return reader.close()


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    return "hidden" in attributes or ("style" in attributes and _HIDDEN.search(attributes["style"]) is not None)


def _is_small(html: str) -> bool:
    if html.count("<") > _MOST_TAGS:
        return False
    return len(html) < _LONGEST_TAG or max(map(len, html.split("<"))) < _LONGEST_TAG


def depth_of(html: str) -> int:
    """How deep the elements stand in each other at most, an end tag counting only for a start tag of its name."""
    open_, depth, deepest = dict[str, int](), 0, 0
    for closing, name in TAG.findall(html):
        name = name.lower()
        if name and not closing and name not in _VOID:
            open_[name] = open_.get(name, 0) + 1
            depth += 1
            deepest = max(deepest, depth)
        elif closing and open_.get(name):
            open_[name] -= 1
            depth -= 1
    return deepest


def _scan(html: str) -> Iterator[Piece]:
    """The text between tags, block elements as borders: for what is too much for a tree."""
    at, silent, parts = 0, "", list[str]()
    html = _uncommented(html)
    for found in TAG.finditer(html):
        closing, name = found[1], (found[2] or "").lower()
        if not silent:
            parts.append(html[at : found.start()])
        at = found.end()
        if silent:
            silent = "" if closing and name == silent else silent
        elif name in _SILENT and not closing:
            silent = name
        elif name in _BLOCKS or name == "br":
            yield from _tidied("p", entities.unescape("".join(parts)), "")
            parts = []
    yield from _tidied("p", entities.unescape("".join(parts) + ("" if silent else html[at:])), "")


def _uncommented(html: str) -> str:
    first, *rest = html.split("<!--")
    return first + "".join(
        after if closed else inside for inside, closed, after in (part.partition("-->") for part in rest)
    )


def _tidied(kind: str, raw: str, reason: str) -> Iterator[Piece]:
    """Lines with single blanks; two line breaks in a row part a piece; cells of a row stand beside each other."""
    if kind == "pre":
        text = CONTROLS.sub("", raw.replace(_BREAK, "\n"))
        lines = [line.rstrip() for line in text.split("\n") if line.strip()]
        if lines:
            yield Piece(kind, "\n".join(lines), reason)
        return
    if _CELL in raw:
        cells = [cell for cell in raw.split(_CELL) if cell.strip(" \t\r\n\f\v\xa0" + _BREAK)]
        raw = " | ".join(cell.replace(_BREAK, " ") for cell in cells) if len(cells) > 1 else "".join(cells)
        kind = kind if len(cells) > 1 else "p"  # one cell in a row is layout
    if _BREAK not in raw:
        line = tidy(raw)
        if line:
            yield Piece(kind, line, reason)
        return
    yield from map(partial(Piece, kind, reason=reason), _paragraphs([tidy(line) for line in raw.split(_BREAK)]))


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Runs of lines with text in them."""
    run: list[str] = []
    for line in (*lines, ""):
        if line:
            run.append(line)
        elif run:
            yield "\n".join(run)
            run = []


def tidy(text: str) -> str:
    """One line: single blanks, no control characters."""
    line = " ".join(text.split())
    return line if line.isprintable() else " ".join(CONTROLS.sub("", text.replace("\n", " ")).split())
