"""The error tree. Every message names the thing and the next step.

BoltwatchError
├── ConfigError      config.toml cannot be used; carries every complaint at once
├── RuleError        a rule expression cannot be read; carries the column
├── FetchError       an address could not be read; carries how long to wait, if the server said
│   ├── Refused          the address may not be visited at all (scheme, private network, redirect)
│   └── Gone             410: the owner of the address has retired it
├── ParseError       the document is not a feed
├── DeliveryError    a channel did not take an alert; says whether trying again can help
└── ArchiveError     the database cannot be used (locked by another daemon, too new, damaged)

What the world does wrong is caught once, in `pipeline`, and becomes a value. Anything outside this tree is a bug.
"""

from datetime import timedelta


class BoltwatchError(Exception):
    """What Boltwatch can say clearly about a fault; str() of it is meant for the owner's eyes."""


class ConfigError(BoltwatchError):
    """config.toml cannot be used; `complaints` holds one line for each mistake found."""

    def __init__(self, complaints: tuple[str, ...]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class RuleError(BoltwatchError):
    """A rule expression cannot be read; str() shows the expression, a caret, the cause and a hint.

    `column` counts from 1, in characters of `expression`.
    """

    def __init__(self, expression: str, column: int, cause: str, hint: str = "") -> None:
        self.expression, self.column, self.cause, self.hint = expression, column, cause, hint
        before = expression[: column - 1]
        line_start = before.rfind("\n") + 1
        line = expression[line_start:].split("\n", 1)[0]
        caret = " " * (column - 1 - line_start) + "^"
        text = f"{line}\n{caret} column {column}: {cause}"
        super().__init__(f"{text}\n  hint: {hint}" if hint else text)


class FetchError(BoltwatchError):
    """An address could not be read. `wait` is what the server asked for (Retry-After), never less than zero."""

    def __init__(self, message: str, *, status: int | None = None, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


class Refused(FetchError):
    """The address may not be visited: its scheme, its network or a redirect on the way is not allowed."""


class Gone(FetchError):
    """The server answered 410: the address has been retired on purpose (RFC 9110 section 15.5.11)."""


class ParseError(BoltwatchError):
    """The document is not a feed, or holds nothing of one."""


class DeliveryError(BoltwatchError):
    """A channel did not take the alert. `permanent` alone decides whether it is tried again."""

    def __init__(self, message: str, *, permanent: bool = False, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.wait = wait


class ArchiveError(BoltwatchError):
    """The database cannot be used as it is; the message says why and what to do."""
