"""Feed content becomes blocks, blocks become an article: only its own words, and each of them.

Pure; never raises, whatever the html, and ends in bounded time. How markup is read is `markup`'s business; what is
boilerplate is data in `sites/`, and is judged here, by whole blocks and by where they stand.
"""

import html as entities
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from boltwatch.articles.markup import CONTROLS, Piece, pieces_of, tidy
from boltwatch.articles.sites import PATTERN, PATTERNS, SECTIONS, Section
from boltwatch.model import Article, Block, Entry

_LONGEST = 1_000_000  # characters of html that are read
_PROSE = 400  # a longer block is prose, whatever it begins with
_BULLETS = "-–•*· \u2022\u25cf"
_MARKUP = re.compile(r"<(?:!--|[!?/]?[A-Za-z])")
_ESCAPED = re.compile(
    r"\A\s*&lt;(?:p|div|img|a|h[1-6]|span|figure|ul|ol|table|strong|em|b|i|br)(?: |/?&gt;)"
    r"|&lt;/(?:p|div|a|ul|ol|li|figure|h[1-6])&gt;",
    re.I,
)
DATA_URI = re.compile(r"data:[\w/+.;=-]{1,100};base64,[A-Za-z0-9+/=%]{200,}")
_C1_REFERENCE = re.compile(r"&#(?:x([89][0-9a-f])|(1[2-5]\d));", re.I)
_C1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_HAS_C1 = re.compile("[\x80-\x9f]")
_SENTENCE = re.compile(r"[.!?…][\"'”“’»«)\]]*(?:\s|$)")
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")


def clean(entry: Entry, *, feed_language: str | None = None) -> Article:
    """The entry as an article: its text is the kept blocks, its lead the first paragraph with a sentence in it."""
    blocks = blocks_of(entry.html, url=entry.url, title=entry.title)
    return Article(
        key=entry.key,
        digest=entry.digest,
        url=entry.url,
        title=entry.title,
        lead=lead_of(blocks),
        text=text_of(blocks),
        author=entry.author,
        published_at=entry.published_at,
        updated_at=entry.updated_at,
        tags=entry.tags,
        language=_language(entry.language) or _language(feed_language),
        blocks=blocks,
    )


def blocks_of(html: str, *, url: str | None = None, title: str = "") -> tuple[Block, ...]:
    """Every block of the html in document order, the stripped ones with the reason."""
    found = (Block(text, kind, reason and f"pattern: {reason}") for kind, text, reason in _pieces(html))
    return judged(found, url=url, title=title)


def text_of(blocks: Sequence[Block]) -> str:
    """The kept blocks, a blank line between two."""
    return "\n\n".join([block.text for block in blocks if not block.reason])


def lead_of(blocks: Sequence[Block]) -> str:
    """The first kept paragraph with a sentence in it, else the first kept paragraph, else nothing."""
    paragraphs = [block.text for block in blocks if block.kind == "p" and not block.reason]
    return next((text for text in paragraphs if _SENTENCE.search(text)), paragraphs[0] if paragraphs else "")


def judged(blocks: Iterator[Block] | Sequence[Block], *, url: str | None = None, title: str = "") -> tuple[Block, ...]:
    """The same text in the same order, boilerplate with the reason; what was stripped stays so.

    A block is parted into its lines when one of them is boilerplate: a line break may be all that parts them.
    """
    footer = f"the post {title} first appeared on ".lower() if title else "\n"
    found: list[Block] = []
    for block in blocks:
        if block.reason or block.kind == "pre":
            found.append(block)
        elif "\n" in block.text:
            lines = [_named(replace(block, text=line), footer) for line in block.text.split("\n")]
            found.extend(lines if any(line.reason or _is_sign(line.text) for line in lines) else [block])
        else:
            found.append(_named(block, footer))
    _keep_before_prose(found)
    _strip_lists(found)
    _strip_sections(found, url)
    return tuple(found)


def _language(tag: str | None) -> str | None:
    """The two letters a language tag begins with (RFC 5646 section 2.2.1), when it does."""
    letters = re.split("[-_]", (tag or "").strip(), maxsplit=1)[0].lower()
    return letters if len(letters) == 2 and letters.isascii() and letters.isalpha() else None


