"""Reads a rule expression into a tree, by recursive descent over docs/rules.md's grammar, and shows the tree again.

Pure. What it cannot read it refuses with a RuleError: no expression is repaired, and none silently means less.
"""

import re
from collections.abc import Callable, Sequence

from boltwatch.errors import RuleError
from boltwatch.rules.lexer import Lexer, Mark, looks_like
from boltwatch.rules.tree import (
    META_FIELDS,
    And,
    AtLeast,
    Kind,
    Meta,
    Near,
    Node,
    Not,
    Or,
    Term,
    first_not,
    is_bounded,
    is_positional,
    terms,
)

DEEPEST = 50  # brackets and NOTs inside each other
_STARTS = ("term", "value", "field", "(", "ATLEAST")
_SHAPES = {  # what a condition can be: a value that could never be met is refused
    "feed": (re.compile(r"[^\s*]*[./][^\s*]*|localhost"), "the feed's address or host: feed:heise.de"),
    "site": (re.compile(r"[\w-]+(\.[\w-]+)+|localhost"), "a host without https:// and path: site:heise.de"),
    "lang": (re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*"), "a language code: lang:de or lang:(de OR en)"),
    "tag": (re.compile(r"[^*\n]*\w[^*\n]*"), 'a whole tag: tag:KI or tag:"Künstliche Intelligenz"'),
}
_BARE = re.compile(r"\w(?:[\w.\-'&+#]*[\w+#])?|\.\w+")
_SINGLE = re.compile(r"[=~]\w+|\*?\w{3,}\*?")


def parse_rule(expression: str) -> Node:
    """The tree of an expression; RuleError with column, cause and hint for anything that is not one."""
    return _Parser(expression).rule()


def keywords_expression(keywords: Sequence[str]) -> str:
    """The expression for a plain list of keywords: any of them. RuleError when the list or a keyword is empty.

    A keyword may be a single `word*`, `*word`, `=Word` or `~word`; all else is taken as a phrase.
    """
    if not keywords:
        raise RuleError("", 1, "no keywords", 'write at least one: keywords = ["xAI"]')
    shown = [_keyword(word.strip()) for word in keywords]
    return " OR ".join(shown)


def _keyword(word: str) -> str:
    if '"' in word:
        raise RuleError(word, word.index('"') + 1, "a keyword holds no quotes", "use match for expressions")
    single = _SINGLE.fullmatch(word) and "_" not in word and not _is_reserved(word)
    shown = word if single else f'"{word}"'
    parse_rule(shown)
    return shown


def show(node: Node) -> str:
    """The reading: the expression with every bracket written, which parses to an equal tree."""
    shown = _show(node)
    return shown[1:-1] if isinstance(node, And | Or | Near) else shown


def _show(node: Node) -> str:
    match node:
        case Term():
            return f"{node.field}:{_show_term(node)}" if node.field else _show_term(node)
        case Meta():
            return f'{node.field}:"{node.value}"' if re.search(r"[\s()]", node.value) else f"{node.field}:{node.value}"
        case Near():
            operator = f"{'ONEAR' if node.ordered else 'NEAR'}/{node.distance}"
            return f"({_show(node.left)} {operator} {_show(node.right)})"
        case AtLeast():
            return f"ATLEAST/{node.count} {_show(node.inner)}"
        case Not():
            return f"NOT {_show(node.inner)}"
    return "(" + (" AND " if isinstance(node, And) else " OR ").join(_show(part) for part in node.parts) + ")"


def _show_term(term: Term) -> str:
    bare = _BARE.fullmatch(term.text) and not _is_reserved(term.text)
    text = term.text if bare else f'"{term.text}"'
    match term.kind:
        case Kind.PREFIX:
            return f"{term.text}*"
        case Kind.SUFFIX:
            return f"*{term.text}"
        case Kind.MIDDLE:
            return f"*{term.text}*"
        case Kind.EXACT:
            return f"={text}"
        case Kind.INSIDE:
            return f"~{text}"
    return text


def _is_reserved(word: str) -> bool:
    return bool(looks_like(word)) or re.match(r"(?i)(o?near|atleast)\b", word) is not None


class _Parser:
    def __init__(self, expression: str) -> None:
        self.lexer = Lexer(expression)
        self.marks = self.lexer.marks()
        self.at = 0
        self.depth = 0
        self.field = ""

    def error(self, mark: Mark, cause: str, hint: str = "") -> RuleError:
        return RuleError(self.lexer.expression, mark.column, cause, hint)

    @property
    def mark(self) -> Mark:
        return self.marks[self.at]

    def take(self) -> Mark:
        mark = self.marks[self.at]
        self.at += 1
        return mark

    def rule(self) -> Node:
        if self.mark.what == "end":
            raise self.error(self.mark, "the expression is empty", "write a word to look for")
        node = self.any_of()
        if self.mark.what != "end":
            raise self.unexpected()
        if not is_bounded(node):
            column = first_not(node)
            hint = "say what must be there too: xAI NOT Werbung"
            raise RuleError(self.lexer.expression, column, "with only NOT this fires on almost everything", hint)
        return node

    def unexpected(self) -> RuleError:
        """The error for a mark that cannot follow the term before it."""
        mark, before = self.mark, self.marks[self.at - 1]
        if mark.what == ")":
            return self.error(mark, "this bracket was never opened", "remove it, or open one before")
        for word in (mark, before):
            if word.what == "term" and looks_like(word.text):
                operator = looks_like(word.text)
                hint = f'write {operator}; for the word itself "{word.text}"'
                return self.error(word, "operators are upper-case: AND, OR, NOT", hint)
        if mark.what in _STARTS:
            hint = 'write AND, OR or NOT between them, or quote a phrase: "X Corp"'
            return self.error(mark, "two terms without an operator", hint)
        return self.error(mark, f"{mark.what} cannot stand here", "use brackets to say what belongs together")

    def any_of(self) -> Node:
        parts = [self.all_of()]
        while self.mark.what == "OR":
            self.take()
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def all_of(self) -> Node:
        parts = [self.near()]
        while self.mark.what in ("AND", "NOT"):
            if self.mark.what == "AND":
                self.take()
                parts.append(self.near())
            else:
                parts.append(self.unary())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def near(self) -> Node:
        node = self.unary()
        while self.mark.what in ("NEAR", "ONEAR"):
            mark = self.take()
            node = Near(node, self.unary(), mark.number, mark.what == "ONEAR", mark.column)
            self.check_places(mark, node.left, node.right)
        return node

    def check_places(self, mark: Mark, *sides: Node) -> None:
        if not all(map(is_positional, sides)):
            hint = "AND, NOT, ATLEAST and fields of the feed have no place in a text; use OR in brackets"
            raise self.error(mark, f"{mark.what} takes terms only", hint)
        scopes = [{leaf.field for leaf in terms(side)} for side in sides]
        if len(scopes) == 2 and "" not in scopes[0] | scopes[1] and not scopes[0] & scopes[1]:
            raise self.error(mark, "the two sides are in different fields and are never near", "use AND")

    def unary(self) -> Node:
        mark = self.take()
        match mark.what:
            case "NOT":
                return Not(self.nested(mark, self.unary), mark.column)
            case "ATLEAST":
                inner = self.nested(mark, self.unary)
                self.check_places(mark, inner)
                return AtLeast(mark.number, inner, mark.column)
            case "(":
                return self.nested(mark, self.bracket)
            case "field":
                return self.scoped(mark)
            case "term" | "value":
                return self.leaf(mark)
        self.at -= 1
        raise self.missing(mark)

    def nested(self, mark: Mark, inside: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(mark, f"more than {DEEPEST} levels", "use fewer brackets")
        node = inside()
        self.depth -= 1
        return node

    def bracket(self) -> Node:
        opened = self.marks[self.at - 1]
        node = self.any_of()
        if self.mark.what == "end":
            raise self.error(opened, "this bracket is never closed", "write ) where the group ends")
        if self.mark.what != ")":
            raise self.unexpected()
        self.take()
        return node

    def scoped(self, mark: Mark) -> Node:
        if self.field:
            raise self.error(mark, f"{mark.text}: stands inside {self.field}:", "close the bracket first")
        self.field = mark.text
        if self.mark.what not in ("(", "term", "value"):
            raise self.error(
                self.mark, f"no term after {mark.text}:", f"write {mark.text}:Grok or {mark.text}:(a OR b)"
            )
        node = self.unary()
        self.field = ""
        return node

    def leaf(self, mark: Mark) -> Node:
        if self.field not in META_FIELDS:
            return Term(mark.text, mark.kind, self.field, mark.column)
        shape, hint = _SHAPES[self.field]
        if not shape.fullmatch(mark.text):
            raise self.error(mark, f"'{mark.text}' is no value of {self.field}:", f"write {hint}")
        return Meta(self.field, mark.text, mark.column)

    def missing(self, mark: Mark) -> RuleError:
        if mark.what == "end":
            opened = [one for one in self.marks[: self.at] if one.what == "("]
            if opened and self.marks[self.at - 1].what == "(":
                return self.error(opened[-1], "this bracket is never closed", "write ) where the group ends")
            return self.error(mark, "a term is missing at the end", "write one, or remove the operator")
        if mark.what == ")":
            return self.error(mark, "a term is missing before this bracket", "write one between ( and )")
        return self.error(mark, f"a term is missing before {mark.what}", "write one, or remove the operator")
