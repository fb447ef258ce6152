"""A term made ready: finds its places in a tokenised text, and names the words without which it cannot be there.

Knows nothing of rules and articles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from boltwatch.rules.tree import Kind, Term
from boltwatch.rules.words import TOKEN, Doc, clean, fold, forms_of, is_gap, meets, sign_of

# Signs that make another word of a word: C++, C#, .NET, @name, AT&T, 4.5. Others only separate.
_BEFORE, _AFTER = ".#@$€§", "+#%€$"
_LOOSE = frozenset(("", "-", "/", "'", "_"))

Place = tuple[int, int, int, int]  # first and last token, and how many characters of signs before and after belong


@dataclass(frozen=True, slots=True)
class Words:
    """One or more words in a row: `gaps` holds the sign a gap must be (None: any joint), `before` and `after` the signs
    that touch the outer words. `exact` are the spellings of a term that is taken as written.
    """

    keys: tuple[str, ...]
    last: Mapping[str, str]
    gaps: tuple[str | None, ...] = ()
    before: str = ""
    after: str = ""
    exact: tuple[str, ...] = ()

    def anchors(self) -> tuple[str, ...]:
        """Folded words of which one must be in a text that holds the term."""
        longest = max(self.keys, key=len)
        return tuple(self.last) if longest == self.keys[-1] else (longest,)

    def find(self, doc: Doc) -> list[Place]:
        """All places of the term, in order."""
        size = len(self.keys)
        if size == 1:
            found = [at for key in self.last for at in doc.places.get(key, ()) if self._fits(doc, at, at)]
        else:
            ends = len(doc.keys) - size + 1
            found = [at for at in doc.places.get(self.keys[0], ()) if at < ends and self._fits(doc, at, at + size - 1)]
        before, after = len(self.before), len(self.after)
        return [(at, at + size - 1, before, after) for at in sorted(found)]

    def _fits(self, doc: Doc, first: int, last: int) -> bool:
        condition = self.last.get(doc.keys[last])
        if condition is None or (condition and not meets(doc.seen(last), condition)):
            return False
        if any(doc.keys[at] != key for at, key in zip(range(first, last), self.keys, strict=False)):
            return False
        if self.exact and any(doc.seen(first + at) != word for at, word in enumerate(self.exact)):
            return False
        return all(
            is_gap(doc.between(first + at)) if sign is None else sign_of(doc.between(first + at)) == sign
            for at, sign in enumerate(self.gaps)
        ) and self._touched(doc, first, last)

    def _touched(self, doc: Doc, first: int, last: int) -> bool:
        """The signs around stand there, and are not part of something longer (ASP.NET, C+++)."""
        start, end = doc.starts[first], doc.ends[last]
        if self.before:
            ahead = doc.text[max(0, start - len(self.before) - 1) : start]
            rest = ahead[: -len(self.before)]
            if not ahead.endswith(self.before) or rest.isalnum() or rest == self.before[0]:
                return False
        if self.after:
            rest = doc.text[end + len(self.after) : end + len(self.after) + 1]
            return doc.text.startswith(self.after, end) and not rest.isalpha() and rest != self.after[-1]
        return True


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: at its start, at its end, or anywhere in it."""

    key: str
    kind: Kind

    def holds(self, word: str) -> bool:
        """True for a folded word that has the piece where it must be."""
        if self.kind is Kind.PREFIX:
            return word.startswith(self.key)
        return word.endswith(self.key) if self.kind is Kind.SUFFIX else self.key in word

    def find(self, doc: Doc) -> list[Place]:
        """All places of words that have the piece, in order."""
        return sorted((at, at, 0, 0) for word, places in doc.places.items() if self.holds(word) for at in places)


Finder = Words | Part


def finder(term: Term, dictionary: Mapping[str, frozenset[str]]) -> Finder:
    """What looks for the term in a text; its text holds at least one word (the language sees to it)."""
    if term.kind not in (Kind.PLAIN, Kind.EXACT):
        return Part(fold(term.text), term.kind)
    spans = [found.span() for found in TOKEN.finditer(term.text)]
    words = tuple(clean(term.text[start:end]) for start, end in spans)
    before = _edge(reversed(term.text[: spans[0][0]]), _BEFORE)[::-1]
    after = _edge(term.text[spans[-1][1] :], _AFTER)
    gaps = tuple(_gap(term.text[end:start], exact=term.kind is Kind.EXACT) for (_, end), (start, _) in pairwise(spans))
    keys = tuple(fold(word) for word in words)
    if term.kind is Kind.EXACT:
        return Words(keys, {keys[-1]: ""}, gaps, before, after, words)
    return Words(keys, {keys[-1]: ""} if after else forms_of(words[-1], dictionary), gaps, before, after)


def _edge(signs: Iterable[str], wanted: str) -> str:
    """The unbroken run of meaningful signs that touches a word."""
    run = ""
    for sign in signs:
        if sign not in wanted:
            break
        run += sign
    return run


def _gap(between: str, *, exact: bool) -> str | None:
    sign = sign_of(between)
    return sign if exact or sign not in _LOOSE else None
