"""What reading costs: `python -m bench.parsers FOLDER` prints CPU time and entries of each reader for its feeds.

Ours is compared with feedparser as it comes, and entry by entry with feedparser as the judge. Nothing is kept.
"""

import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import feedparser

from boltwatch.errors import ParseError
from boltwatch.feeds.parse import assembled, judged, parse
from boltwatch.feeds.quick import quick
from boltwatch.model import Parsed

_URL = "https://feeds.example/dir/feed"
_ROUNDS = 3
_FIELDS = ("key", "title", "url", "published_at", "updated_at", "author", "tags", "language", "html")


def main(arguments: Sequence[str]) -> int:
    """Print the table; exit code 1 when the quick way and feedparser disagree on the entries of any feed."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m bench.parsers FOLDER", file=sys.stderr)
        return 2
    feeds = {path.name: path.read_bytes() for path in sorted(Path(arguments[0]).iterdir()) if path.is_file()}
    quickly = sum(quick(body, "", _URL) is not None for body in feeds.values())
    print(f"{len(feeds)} documents, {sum(map(len, feeds.values())) / 1e6:.1f} MB, {quickly} read the quick way")
    print(f"{'reader':<12}{'ms CPU a feed':>14}{'entries':>9}")
    _measured("boltwatch", _ours, feeds)
    _measured("feedparser", _plain, feeds)
    lines = _differences(feeds)
    print("\n".join(lines) or "the quick way reads every field as feedparser does")
    return int(any("entries" in line for line in lines))


def _measured(name: str, read: Callable[[bytes], int], feeds: dict[str, bytes]) -> None:
    entries = sum(map(read, feeds.values()))
    started = time.process_time()
    for _ in range(_ROUNDS):
        for body in feeds.values():
            read(body)
    spent = (time.process_time() - started) / _ROUNDS / max(1, len(feeds))
    print(f"{name:<12}{spent * 1e3:>14.2f}{entries:>9}")


def _ours(body: bytes) -> int:
    try:
        return len(parse(body, url=_URL).entries)
    except ParseError:
        return 0


def _plain(body: bytes) -> int:
    return len(feedparser.parse(BytesIO(body)).entries)


def _differences(feeds: dict[str, bytes]) -> list[str]:
    """A line for each document and field that the quick way reads unlike the judge."""
    lines = []
    for name, body in feeds.items():
        body = body.lstrip()
        if (found := quick(body, "", _URL)) is not None:
            lines += _unlike(name, assembled(found, body, _URL), assembled(judged(body, _URL, ""), body, _URL))
    return lines


def _unlike(name: str, ours: Parsed, theirs: Parsed) -> list[str]:
    pairs = list(zip(ours.entries, theirs.entries, strict=False))
    counts = {field: sum(getattr(a, field) != getattr(b, field) for a, b in pairs) for field in _FIELDS}
    counts["entries"] = abs(len(ours.entries) - len(theirs.entries))
    counts["feed"] = sum(
        getattr(ours, it) != getattr(theirs, it) for it in ("title", "site_url", "language", "freshness")
    )
    return [f"{name}: {field} differs {count} times" for field, count in counts.items() if count]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
