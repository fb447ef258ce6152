"""Feed content becomes blocks, blocks become an article: only its own words, and each of them.

Pure; never raises, whatever the html. BeautifulSoup reads the markup; documents that would cost it too much (too many
or too deeply nested tags) are read by a plain scanner instead, so that every input ends in bounded time.
"""

import html as entities
import re
from collections.abc import Iterator, Sequence

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from boltwatch.articles.boilerplate import judged
from boltwatch.model import Article, Block, Entry

_LONGEST = 1_000_000  # characters of html that are read
_MOST_TAGS = 20_000
_DEEPEST = 200
_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "h"),
    **dict.fromkeys(("li", "dt", "dd"), "li"),
    **dict.fromkeys(("tr", "td", "th", "caption", "table"), "table"),
    "blockquote": "quote",
    "pre": "pre",
    "figcaption": "caption",
}
_BLOCKS = frozenset(_KINDS) | frozenset(
    [
        "address",
        "article",
        "aside",
        "body",
        "details",
        "div",
        "dl",
        "fieldset",
        "figure",
        "footer",
        "header",
        "hr",
        "html",
        "main",
        "nav",
        "ol",
        "p",
        "section",
        "summary",
        "tbody",
        "tfoot",
        "thead",
        "ul",
        "video",
        "audio",
        "center",
    ]
)
_SILENT = frozenset(
    [
        "script",
        "style",
        "template",
        "iframe",
        "form",
        "noscript",
        "button",
        "select",
        "textarea",
        "svg",
        "object",
        "embed",
        "head",
        "title",
    ]
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})\b[^<>]{0,20000}>")
_MARKUP = re.compile(r"<!--.*?-->|<[!?/]?[A-Za-z][^<>]{0,20000}>", re.S)
_ESCAPED = re.compile(r"&lt;/?(?:p|div|br|a|img|ul|li|strong|em|h[1-6]|span|figure)\b", re.I)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BLANK = re.compile(r"[ \t\r\f\v\xa0]*\n[ \t\r\f\v\n\xa0]*")
_SPACE = re.compile(r"[ \t\r\n\f\v\xa0]+")
_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n\s*")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)


def clean(entry: Entry, *, feed_language: str | None = None) -> Article:
    """The entry as an article: its text is the kept blocks, its lead the first paragraph among them."""
    blocks = blocks_of(entry.html, url=entry.url, title=entry.title)
    kept = [block for block in blocks if block.kept]
    language = (entry.language or feed_language or "")[:2].lower()
    return Article(
        key=entry.key,
        digest=entry.digest,
        url=entry.url,
        title=entry.title,
        lead=next((block.text for block in kept if block.kind == "p"), ""),
        text=text_of(blocks),
        author=entry.author,
        published_at=entry.published_at,
        updated_at=entry.updated_at,
        tags=entry.tags,
        language=language if len(language) == 2 and language.isascii() and language.isalpha() else None,
        blocks=blocks,
    )


def blocks_of(html: str, *, url: str | None = None, title: str = "") -> tuple[Block, ...]:
    """Every block of the html in document order, the stripped ones with the reason."""
    return judged(tuple(_blocks(html)), title=title)


def text_of(blocks: Sequence[Block]) -> str:
    """The kept blocks, a blank line between two."""
    return "\n\n".join(block.text for block in blocks if block.kept)


def _blocks(html: str) -> Iterator[Block]:
    html = _CONTROLS.sub("", html[:_LONGEST])
    if "<" not in html and _ESCAPED.search(html):
        html = entities.unescape(html)  # escaped twice
    if not _MARKUP.search(html):
        text = entities.unescape(html)
        yield from _split(("p", paragraph) for paragraph in _PARAGRAPHS.split(text))
    elif _is_tame(html):
        yield from _split(_read(BeautifulSoup(html, "lxml")))
    else:
        yield from _split(_scan(html))


def _is_tame(html: str) -> bool:
    """Whether a tree of it stays small: few tags, none of them huge, no deep nesting."""
    if html.count("<") > _MOST_TAGS:
        return False
    depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _VOID:
            depth += -1 if closing else 1
        if depth > _DEEPEST:
            return False
    return max(map(len, html.split("<"))) < 100_000


def _read(soup: BeautifulSoup) -> Iterator[tuple[str, str]]:
    """(kind, text) of each block: strings are joined while they stand in the same block element."""
    block: Tag | None = None
    parts: list[str] = []
    for element in soup.descendants:
        if isinstance(element, Tag):
            if element.name == "br":
                parts.append("\n")
            elif element.name in _BLOCKS and parts:
                yield _kind(block), "".join(parts)
                parts = []
            continue
        if isinstance(element, PreformattedString) or not isinstance(element, NavigableString):
            continue
        around = _block_around(element)
        if around is None:
            continue
        if around is not block and parts:
            yield _kind(block), "".join(parts)
            parts = []
        block = around
        parts.append(str(element) if block.name == "pre" else _SPACE.sub(" ", str(element)))
    if parts:
        yield _kind(block), "".join(parts)


def _block_around(element: PageElement) -> Tag | None:
    """The block element a string stands in; None when it is no text for reading."""
    nearest: Tag | None = None
    for parent in element.parents:
        if parent.name in _SILENT:
            return None
        if nearest is None and (parent.name in _BLOCKS or parent.parent is None):
            nearest = parent
    return nearest


def _kind(block: Tag | None) -> str:
    """The kind of a block, by the nearest element that has one: a paragraph in a list item is a list item."""
    for element in (block, *(block.parents if block is not None else ())):
        if element is not None and element.name in _KINDS:
            return _KINDS[element.name]
    return "p"


def _scan(html: str) -> Iterator[tuple[str, str]]:
    """The text between tags, block elements as borders: for what is too much for a tree."""
    at, silent, parts = 0, "", list[str]()
    for found in _TAG.finditer(html):
        closing, name = found[1], found[2].lower()
        if not silent:
            parts.append(html[at : found.start()])
        at = found.end()
        if silent:
            silent = "" if closing and name == silent else silent
        elif name in _SILENT and not closing:
            silent = name
        elif name in _BLOCKS or name == "br":
            yield "p", entities.unescape("".join(parts))
            parts = []
    yield "p", entities.unescape("".join(parts) + ("" if silent else html[at:]))


def _split(found: Iterator[tuple[str, str]]) -> Iterator[Block]:
    """Blocks with text in them; two line breaks in a row part a block in two."""
    for kind, raw in found:
        text = _CONTROLS.sub("", raw)
        if kind == "pre":
            if text.strip():
                yield Block(_PARAGRAPHS.sub("\n", text.strip("\n")), "pre")
            continue
        for part in _PARAGRAPHS.split(text):
            line = "\n".join(_SPACE.sub(" ", line).strip() for line in part.split("\n")).strip()
            line = _BLANK.sub("\n", line)
            if line:
                yield Block(line, kind)
