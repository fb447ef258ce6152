"""For a handful of rules: tells, without cutting a text into words, that none of the required words is in it.

Pure. It may say "perhaps" too often, never "no" wrongly.
"""

import re
from collections.abc import Iterable

from boltwatch.rules.terms import Part
from boltwatch.rules.words import fold_text

FEW = 40  # searches through a text; beyond, cutting it into words is cheaper
_MOST = 400  # required words worth grouping at all


class Sieve:
    """Required words grouped by what they have in common: xai stands for xai and xais."""

    __slots__ = ("_groups",)

    def __init__(self, anchors: Iterable[str | Part]) -> None:
        groups: dict[str, set[str | Part]] = {}
        for anchor in sorted(set(anchors), key=lambda one: (len(_key(one)), _key(one))):
            key = _key(anchor)
            root = next((one for one in groups if one in key), key)
            groups.setdefault(root, set()).add(anchor)
        self._groups = tuple((root, _whole(group)) for root, group in groups.items())

    @classmethod
    def for_few(cls, anchors: Iterable[str | Part]) -> "Sieve | None":
        """A sieve when the words are few enough for it to pay."""
        found = set(anchors)
        sieve = cls(found) if len(found) <= _MOST else None
        return sieve if sieve is not None and len(sieve._groups) <= FEW else None

    def has_none(self, text: str) -> bool:
        """True only when no required word is in the text."""
        folded = fold_text(text)
        if folded is None:
            return False
        return not any(root in folded and (whole is None or whole.search(folded)) for root, whole in self._groups)


def _key(anchor: str | Part) -> str:
    return anchor if isinstance(anchor, str) else anchor.key


def _whole(group: set[str | Part]) -> re.Pattern[str] | None:
    """A pattern of the group as whole words, where it has no pieces of words."""
    words = sorted(one for one in group if isinstance(one, str))
    if len(words) < len(group):
        return None
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, words))})(?![^\W_])")
