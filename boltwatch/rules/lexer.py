"""Cuts a rule expression into marks: brackets, operators, fields and terms, and refuses what has no meaning.

Pure. It never guesses: a sign that other tools give a meaning (-, ?, &&, /…/) is an error that says what to write.
"""

import difflib
import re
from dataclasses import dataclass

from boltwatch.errors import RuleError
from boltwatch.rules.tree import META_FIELDS, TEXT_FIELDS, Kind
from boltwatch.rules.words import TOKEN

FIELDS = (*TEXT_FIELDS, *META_FIELDS)
LONGEST = 10_000  # characters of an expression
_WORD = re.compile(r'[^\s()"]+')
_QUOTED = re.compile(r'([=~]?)"([^"]*)"')
_FIELD = re.compile(r"([^\W\d_]+):")
_COUNTED = re.compile(r"(NEAR|ONEAR|ATLEAST)(?:/(.*))?", re.IGNORECASE)
_PLAIN_SIGNS = re.compile(r"[^\w.\-/'’‘ʼ&+#@%$€§‐‑–\u00ad\u0300-\u036f\u200b-\u200d]")
_RANGES = {"NEAR": (1, 100), "ONEAR": (1, 100), "ATLEAST": (2, 1000)}
_OPERATORS = {"and": "AND", "und": "AND", "&&": "AND", "&": "AND", "+": "AND", "or": "OR", "oder": "OR", "||": "OR"}
_OPERATORS |= {"|": "OR", "not": "NOT", "nicht": "NOT", "-": "NOT", "!": "NOT"}
_CURLY = "„“”»«‚‘’"


@dataclass(frozen=True, slots=True)
class Mark:
    """One piece of an expression; `what` is an operator, "(", ")", "field", "term", "value" or "end"."""

    what: str
    column: int
    text: str = ""
    number: int = 0
    kind: Kind = Kind.PLAIN


def looks_like(word: str) -> str:
    """The operator that a lower-case or foreign word probably means, or nothing."""
    return _OPERATORS.get(word.casefold(), "")


