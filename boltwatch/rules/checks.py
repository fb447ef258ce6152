"""The tree made ready: each node answers with the hits that make it hold, or None when it does not.

Pure. Classes, not closures, so that a compiled rule can travel to a worker process.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from boltwatch.rules.page import Hit, Page
from boltwatch.rules.terms import Finder, finder
from boltwatch.rules.tree import And, AtLeast, Meta, Near, Node, Not, Term

Hits = list[Hit]


@dataclass(frozen=True, slots=True)
class TermCheck:
    """A term in its field."""

    finder: Finder
    field: str

    def hits(self, page: Page) -> Hits | None:
        """All its places."""
        return page.find(self.finder, self.field) or None


@dataclass(frozen=True, slots=True)
class MetaCheck:
    """A condition without a place."""

    meta: Meta

    def hits(self, page: Page) -> Hits | None:
        """Nothing to show where it holds."""
        return [] if page.knows(self.meta) else None


@dataclass(frozen=True, slots=True)
class NotCheck:
    """What must not be there."""

    inner: "Check"

    def hits(self, page: Page) -> Hits | None:
        """Nothing to show where it holds."""
        return [] if self.inner.hits(page) is None else None


@dataclass(frozen=True, slots=True)
class AllCheck:
    """AND."""

    parts: tuple["Check", ...]

    def hits(self, page: Page) -> Hits | None:
        """The hits of every part."""
        found: Hits = []
        for part in self.parts:
            hits = part.hits(page)
            if hits is None:
                return None
            found += hits
        return found


@dataclass(frozen=True, slots=True)
class AnyCheck:
    """OR."""

    parts: tuple["Check", ...]

    def hits(self, page: Page) -> Hits | None:
        """The hits of all parts that hold."""
        found = [hits for part in self.parts if (hits := part.hits(page)) is not None]
        return [hit for hits in found for hit in hits] if found else None


@dataclass(frozen=True, slots=True)
class CountCheck:
    """ATLEAST: different places are counted, whichever term hit them."""

    count: int
    inner: "Check"

    def hits(self, page: Page) -> Hits | None:
        """All places, when there are enough."""
        hits = self.inner.hits(page) or []
        return hits if len({hit[:3] for hit in hits}) >= self.count else None


@dataclass(frozen=True, slots=True)
class NearCheck:
    """NEAR and ONEAR."""

    left: "Check"
    right: "Check"
    distance: int
    ordered: bool

    def hits(self, page: Page) -> Hits | None:
        """Near pairs: each hit with its outermost partners, so that a chain reaches as far as it may."""
        left = self.left.hits(page)
        right = self.right.hits(page) if left else None
        if not left or not right:
            return None
        lefts, rights = _Row(left), _Row(right)
        pairs = {(one, other) for one in left for other in rights.outermost(one, self.distance, self._fits)}
        pairs |= {(other, one) for one in right for other in lefts.outermost(one, self.distance, self._fits_turned)}
        return [_joined(one, other) for one, other in sorted(pairs)] or None

    def _fits(self, left: Hit, right: Hit) -> bool:
        if left.last < right.first:
            return right.first - left.last - 1 <= self.distance
        if self.ordered:
            return False
        if right.last < left.first:
            return left.first - right.last - 1 <= self.distance
        return not any(a[0] <= b[1] and b[0] <= a[1] for a in left.parts for b in right.parts)

    def _fits_turned(self, right: Hit, left: Hit) -> bool:
        return self._fits(left, right)


class _Row:
    """The hits of one side by field and place, so that only a window of them is looked at."""

    def __init__(self, hits: Hits) -> None:
        self.hits: dict[str, Hits] = {}
        for hit in sorted(set(hits)):
            self.hits.setdefault(hit.field, []).append(hit)
        self.longest = max(hit.last - hit.first for hit in hits)

    def outermost(self, one: Hit, distance: int, fits: Callable[[Hit, Hit], bool]) -> set[Hit]:
        row = self.hits.get(one.field, [])
        low = bisect_left(row, one.first - distance - 1 - self.longest, key=_first)
        high = bisect_right(row, one.last + distance + 1, key=_first)
        forward = (row[at] for at in range(low, high) if fits(one, row[at]))
        backward = (row[at] for at in range(high - 1, low - 1, -1) if fits(one, row[at]))
        return {hit for hit in (next(forward, None), next(backward, None)) if hit is not None}


def _first(hit: Hit) -> int:
    return hit.first


def _joined(one: Hit, other: Hit) -> Hit:
    parts = tuple(sorted({*one.parts, *other.parts}))
    return Hit(one.field, min(one.first, other.first), max(one.last, other.last), parts)


Check = TermCheck | MetaCheck | NotCheck | AllCheck | AnyCheck | CountCheck | NearCheck


def check_of(node: Node, dictionary: Mapping[str, frozenset[str]]) -> Check:
    """The node made ready; `dictionary` holds the forms of words as written."""
    match node:
        case Term():
            return TermCheck(finder(node, dictionary), node.field)
        case Meta():
            return MetaCheck(node)
        case Not():
            return NotCheck(check_of(node.inner, dictionary))
        case AtLeast():
            return CountCheck(node.count, check_of(node.inner, dictionary))
        case Near():
            left, right = check_of(node.left, dictionary), check_of(node.right, dictionary)
            return NearCheck(left, right, node.distance, node.ordered)
    parts = tuple(check_of(part, dictionary) for part in node.parts)
    return AllCheck(parts) if isinstance(node, And) else AnyCheck(parts)
