"""CPU time per article of matching at 3 to 10,000 rules, beside Python's `re` (one pattern a rule) in the same run.

Articles and rules are made from a seed: German-looking words with the frequencies of a real vocabulary (Zipf).
Run: python -m bench.rules
"""

import random
import re
import time
from collections.abc import Callable, Sequence

from boltwatch.model import Article, Rule
from boltwatch.rules.matcher import Matcher

LETTERS_OF_ARTICLE = 3_000
# fmt: off
SYLLABLES = (
    "ab", "an", "auf", "bahn", "bank", "ber", "bau", "ben", "dank", "den", "der", "dung", "ein", "er", "fall", "feld",
    "ge", "geld", "haus", "heit", "hof", "kapi", "kauf", "keit", "ken", "kre", "dit", "land", "lei", "lich", "lung",
    "markt", "mer", "mut", "nah", "nung", "ord", "rat", "recht", "rei", "run", "schaft", "schu", "schul", "sen",
    "sta", "steu", "stoff", "tal", "teil", "ten", "tier", "tung", "um", "ung", "unter", "ver", "vor", "wahl", "wel",
    "wirt", "zahl", "zeit", "zin", "zug", "fähr", "größ", "lös", "prüf", "über",
)
# fmt: on


def vocabulary(chance: random.Random, size: int = 40_000) -> list[str]:
    """Distinct words of one to four syllables, the most frequent first, two thirds of the longer ones capitalised."""
    found: dict[str, None] = {}
    while len(found) < size:
        longest = 1 + min(3, len(found) // 50)
        word = "".join(chance.choices(SYLLABLES, k=chance.randint(1, longest)))
        found[word.capitalize() if len(word) > 5 and chance.random() < 0.66 else word] = None
    return list(found)


def articles(chance: random.Random, words: Sequence[str], count: int) -> list[Article]:
    """Articles of LETTERS_OF_ARTICLE characters with sentences, paragraphs and a title."""
    weights = [1 / (rank + 2.7) for rank in range(len(words))]
    made = []
    for number in range(count):
        drawn = chance.choices(words, weights, k=LETTERS_OF_ARTICLE // 5)
        pieces = (
            word + (". " if chance.random() < 0.07 else "\n\n" if chance.random() < 0.01 else " ") for word in drawn
        )
        text = "".join(pieces)[:LETTERS_OF_ARTICLE]
        made.append(Article(str(number), "", None, " ".join(drawn[:8]), "", text))
    return made


def rules(chance: random.Random, words: Sequence[str], count: int) -> list[Rule]:
    """Half single words, then AND, OR, AND NOT, NEAR, prefixes, titles and exact spellings; a fifth are new names."""

    def term() -> str:
        if chance.random() < 0.2:
            return "".join(chance.choices(SYLLABLES, k=3)).capitalize() + "Tech"
        return chance.choice(words[500:])

    shapes: list[tuple[float, Callable[[], str]]] = [
        (50, term),
        (15, lambda: f"{term()} AND {term()}"),
        (10, lambda: f"{term()} OR {term()}"),
        (10, lambda: f"{term()} AND {term()} NOT {term()}"),
        (7, lambda: f"{term()} NEAR/5 {term()}"),
        (4, lambda: f"{term()[:9]}haus*"),
        (2, lambda: f"title:{term()}"),
        (2, lambda: f"={term()}"),
    ]
    drawn = chance.choices([make for _, make in shapes], [weight for weight, _ in shapes], k=count)
    return [Rule(number, f"r{number}", make(), ()) for number, make in enumerate(drawn)]


def milliseconds(work: Callable[[Article], object], over: Sequence[Article]) -> float:
    """CPU milliseconds per article."""
    before = time.process_time()
    for article in over:
        work(article)
    return 1000 * (time.process_time() - before) / len(over)


def peer(made: Sequence[Rule]) -> Callable[[Article], object]:
    """Python's `re`: for each rule one pattern of its first word, whole words, any case; a lower bound of its work."""
    firsts = [re.findall(r"\w+", rule.expression.removeprefix("title:"))[0] for rule in made]
    patterns = [re.compile(rf"\b{re.escape(first)}\b", re.IGNORECASE) for first in firsts]
    return lambda article: [pattern.search(article.text) for pattern in patterns]


def main() -> None:
    """Print the table."""
    chance = random.Random(5)
    words = vocabulary(chance)
    made = articles(chance, words, 1_000)
    print(f"{len(made)} articles of {LETTERS_OF_ARTICLE} characters; CPU ms per article")
    heads = ("load s", "first", "again", "p99", "fired", "every rule", "re", "re/first")
    print(" rules" + "".join(f"{head:>11}" for head in heads))
    for count in (3, 10, 1_000, 10_000):
        few = max(3, min(len(made), 20_000 // count))
        drawn = rules(chance, words, count)
        before = time.process_time()
        matcher = Matcher(drawn)
        load = time.process_time() - before
        first = milliseconds(matcher.match, made)
        again = milliseconds(matcher.match, made)
        single = sorted(milliseconds(matcher.match, [article]) for article in made)
        fired = sum(len(matcher.match(article)) for article in made)
        whole = milliseconds(matcher.match_all, made[:few])
        by_re = milliseconds(peer(drawn), made[:few])
        p99 = single[int(len(single) * 0.99)]
        figures = (load, first, again, p99, fired / len(made), whole, by_re, by_re / first)
        print(f"{count:>6}" + "".join(f"{figure:>11.3f}" for figure in figures))


if __name__ == "__main__":
    main()
