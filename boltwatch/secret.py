"""A value that must not be seen: it can be used, and never be printed by accident.

Holds the value only. Where it comes from (environment, file, systemd credential) is the business of config.
"""

from typing import NoReturn


class Secret:
    """Keeps a text out of str(), repr(), f-strings, logs and tracebacks; only `reveal` hands it out.

    Equal texts make equal secrets, so that two loads of one config compare equal.
    """

    __slots__ = ("_text",)

    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """The text itself, to be handed to the one who needs it and kept nowhere."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        # A pickle would carry the text in the clear to wherever pickles go: a worker process, a core dump, a cache.
        raise TypeError("a Secret is not pickled; reveal() it where it is used")
