"""What happens to a document in a worker process: parse, leave out the known, strip, match. Pure; nothing is kept.

Documents come from strangers, so this runs behind a time and a memory limit (workers.py), never in the daemon itself.
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b

from boltwatch.articles.strip import clean
from boltwatch.feeds.parse import parse
from boltwatch.model import Entry, Fetched, Matched, Parsed, Reading
from boltwatch.rules.matcher import Matcher


def body_digest(body: bytes) -> str:
    """The same for the same bytes: a document that did not change is not opened again."""
    return blake2b(body, digest_size=16).hexdigest()


def read(fetched: Fetched, *, known: Mapping[str, str], feed_urls: Collection[str], matcher: Matcher) -> Reading:
    """Make a document's new and edited entries into matched articles, in document order.

    `known` maps entry keys to digests; what stands there unchanged costs nothing more. Raises ParseError.
    """
    parsed = parse(fetched.body, url=fetched.url, content_type=fetched.content_type)
    fresh = (entry for entry in parsed.entries if known.get(entry.key) != entry.digest)
    return Reading(
        title=parsed.title,
        site_url=parsed.site_url,
        freshness=parsed.freshness,
        entry_count=len(parsed.entries),
        fresh=tuple(_matched(entry, parsed, matcher, feed_urls) for entry in fresh),
    )


def _matched(entry: Entry, parsed: Parsed, matcher: Matcher, feed_urls: Collection[str]) -> Matched:
    article = clean(entry, feed_language=parsed.language)
    return Matched(article, matcher.match(article, feed_urls=feed_urls))
