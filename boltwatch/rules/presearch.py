"""Finds, from an article's words alone, the few rules worth evaluating.

Pure but for a memory of words met before: most words of an article were in an earlier one, and most hit no rule at all.
"""

from collections.abc import Iterable, Sequence

from boltwatch.rules.checks import AllCheck, AnyCheck, Check, CountCheck, MetaCheck, NearCheck, NotCheck, TermCheck
from boltwatch.rules.sieve import Sieve
from boltwatch.rules.terms import Part, Words
from boltwatch.rules.tree import Kind
from boltwatch.rules.words import TOKEN, fold

MEMORY = 200_000  # words kept; then the memory starts anew

Anchor = str | Part  # a folded word, or a piece of one


def anchors(check: Check) -> frozenset[Anchor] | None:
    """Words of which one must be in the article for the check to hold; None when it can hold without any."""
    match check:
        case TermCheck(finder=found):
            return frozenset(found.anchors()) if isinstance(found, Words) else frozenset((found,))
        case MetaCheck() | NotCheck():
            return None
        case CountCheck():
            return anchors(check.inner)
        case NearCheck():
            return _rarest((check.left, check.right))
        case AllCheck():
            return _rarest(check.parts)
        case AnyCheck():
            found_all = [anchors(part) for part in check.parts]
            sure = [found for found in found_all if found is not None]
            return frozenset().union(*sure) if len(sure) == len(found_all) else None


def _rarest(parts: Iterable[Check]) -> frozenset[Anchor] | None:
    found = [one for part in parts if (one := anchors(part)) is not None]
    return min(found, key=_commonness, default=None)


def _commonness(found: frozenset[Anchor]) -> float:
    """A guess at how many articles hold one of the words: short words are common, pieces of words more so."""
    return sum(2.0 ** -len(one) if isinstance(one, str) else 8 * 2.0 ** -len(one.key) for one in found)


class Presearch:
    """An index from required words to rule numbers."""

    __slots__ = ("_always", "_dull", "_ends", "_inside", "_live", "_sieve", "_starts", "_words")

    def __init__(self, checks: Sequence[Check]) -> None:
        self._always: list[int] = []
        self._words: dict[str, list[int]] = {}
        self._starts: dict[str, list[tuple[Part, int]]] = {}
        self._ends: dict[str, list[tuple[Part, int]]] = {}
        self._inside: list[tuple[Part, int]] = []
        self._dull: set[str] = set()
        self._live: dict[str, tuple[int, ...]] = {}
        required: set[Anchor] = set()
        for number, check in enumerate(checks):
            found = anchors(check)
            required |= found or frozenset()
            if found is None:
                self._always.append(number)
            for anchor in found or ():
                self._add(anchor, number)
        self._sieve = None if self._always else Sieve.for_few(required)

    def _add(self, anchor: Anchor, number: int) -> None:
        if isinstance(anchor, str):
            self._words.setdefault(anchor, []).append(number)
        elif anchor.kind is Kind.PREFIX:
            self._starts.setdefault(anchor.key[:3], []).append((anchor, number))
        elif anchor.kind is Kind.SUFFIX:
            self._ends.setdefault(anchor.key[-3:], []).append((anchor, number))
        else:
            self._inside.append((anchor, number))

    def candidates(self, texts: Sequence[str]) -> list[int]:
        """The numbers of all rules that may hold on an article with these texts, ascending."""
        if self._sieve is not None and all(map(self._sieve.has_none, texts)):
            return []
        met: set[str] = set()
        for text in texts:
            met.update(TOKEN.findall(text))
        met -= self._dull
        found = set(self._always)
        for word in met:
            numbers = self._live.get(word)
            found.update(self._learn(word) if numbers is None else numbers)
        return sorted(found)

    def _learn(self, word: str) -> tuple[int, ...]:
        numbers = tuple(sorted(self._lookup(fold(word))))
        if len(self._dull) + len(self._live) >= MEMORY:
            self._dull, self._live = set(), {}
        if numbers:
            self._live[word] = numbers
        elif len(word) <= 60:  # longer ones are no words, and would only fill the memory
            self._dull.add(word)
        return numbers

    def _lookup(self, key: str) -> set[int]:
        found = set(self._words.get(key, ()))
        pieces = (self._starts.get(key[:3], ()), self._ends.get(key[-3:], ()), self._inside)
        found.update(number for piece in pieces for part, number in piece if part.holds(key))
        return found
