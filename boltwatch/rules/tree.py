"""What a rule expression means: the tree that the language builds and the matcher compiles.

Nodes are values; the column says where the node stood in the expression and takes no part in equality.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import StrEnum

TEXT_FIELDS = ("title", "lead", "text", "author", "url")
META_FIELDS = ("feed", "site", "lang", "tag")


class Kind(StrEnum):
    """How a term is compared with the words of an article."""

    PLAIN = "plain"  # whole words, any case, inflected
    EXACT = "exact"  # =X
    INSIDE = "inside"  # ~word
    PREFIX = "prefix"  # word*
    SUFFIX = "suffix"  # *word
    MIDDLE = "middle"  # *word*


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase, looked for in one text field, or in title and text when `field` is empty."""

    text: str
    kind: Kind = Kind.PLAIN
    field: str = ""
    column: int = attribute(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Meta:
    """A condition on what is known of an article besides its words: feed, site, lang or tag."""

    field: str
    value: str
    column: int = attribute(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """Two sides with at most `distance` words between them; `ordered` keeps the left side first."""

    left: "Node"
    right: "Node"
    distance: int
    ordered: bool = False
    column: int = attribute(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The inner terms are hit at `count` places or more."""

    count: int
    inner: "Node"
    column: int = attribute(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where the inner node does not."""

    inner: "Node"
    column: int = attribute(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple["Node", ...]


Node = Term | Meta | Near | AtLeast | Not | And | Or


def terms(node: Node) -> Iterator[Term | Meta]:
    """Every leaf of the tree, from left to right."""
    match node:
        case Term() | Meta():
            yield node
        case Near():
            yield from terms(node.left)
            yield from terms(node.right)
        case AtLeast() | Not():
            yield from terms(node.inner)
        case And() | Or():
            for part in node.parts:
                yield from terms(part)


def is_positional(node: Node) -> bool:
    """True for what has places in a text, so that NEAR and ATLEAST can measure and count it."""
    match node:
        case Term() | Near():
            return True
        case Or():
            return all(is_positional(part) for part in node.parts)
    return False


def is_bounded(node: Node) -> bool:
    """True when something must be present for the node to hold; a rule of only NOT parts is not."""
    match node:
        case Not():
            return False
        case And():
            return any(is_bounded(part) for part in node.parts)
        case Or():
            return all(is_bounded(part) for part in node.parts)
    return True


def first_not(node: Node) -> int:
    """The column of the first NOT in the tree, 1 when there is none."""
    match node:
        case Not():
            return node.column
        case And() | Or():
            return next((column for part in node.parts if (column := first_not(part)) > 1), 1)
    return 1
