"""German and English words: what a token is, when two spellings are the same word, and which forms a term has.

Pure and without a dictionary. Offsets are never mapped: tokens are cut from the text as it is, and folded one by one.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

# Soft hyphen, zero-width and direction marks, variation selectors: never seen by a reader, so never part of a word.
_INVISIBLE = "\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
# Marks that belong to the letter before: Latin, Cyrillic, Hebrew, Arabic, the Indic scripts and Thai. `re` calls them
# non-words.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0d7f\u0e31-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
# Scripts written without blanks: each sign is a token, and a term of several is a phrase without gaps.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTERS = rf"[^\W_\u02bc{_UNSPACED}]"  # U+02BC is an apostrophe that calls itself a letter
TOKEN = re.compile(rf"{_LETTERS}+(?:[{_INVISIBLE}{_MARKS}]+{_LETTERS}*)*|[{_UNSPACED}]")
_ODD = re.compile(r"[^\x00-\x7f\xa0§«»\xc0-\xff\u2010-\u2027\u2030-\u203a€]")
_DROP = re.compile(f"[{_INVISIBLE}]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_SIGNS = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-") | dict.fromkeys("’‘ʼ`´′", "'"))
_GAP = re.compile(r"\s*(?:[-/_&']|\.(?!\s))?\s*")
_PARAGRAPH = re.compile(r"\n\s*\n")

_LONGEST_WORD = 60  # longer ones are not remembered: a stranger's text must not fill the memory

# Endings by the shape of the word: a wrong ending finds another word (Premier-e), so each shape gets only its own.
_GERMAN_ENDINGS = (
    (re.compile(r"(ung|heit|keit|schaft|ion|taet|enz|anz)$"), ("en",)),
    (re.compile(r"[aiouy]$"), ()),
    (re.compile(r"(?<!i)er$|e[ln]$|chen$|lein$"), ("n",)),
    (re.compile(r"e$"), ("n", "ns", "r", "m")),
    (re.compile(r"(s|x|z)$"), ("e", "en", "es", "er", "ern")),
    (re.compile(r"."), ("e", "en", "n", "es", "er", "ern", "em", "ens")),
)
_PLURAL_Y = re.compile(r"[a-z][^aeiouy\W]y$")
_HISSING = re.compile(r"(s|x|z|ch|sh)$")


def clean(token: str) -> str:
    """The token as a reader sees it: NFKC, without invisible signs; case and umlauts stay."""
    return token if token.isascii() else unicodedata.normalize("NFKC", _DROP.sub("", token))


def fold(token: str) -> str:
    """The spelling under which equal words are equal: ä=ae, ö=oe, ü=ue, ß=ss, any case, nothing invisible."""
    return _remembered(token) if len(token) <= _LONGEST_WORD else _fold(token)


def _fold(token: str) -> str:
    if token.isascii():
        return token.lower()
    folded = unicodedata.normalize("NFKC", clean(token).casefold())
    return unicodedata.normalize("NFKC", folded.casefold()).translate(_UMLAUTS)


_remembered = lru_cache(maxsize=100_000)(_fold)


def fold_text(text: str) -> str | None:
    """A whole text folded, so that each folded token of it is a piece of the result; None when that takes care.

    It takes care where a sign could join, vanish or change its neighbour: anything but plain Latin and punctuation.
    """
    if text.isascii():
        return text.lower()
    if _ODD.search(text):
        return None
    return text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")


def is_gap(between: str) -> bool:
    """True for what may stand between two words of a phrase: blanks and one joining sign, never a sentence's end."""
    return len(between) <= _LONGEST_WORD and _is_gap(between)


@lru_cache(maxsize=10_000)
def _is_gap(between: str) -> bool:
    signs = between.translate(_SIGNS)
    return _GAP.fullmatch(_DROP.sub("", signs)) is not None and not _PARAGRAPH.search(between)


def sign_of(between: str) -> str:
    """The signs between two words in one spelling: typographic dashes and apostrophes straight, no blanks around."""
    return _DROP.sub("", between).translate(_SIGNS).strip()


class Doc:
    """One text cut into tokens: `keys` are folded, `places` says at which indexes a key stands.

    `starts` and `ends` are characters of `text`.
    """

    __slots__ = ("ends", "keys", "places", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        spans = [found.span() for found in TOKEN.finditer(text)]
        self.starts = [start for start, _ in spans]
        self.ends = [end for _, end in spans]
        self.keys = [fold(text[start:end]) for start, end in spans]
        self.places: dict[str, list[int]] = {}
        for index, key in enumerate(self.keys):
            if key in self.places:
                self.places[key].append(index)
            else:
                self.places[key] = [index]

    def seen(self, index: int) -> str:
        """Token `index` as a reader sees it, case and all."""
        return clean(self.text[self.starts[index] : self.ends[index]])

    def between(self, index: int) -> str:
        """What stands between token `index` and the next."""
        return self.text[self.ends[index] : self.starts[index + 1]]


def is_name(word: str) -> bool:
    """True for spellings that do not inflect as nouns do: xAI, SAP, GPT4, X."""
    return len(word) <= 2 or any(letter.isupper() or letter.isdigit() for letter in word[1:])


def forms_of(word: str, dictionary: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Folded forms of a plain word, each with what its spelling in the text must start with (empty: anything).

    "A" stands for any capital letter: an inflected form of a capitalised word must be capitalised (Land, not landen).
    Short names and abbreviations must come as they are written (ITs and IT's are of IT; its is not).
    `dictionary` holds forms by the word as written; a word it knows needs no guessed endings.
    """
    key, condition = fold(word), ""
    if is_name(word) and (len(word) <= 3 or word.isupper()):
        condition = word
    elif word[0].isupper():
        condition = "A"
    found = dict.fromkeys((key + ending for ending in _endings(word, key, known=word in dictionary)), condition)
    if _PLURAL_Y.search(key) and not is_name(word):
        found[f"{key[:-1]}ies"] = condition
    found |= dict.fromkeys((fold(form) for form in dictionary.get(word, ())), condition)
    return found | {key: ""}


def _endings(word: str, key: str, *, known: bool) -> list[str]:
    if not key[-1].isalnum() or not word.isalnum():
        return []
    endings = ["s"]
    if is_name(word):
        return endings
    if len(word) >= 3 and _HISSING.search(key):
        endings.append("es")
    if not known and word[0].isupper() and len(word) >= 6:
        endings += next(list(found) for shape, found in _GERMAN_ENDINGS if shape.search(key))
    return endings


def meets(seen: str, condition: str) -> bool:
    """True when a form's spelling in the text fulfils the condition that `forms_of` gave it."""
    return not condition or (seen[:1].isupper() if condition == "A" else seen.startswith(condition))
