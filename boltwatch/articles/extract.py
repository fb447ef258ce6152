"""A full page becomes blocks: trafilatura finds the main content, strip's patterns go over it block by block. Pure.

It reads feed content's way (`strip`) what is too much for trafilatura, and never fetches anything.
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from lxml import html as trees

from boltwatch.articles.markup import TAG, Piece, Reader, depth_of, tidy
from boltwatch.articles.strip import DATA_URI, blocks_of, judged
from boltwatch.model import Block

_LONGEST = 5_000_000
_MOST_TAGS = 30_000
_MOST_ATTRIBUTES = 2_000  # of one tag; libxml2 compares each with all others
_DEEPEST = 800
_AS_HTML = {"head": "h2", "item": "li", "list": "ul", "quote": "blockquote", "row": "tr", "cell": "td", "code": "pre"}
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LEAD = re.compile(
    r"(?:^|[\s_-])(?:lead|lede|leadtext|intro|introtext|standfirst|vorspann|anleser|teasertext|abstract|dek|excerpt|"
    r"article-?intro|article-?lead|article-?summary|article-?description|subline)(?:$|[\s_-])",
    re.IGNORECASE,
)
_DESCRIPTIONS = "//meta[@property='og:description' or @name='description' or @name='twitter:description']/@content"
_ASIDE = frozenset(["aside", "nav", "footer", "li", "form", "figure", "script", "style", "a", "noscript", "template"])
_QUOTED = re.compile(r"""=\s*(?:"[^"]*"|'[^']*')""")
_LETTERS = re.compile(r"[\W_]+")


def extract(html: str, *, url: str | None) -> tuple[Block, ...]:
    """The blocks of a page's main content, the stripped ones with the reason; none when it has none.

    A page too large for a tree (5 million characters, 30,000 tags, 800 levels) is read as if all of it were content.
    """
    html = DATA_URI.sub("", html) if ";base64," in html else html
    html = _CONTROLS.sub("", html)
    if not _is_bearable(html):
        return blocks_of(html, url=url)
    tree = _tree(html)
    if tree is None:
        return ()
    # Imported here: it takes half a second, and feed content does not need it.
    import trafilatura

    lead = _Lead(tree)
    document = trafilatura.bare_extraction(tree, url=url, include_comments=False)
    if document is None or isinstance(document, dict) or document.body is None:
        return ()
    reader = Reader()
    _tell(document.body, reader)
    return judged([Block(text, kind) for kind, text, _ in lead.before(reader.close())], url=url)


def _is_bearable(html: str) -> bool:
    if len(html) > _LONGEST or html.count("<") > _MOST_TAGS:
        return False
    tags = (found[0] for found in TAG.finditer(html) if found.end() - found.start() > _MOST_ATTRIBUTES)
    if any(len(_QUOTED.sub("=", tag).split()) > _MOST_ATTRIBUTES for tag in tags):
        return False
    return depth_of(html) <= _DEEPEST


def _tree(html: str) -> Any:
    parser = trees.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        return trees.document_fromstring(html.encode(), parser=parser)
    except (etree.LxmlError, ValueError):  # nothing in it that could be a document
        return None


def _tell(element: Any, reader: Reader) -> None:
    """The events of an element of trafilatura's own vocabulary."""
    name = "br" if element.tag == "lb" else _AS_HTML.get(element.tag, element.tag)
    reader.start(name, {})
    reader.data(element.text or "")
    for child in element:
        _tell(child, reader)
        reader.data(child.tail or "")
    reader.end(name)


class _Lead:
    """The lead paragraph of a page: in front of the body text, in an element of its own, and therefore often lost."""

    def __init__(self, tree: Any) -> None:
        described = {_letters(text)[:60] for text in tree.xpath(_DESCRIPTIONS)}
        self._described = {text for text in described if len(text) >= 30}
        self._texts = list(self._visible(tree))

    def before(self, pieces: list[Piece]) -> list[Piece]:
        """The pieces, the lead in front of them when it is missing and the page shows it before their first prose."""
        first = next((_letters(piece.text)[:60] for piece in pieces if piece.kind == "p" and len(piece.text) > 80), "")
        shown = _letters("".join(piece.text for piece in pieces))
        for text, is_lead in self._texts:
            letters = _letters(text)
            if first and letters.startswith(first):
                break
            if is_lead and letters[:60] not in shown:
                return [Piece("p", text), *pieces]
        return pieces

    def _visible(self, tree: Any) -> Iterator[tuple[str, bool]]:
        """(text, whether it is marked as a lead) of the page's short text elements, in order."""
        for element in tree.iter("p", "div", "span", "h2", "section", "strong"):
            if len(element) > (12 if element.tag in ("p", "h2") else 3):
                continue
            text = tidy("".join(element.itertext()))
            if 40 <= len(text) <= 900 and not any(above.tag in _ASIDE for above in element.iterancestors()):
                yield text, self._is_lead(element, text)

    def _is_lead(self, element: Any, text: str) -> bool:
        if _letters(text)[:60] in self._described:
            return True
        names = f"{element.get('class', '')} {element.get('itemprop', '')}"
        return _LEAD.search(names) is not None and text[-1] in '.!?…“"' and len(text) < 600


def _letters(text: str) -> str:
    return _LETTERS.sub("", text).lower()