class Lexer:
    """Reads one expression once, from left to right."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.at = 0
        self._values = -1  # bracket depth of a metadata field: 0 for the next word only, -1 outside
        if len(expression) > LONGEST:
            raise self.error(LONGEST, f"the expression is longer than {LONGEST} characters", "split it into rules")

    def error(self, at: int, cause: str, hint: str = "") -> RuleError:
        """The error for character `at`, counted from 0."""
        return RuleError(self.expression, at + 1, cause, hint)

    def marks(self) -> list[Mark]:
        """All pieces; the last is "end"."""
        found: list[Mark] = []
        while True:
            while self.at < len(self.expression) and self.expression[self.at].isspace():
                self.at += 1
            if self.at >= len(self.expression):
                return [*found, Mark("end", len(self.expression) + 1)]
            found.append(self._next())

    def _next(self) -> Mark:
        at, sign = self.at, self.expression[self.at]
        if sign in "()":
            self.at += 1
            self._follow_brackets(sign)
            return Mark(sign, at + 1)
        if sign == '"' or self.expression[at : at + 2] in ('="', '~"'):
            return self._quoted(at)
        if self._values >= 0:
            return self._value(at)
        field = _FIELD.match(self.expression, at)
        return self._field(at, field[1]) if field else self._word(at)

    def _follow_brackets(self, sign: str) -> None:
        if self._values >= 0:
            self._values += 1 if sign == "(" else -1
            if self._values == 0:
                self._values = -1

    def _field(self, at: int, name: str) -> Mark:
        if name not in FIELDS:
            near = difflib.get_close_matches(name.lower(), FIELDS, 1, 0.6)
            known = f"fields are {', '.join(FIELDS)}; a colon within a text needs quotes"
            raise self.error(at, f"unknown field '{name}'", f"did you mean {near[0]}: ?" if near else known)
        self.at = at + len(name) + 1
        if self.at >= len(self.expression) or self.expression[self.at].isspace():
            raise self.error(self.at, f"a blank after '{name}:'", f"write the term at once: {name}:Grok")
        if name in META_FIELDS:
            self._values = 0
        return Mark("field", at + 1, name)

    def _quoted(self, at: int) -> Mark:
        found = _QUOTED.match(self.expression, at)
        if not found:
            raise self.error(at, "this quote is never closed", 'write a second " at the end of the phrase')
        self.at = found.end()
        value, kind = self._values >= 0, _KINDS[found[1]]
        if self._values == 0:
            self._values = -1
        if value and kind is not Kind.PLAIN:
            raise self.error(at, f"'{found[1]}' has no meaning here", "these fields are compared whole anyway")
        if value:
            return Mark("value", at + 1, found[2].strip())
        if "*" in found[2]:
            star = found.start(2) + found[2].index("*")
            raise self.error(star, "* inside a phrase is not supported", "write the words with AND or ONEAR/1")
        return self._checked(at, found[2].strip(), kind, found.start(2))

    def _value(self, at: int) -> Mark:
        word = self._take(at)
        if word in ("AND", "OR", "NOT") and self._values > 0:
            return Mark(word, at + 1)
        if self._values > 0 and looks_like(word):
            raise self._lower_case(at, word)
        if self._values == 0:
            self._values = -1
        return Mark("value", at + 1, word)

    def _take(self, at: int) -> str:
        found = _WORD.match(self.expression, at)
        word = found[0] if found else ""
        self.at = at + len(word)
        return word

    def _lower_case(self, at: int, word: str) -> RuleError:
        operator = looks_like(word)
        return self.error(
            at, "operators are upper-case: AND, OR, NOT", f'write {operator}; for the word itself "{word}"'
        )

    def _word(self, at: int) -> Mark:
        word = self._take(at)
        if word in ("AND", "OR", "NOT"):
            return Mark(word, at + 1)
        counted = _COUNTED.fullmatch(word)
        if counted and (word.isupper() or counted[2] is not None):
            return self._counted(at, counted[1], counted[2])
        self._refuse(at, word)
        if "*" in word:
            return self._wildcard(at, word)
        kind = _KINDS[word[0] if word[0] in "=~" else ""]
        text = word[1:] if kind is not Kind.PLAIN else word
        strange = _PLAIN_SIGNS.search(text)
        if strange:
            hint = f'put the term in quotes: "{text}"' if strange[0] != "," else "write OR between terms"
            raise self.error(self.at - len(text) + strange.start(), f"'{strange[0]}' has no meaning here", hint)
        return self._checked(at, text, kind, self.at - len(text))

    def _refuse(self, at: int, word: str) -> None:
        if not any(map(str.isalnum, word)) and looks_like(word):
            raise self._lower_case(at, word)
        if word[0] == "/":
            raise self.error(at, "regular expressions are not supported yet", "write the words, or word*")
        if word[0] == "{":
            raise self.error(at, "references to other rules are not supported yet", "repeat the other rule in brackets")
        if word[0] in _CURLY:
            raise self.error(at, "typographic quotes", 'write straight ones: "X Corp"')
        if word[0] in "-!+" and len(word) > 1:
            raise self.error(at, f"'{word[0]}' is no operator", f"write {looks_like(word[0])} {word[1:]}")

    def _counted(self, at: int, name: str, number: str | None) -> Mark:
        if not name.isupper():
            raise self.error(at, "operators are upper-case", f"write {name.upper()}/{number}")
        low, high = _RANGES[name]
        if number is None or not number.isascii() or not number.isdigit():
            raise self.error(at, f"{name} needs a number", f"write {name}/5")
        if len(number) > 5 or not low <= int(number) <= high:
            raise self.error(at + len(name) + 1, f"{name} takes {low} to {high}", f"write {name}/5")
        return Mark(name, at + 1, number=int(number))

    def _wildcard(self, at: int, word: str) -> Mark:
        inner = word.strip("*")
        if "*" in inner or word.startswith("**") or word.endswith("**"):
            star = at + word.index("*", 1)
            raise self.error(star, "* stands at the start or the end of a word", "write the beginning: finanz*")
        whole = TOKEN.fullmatch(inner)
        if inner and not whole:
            raise self.error(at, "a word with * is letters and digits only", "quote the phrase without *")
        if sum(map(str.isalnum, inner)) < 3:
            raise self.error(at, "* needs at least 3 letters", f'write the words themselves: "{inner or "xAI"}"')
        ends = (word[0] == "*", word[-1] == "*")
        kind = {(True, True): Kind.MIDDLE, (True, False): Kind.SUFFIX}.get(ends, Kind.PREFIX)
        return Mark("term", at + 1, inner, kind=kind)

    def _checked(self, at: int, text: str, kind: Kind, inner: int) -> Mark:
        if not TOKEN.search(text):
            raise self.error(inner, "a term needs a letter or a digit", "write a word or a phrase")
        if kind is Kind.INSIDE and not TOKEN.fullmatch(text):
            raise self.error(inner, "~ takes one word of letters and digits", "join several with AND or NEAR/3")
        if kind is Kind.INSIDE and sum(map(str.isalnum, text)) < 5:
            raise self.error(inner, "~ needs at least 5 letters", f"write {text} or {text}*")
        return Mark("term", at + 1, text, kind=kind)


_KINDS = {"": Kind.PLAIN, "=": Kind.EXACT, "~": Kind.INSIDE}