def _pieces(html: str) -> Sequence[Piece]:
    html = _readable(html)
    if "<" not in html and "&lt;" in html and _ESCAPED.search(html):
        html = entities.unescape(html)  # escaped twice
    if "<" in html and _MARKUP.search(html):
        return pieces_of(html)
    # Unescaping may bring control characters back; tidying takes them out again.
    paragraphs = _PARAGRAPHS.split(entities.unescape(html) if "&" in html else html)
    lines = ([line for raw in text.split("\n") if (line := tidy(raw))] for text in paragraphs)
    return [Piece("p", "\n".join(run)) for run in lines if run]


def _readable(html: str) -> str:
    """At most a million characters without embedded images and controls; quotes of windows-1252 as they were meant."""
    if ";base64," in html:
        html = DATA_URI.sub("", html[: 4 * _LONGEST])
    html = html[:_LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    if "&#" in html:
        html = _C1_REFERENCE.sub(lambda ref: chr(int(ref[1], 16) if ref[1] else int(ref[2])), html)
    if _HAS_C1.search(html):
        html = html.translate(_C1)
    return CONTROLS.sub("", html)


def _named(block: Block, footer: str) -> Block:
    """The block with the name of the pattern that it is, if it is one."""
    if len(block.text) > _PROSE:
        return block
    text = block.text.lstrip(_BULLETS).lower()
    if found := PATTERN.fullmatch(text):
        return replace(block, reason=f"pattern: {PATTERNS[(found.lastindex or 1) - 1].name}")
    return replace(block, reason="pattern: feed footer") if text.startswith(footer) else block


_TAIL = frozenset(f"pattern: {pattern.name}" for pattern in PATTERNS if pattern.tail)
_LISTS = frozenset(f"pattern: {pattern.name}" for pattern in PATTERNS if pattern.takes_list)


def _keep_before_prose(blocks: list[Block]) -> None:
    """What is boilerplate at the end only is a heading of the article where prose follows."""
    for at in range(len(blocks)):
        if blocks[at].reason in _TAIL and any(map(_is_prose, blocks[at + 1 :])):
            blocks[at] = replace(blocks[at], reason="")


def _strip_lists(blocks: list[Block]) -> None:
    """The list under a related heading goes with it; a heading with words of its own behind it has none."""
    under = ""
    for at, block in enumerate(blocks):
        if block.reason in _LISTS:
            under = block.reason if len(block.text) < 60 else ""
        elif under and block.kind == "li" and not block.reason:
            blocks[at] = replace(block, reason=under)
        else:
            under = ""


def _is_sign(line: str) -> bool:
    text = line.lstrip(_BULLETS).lower()
    return any(section.strong.fullmatch(text) or section.weak.fullmatch(text) for section in SECTIONS)


def _strip_sections(blocks: list[Block], url: str | None) -> None:
    """From the first sign of an appended section on, nothing is the article."""
    for section in SECTIONS:
        start = _section_start(blocks, section, url)
        for at in range(len(blocks) if start is None else start, len(blocks)):
            blocks[at] = replace(blocks[at], reason=section.reason)


def _section_start(blocks: Sequence[Block], section: Section, url: str | None) -> int | None:
    """Two signs prove it; on the site's own articles one strong sign does, or a weak one with no prose after."""
    texts = [block.text.lstrip(_BULLETS).lower() for block in blocks]
    strong = [at for at, text in enumerate(texts) if section.strong.fullmatch(text)]
    weak = [at for at, text in enumerate(texts) if section.weak.fullmatch(text)]
    own = _is_from(section, texts, url)
    if own:
        items = (at for at, block in enumerate(blocks) if block.kind == "li" or block.text[0] in _BULLETS)
        weak = sorted({*weak, *(at for at in items if section.item.fullmatch(texts[at]))})
    if len(strong) + len(weak) < (1 if own else 2):
        return None
    first = strong[0] if strong else len(blocks)
    # A weak sign counts from where nothing but listings stand between it and the section, or the end.
    start = next((at for at in weak if at < first and not any(map(_is_prose, blocks[at + 1 : first]))), first)
    return start if start < len(blocks) else None


def _is_from(section: Section, texts: Sequence[str], url: str | None) -> bool:
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        host = ""
    return any(host == one or host.endswith(f".{one}") for one in section.hosts) or any(
        mark in text for text in texts for mark in section.marks
    )


def _is_prose(block: Block) -> bool:
    return block.kind in ("p", "quote") and len(block.text) > 140 and _SENTENCE.search(block.text) is not None
