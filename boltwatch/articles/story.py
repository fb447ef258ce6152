"""Which articles report the same thing. First version: those that share one address. Pure."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

# Names that only ever say where a click came from. Everything else in a query may name the article and stays.
_TRACKING = re.compile(
    r"(?:utm_\w+|mtm_\w+|at_(?:medium|campaign|custom\w*)|wt_\w+|pk_(?:campaign|kwd|source|medium)|fbclid|gclid|dclid|"
    r"msclkid|mc_[ce]id|igshid|yclid|_hs(?:enc|mi)|ref_src|cmpid|wkz)",
    re.IGNORECASE,
)
_FEED_MARK = re.compile(r"(?:rss|feed|atom)", re.IGNORECASE)


def url_key(url: str) -> str:
    """Two addresses of one article have the same key; for comparing only, never for fetching.

    Scheme, `www.`, default ports, a trailing slash, the fragment (but not `#!` and `#/` routes) and tracking
    parameters do not count; the order of the others does not count either.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "").removeprefix("www.")
    place = f"{host}:{port}" if port not in (None, 80, 443) else host
    query = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(name) and not _FEED_MARK.fullmatch(value)
    )
    fragment = f"#{parts.fragment}" if parts.fragment.startswith(("!", "/")) else ""
    path = parts.path.rstrip("/")
    return f"{place}{path}{'?' + urlencode(query) if query else ''}{fragment}"
