"""What of an article is shown in an alert: the sentences and words that made the rule hold, cut to size.

Pure. All words of an article are strangers' words here: they are freed of what could steer a terminal, a header or
the reading direction. Must not escape for any one channel; that is the business of whoever prints.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from boltwatch.model import Article, Span

EXCERPT_LIMIT = 300  # characters, cut marks included
MOST_EXCERPTS = 3
MOST_MARKS = 20  # in one excerpt
MOST_WORDS = 10  # in one field
WORD_LIMIT = 40  # characters
LINK_LIMIT = 2_000  # octets

# Control characters, line separators, embeddings and overrides of direction, lone surrogates.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")
_BORDER = re.compile(r"[.!?…][\"'»«”“’)\]]*\s+(?=[^\W_a-zß-öø-ÿ]|[\"'»«„“‚(\[–-])|[。！？]+|\n\s*")
_NO_END = re.compile(r"\b(?:[^\W\d_]|\d{1,2}|Dr|Prof|Mr|Mrs|Ms|St|Nr|No|bzw|ca|vgl|evtl|ggf|vs)\.$")

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A line of the article; `marks` are [start, end) of its own text, in order, never overlapping."""

    text: str
    marks: tuple[Range, ...] = ()

    def pieces(self) -> Iterable[tuple[str, bool]]:
        """The text cut at its marks, empty pieces left out: (piece, is it marked)."""
        at = 0
        for start, end in self.marks:
            yield from (
                (piece, hit) for piece, hit in ((self.text[at:start], False), (self.text[start:end], True)) if piece
            )
            at = end
        if at < len(self.text):
            yield self.text[at:], False


class _Window(NamedTuple):
    """A stretch [begin, finish) of a text, and whether it leaves out words of its sentence on either side."""

    begin: int
    finish: int
    cut_before: bool
    cut_after: bool


def harmless(text: str) -> str:
    """The text with every steering character turned into one blank: the same length, so spans stay true."""
    return _STEERING.sub(" ", text)


def one_line(text: str, limit: int) -> str:
    """The text as one line of at most `limit` characters; a longer one is cut and ends with "…"."""
    line = " ".join(harmless(text[: 4 * limit + 400]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def link(url: str | None) -> str | None:
    """The address if it may be clicked: http or https, with a host, of at most 2,000 octets; else None."""
    address = re.sub(r"\s", "%20", harmless(url or "").strip())
    try:
        parts = urlsplit(address)
        clickable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # a broken IPv6 host
        return None
    return address if clickable and len(address.encode()) <= LINK_LIMIT else None


def title_line(article: Article, spans: Iterable[Span], limit: int) -> Excerpt:
    """The title with its marks, at most `limit` characters; an article without a title is called by its address."""
    if not harmless(article.title).strip():
        return Excerpt(one_line(article.url or "", limit) or "(no title)")
    text = harmless(article.title[: limit + 1])
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return Excerpt(text, _inside(_ranges(spans, "title", len(text)), 0, len(text)))


def excerpts(article: Article, spans: Iterable[Span]) -> tuple[Excerpt, ...]:
    """Up to three sentences around the spans of the text, at most 300 characters each, in the text's order.

    A sentence with a word not shown before comes first in the choice, so that "A AND B" is explained by both.
    """
    windows = _windows(article.text, _ranges(spans, "text", len(article.text)))
    fresh: list[int] = []
    others: list[int] = []
    shown: set[str] = set()
    for number, (_, marks) in enumerate(windows):
        words = {article.text[start:end].casefold() for start, end in marks}
        (others if words <= shown else fresh).append(number)
        shown |= words
    chosen = sorted((fresh + others)[:MOST_EXCERPTS])
    return tuple(_excerpt(article.text, *windows[number]) for number in chosen)


def hit_words(article: Article, spans: tuple[Span, ...]) -> tuple[tuple[str, str], ...]:
    """(field, word) of what the spans cover, each once whatever its case, title first, at most ten a field."""
    found: list[tuple[str, str]] = []
    for field, whole in (("title", article.title), ("text", article.text)):
        words: dict[str, str] = {}
        for start, end in _ranges(spans, field, len(whole)):
            word = one_line(whole[start:end], WORD_LIMIT)
            words.setdefault(word.casefold(), word)
        found += [(field, word) for word in words.values() if word][:MOST_WORDS]
    return tuple(found)


def _ranges(spans: Iterable[Span], field: str, length: int) -> list[Range]:
    """The field's spans as sorted ranges within the text; overlapping ones are joined, empty ones left out."""
    joined: list[Range] = []
    for start, end in sorted((max(s.start, 0), min(s.end, length)) for s in spans if s.field == field):
        if start >= end:
            continue
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _inside(ranges: Iterable[Range], begin: int, finish: int) -> tuple[Range, ...]:
    clipped = ((max(start, begin), min(end, finish)) for start, end in ranges)
    return tuple((start, end) for start, end in clipped if start < end)[:MOST_MARKS]


def _windows(text: str, ranges: list[Range]) -> list[tuple[_Window, list[Range]]]:
    """Stretches of the text, each with the ranges it shows: the sentence around a range, or as much of it as fits."""
    borders = _borders(text) if ranges else []
    found: list[tuple[_Window, list[Range]]] = []
    for mark in ranges:
        if found and mark[1] <= found[-1][0].finish:
            found[-1][1].append(mark)
        else:
            found.append((_window(text, borders, *mark), [mark]))
    return found


def _borders(text: str) -> list[int]:
    """Where sentences begin. A dot after an initial, a small number or a known short form ends none."""
    begins = [0]
    for border in _BORDER.finditer(text):
        dot = border.start() + 1
        if not _NO_END.search(text, max(0, dot - 12), dot):
            begins.append(border.end())
    return begins


def _window(text: str, borders: list[int], start: int, end: int) -> _Window:
    """The sentences that [start, end) touches or, when they are too long, its surroundings cut between words."""
    first = borders[bisect_right(borders, start) - 1]
    after = bisect_right(borders, end - 1)
    last = borders[after] if after < len(borders) else len(text)
    last = max(first + len(text[first:last].rstrip()), end)
    room = EXCERPT_LIMIT - 2  # the two cut marks
    if last - first <= room:
        return _Window(first, last, False, False)
    begin = min(max(first, start - max(0, room - (end - start)) // 2), max(first, last - room))
    finish = min(begin + room, last)
    if begin > first and (blank := text.find(" ", begin, start)) >= 0:
        begin = blank + 1
    if finish < last and (blank := text.rfind(" ", end, finish)) >= 0:
        finish = blank
    return _Window(begin, finish, begin > first, finish < last)


def _excerpt(whole: str, window: _Window, ranges: list[Range]) -> Excerpt:
    head, tail = "…" * window.cut_before, "…" * window.cut_after
    marks = _inside(ranges, window.begin, window.finish)
    offset = len(head) - window.begin
    text = head + harmless(whole[window.begin : window.finish]) + tail
    return Excerpt(text, tuple((start + offset, end + offset) for start, end in marks))
