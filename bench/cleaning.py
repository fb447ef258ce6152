"""CPU time per entry of cleaning feed content, and of the quick reading of markup beside the BeautifulSoup tree.

Run: python -m bench.cleaning FOLDER, with feed documents in FOLDER (RSS, Atom or RDF; others are passed over).
"""

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import feedparser

from boltwatch.articles.markup import pieces_of, quick, soup
from boltwatch.articles.strip import clean
from boltwatch.model import Entry

ROUNDS = 3
Item = TypeVar("Item")


def entries(folder: Path) -> list[Entry]:
    """The entries of every document, each with the fullest content that it has."""
    found: list[Entry] = []
    for path in sorted(folder.iterdir()):
        document = feedparser.parse(path.read_bytes(), sanitize_html=False, resolve_relative_uris=False)
        for item in document.entries:
            contents = [item.get("summary", ""), *(content.get("value", "") for content in item.get("content", ()))]
            html = max(contents, key=len)
            found.append(Entry(str(len(found)), "", item.get("link"), item.get("title", ""), html))
    return found


def cost(work: Callable[[Item], object], items: list[Item]) -> float:
    """Milliseconds of CPU per item, the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for item in items:
            work(item)
        best = min(best, time.process_time() - started)
    return 1000 * best / max(1, len(items))


def main() -> None:
    """Print the figures."""
    warnings.simplefilter("ignore")
    found = entries(Path(sys.argv[1]))
    marked = [entry.html for entry in found if "<" in entry.html]
    letters = sum(len(html) for html in marked) / max(1, len(marked))
    print(f"entries={len(found)} with markup={len(marked)}, of {letters:.0f} characters on average")
    print(f"clean, all entries           {cost(clean, found):.3f} ms")
    print(f"reading markup, as decided   {cost(pieces_of, marked):.3f} ms")
    print(f"reading markup, quick way    {cost(quick, marked):.3f} ms")
    print(f"reading markup, BeautifulSoup {cost(soup, marked):.3f} ms")
    unlike = sum(list(quick(html)) != list(soup(html)) for html in marked)
    print(f"entries on which both ways differ: {unlike}")


if __name__ == "__main__":
    main()
