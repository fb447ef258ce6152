"""A full page becomes blocks: trafilatura finds the main content, strip's patterns go over it block by block. Pure."""

from boltwatch.articles.strip import blocks_of, judged
from boltwatch.model import Block

_LONGEST = 5_000_000
_MOST_TAGS = 50_000


def extract(html: str, *, url: str | None) -> tuple[Block, ...]:
    """The blocks of a page's main content, the stripped ones with the reason; none when it has none.

    A page too large for a tree (5 million characters, 50,000 tags) is read as if all of it were content.
    """
    if len(html) > _LONGEST or html.count("<") > _MOST_TAGS:
        return blocks_of(html, url=url)
    # Imported here: it takes half a second, and feed content does not need it.
    import trafilatura

    text = trafilatura.extract(html, url=url, include_comments=False, include_tables=True, deduplicate=False) or ""
    return judged([Block(line.strip()) for line in text.split("\n") if line.strip()])
