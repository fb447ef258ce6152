"""Puts an alert into words: the subject, plain text, HTML page and webhook payload of one Message.

Pure: reads no clock, no network, no database. The texts are in English, an article's words stay as they are.
"""

import html
import json
import re
import textwrap
from bisect import bisect_right
from datetime import UTC, datetime
from itertools import accumulate

from boltwatch.alerts.excerpt import Excerpt, excerpts, harmless, hit_words, link, one_line, title_line
from boltwatch.model import Alert, Message

PAYLOAD_VERSION = 1
PAYLOAD_LIMIT = 20_000  # octets; Standard Webhooks 1.0.0, "payload size": receivers may refuse more than 20 kB
SUBJECT_LIMIT = 200  # characters
TITLE_LIMIT = 300
LEAD_LIMIT = 600
TEXT_LIMIT = 8_000

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")

# Inline, because some mail programs drop <style>; the few rules that must differ in the dark are in _STYLE.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{subject}</title>
<style>
:root {{ color-scheme: light dark; supported-color-schemes: light dark; }}
@media (prefers-color-scheme: dark) {{
  body, .page {{ background: #16181d !important; color: #e6e6e6 !important; }}
  a {{ color: #8ab4f8 !important; }}
  .quiet {{ color: #a8adb7 !important; }}
  .quote {{ border-color: #c9a227 !important; }}
}}
</style>
</head>
<body style="margin:0;padding:0;background:#ffffff;color:#1c1c1e">
<div class="page" style="max-width:36em;margin:0 auto;padding:20px 16px;{font}">
<h1 {language}dir="auto" style="margin:0 0 8px;font-size:21px;line-height:1.3">{title}</h1>
<p class="quiet" style="{quiet}"><bdi>{feed}</bdi><br>{when}</p>
{quotes}{lead}{read}<p class="quiet" style="{quiet};margin-top:24px">{why}</p>
</div>
</body>
</html>
"""
_FONT = "font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;overflow-wrap:anywhere"
_QUIET = "margin:0 0 16px;font-size:14px;color:#5f6368"
_QUOTE = "margin:0 0 12px;padding:2px 0 2px 12px;border-left:3px solid #e0b400"
_MARK = "background:#ffe58a;color:#1c1c1e;border-radius:2px"
_LINK = "color:#0b57d0"


def compose(alert: Alert, *, key: str) -> Message:
    """The alert as every channel needs it. Equal alerts and keys make equal messages, to the octet."""
    return Message(key, _subject(alert), _text(alert), _html(alert), _payload(alert), alert)


def _subject(alert: Alert) -> str:
    feed = one_line(alert.feed_title, 50)
    tail = f" ({feed})" if feed else ""
    head = f"[{one_line(alert.rule, 50)}] "
    title = title_line(alert.article, (), TITLE_LIMIT).text
    return head + one_line(title, SUBJECT_LIMIT - len(head) - len(tail)) + tail


def _text(alert: Alert) -> str:
    quotes = excerpts(alert.article, alert.spans)
    parts = [_wrapped(_starred(title_line(alert.article, alert.spans, TITLE_LIMIT)))]
    parts[0] += f"\n{_wrapped(f'{_feed(alert)}, {_when(alert)}')}"
    parts += [_wrapped(_starred(quote), "> ") for quote in quotes]
    parts += [_wrapped(lead) for lead in _lead(alert, quotes)]
    parts += [address for address in (link(alert.article.url),) if address]
    parts += [_wrapped(_why(alert))]
    return "\n\n".join(parts) + "\n"


def _html(alert: Alert) -> str:
    quotes = excerpts(alert.article, alert.spans)
    tag = _language(alert)
    language = f'lang="{tag}" ' if tag else ""
    blocks = [
        f'<blockquote class="quote" {language}dir="auto" style="{_QUOTE}">{_marked(q)}</blockquote>' for q in quotes
    ]
    leads = [f'<p {language}dir="auto" style="margin:0 0 16px">{html.escape(x)}</p>' for x in _lead(alert, quotes)]
    title, read = _marked(title_line(alert.article, alert.spans, TITLE_LIMIT)), ""
    if address := link(alert.article.url):
        href = f'<a href="{html.escape(address)}" style="{_LINK}'
        title = f'{href};text-decoration:none">{title}</a>'
        read = f'<p style="margin:0 0 16px">{href}">Read the article</a></p>\n'
    return _PAGE.format(
        subject=html.escape(_subject(alert)), font=_FONT, quiet=_QUIET, language=language, title=title, read=read,
        feed=html.escape(_feed(alert)), when=_when(alert), why=html.escape(_why(alert)),
        quotes="".join(f"{block}\n" for block in blocks), lead="".join(f"{lead}\n" for lead in leads),
    )  # fmt: skip


def _lead(alert: Alert, quotes: tuple[Excerpt, ...]) -> tuple[str, ...]:
    """The article's first paragraph, unless a quoted sentence already says all of it."""
    lead = one_line(alert.article.lead, LEAD_LIMIT)
    return (lead,) if lead and not any(lead in one_line(quote.text, LEAD_LIMIT) for quote in quotes) else ()


def _feed(alert: Alert) -> str:
    return one_line(alert.feed_title, 100) or one_line(alert.feed_url, 200)


def _when(alert: Alert) -> str:
    found = f"found {_instant(alert.created_at)}"
    published_at = alert.article.published_at
    return f"published {_instant(published_at)}, {found}" if published_at else found


def _why(alert: Alert) -> str:
    """Why this alert: the rule, its expression, and the words that made it hold, by field."""
    words = hit_words(alert.article, alert.spans)
    fields = [(field, [f"“{word}”" for f, word in words if f == field]) for field in ("title", "text")]
    hits = "; ".join(f"in the {field}: {', '.join(found)}" for field, found in fields if found)
    rule = f"Why: rule {one_line(alert.rule, 100)} = {one_line(alert.expression, 500)}"
    return f"{rule}; {hits}" if hits else rule


def _wrapped(text: str, prefix: str = "") -> str:
    lines = textwrap.wrap(text, 76, break_long_words=False, break_on_hyphens=False)
    return "\n".join(prefix + line for line in lines)


def _starred(line: Excerpt) -> str:
    return "".join(f"*{piece}*" if hit else piece for piece, hit in line.pieces())


def _marked(line: Excerpt) -> str:
    pieces = ((html.escape(piece), hit) for piece, hit in line.pieces())
    return "".join(f'<mark style="{_MARK}">{piece}</mark>' if hit else piece for piece, hit in pieces)


def _language(alert: Alert) -> str | None:
    language = alert.article.language or ""
    return language if _LANGUAGE.fullmatch(language) else None


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def _payload(alert: Alert) -> str:
    """The webhook's JSON body (docs/webhook.md), under 20,000 octets: the article's text takes what the rest leaves."""
    article = _article(alert)
    event = {"type": "alert.created", "timestamp": _iso(alert.created_at), "data": _data(alert, article)}
    room = PAYLOAD_LIMIT - 1 - len(_json(event).encode())
    article["text"] = _fit(alert.article.text[:TEXT_LIMIT], room)
    return _json(event)


def _data(alert: Alert, article: dict[str, object]) -> dict[str, object]:
    title = title_line(alert.article, alert.spans, TITLE_LIMIT)
    quotes = excerpts(alert.article, alert.spans)
    words = hit_words(alert.article, alert.spans)
    return {
        "version": PAYLOAD_VERSION,
        "alert_id": alert.id,
        "story_id": alert.story_id,
        "rule": {"name": one_line(alert.rule, 100), "expression": one_line(alert.expression, 500)},
        "feed": {"title": one_line(alert.feed_title, 100), "url": link(alert.feed_url)},
        "article": article,
        "words": [{"field": field, "word": word} for field, word in words],
        "excerpts": [_quoted("title", title)] * bool(title.marks) + [_quoted("text", quote) for quote in quotes],
        "found_at": _iso(alert.created_at),
    }


def _article(alert: Alert) -> dict[str, object]:
    article = alert.article
    return {
        "id": alert.article_id,
        "url": link(article.url),
        "title": title_line(article, (), TITLE_LIMIT).text,
        "lead": one_line(article.lead, LEAD_LIMIT),
        "text": "",
        "author": one_line(article.author or "", 100) or None,
        "language": _language(alert),
        "tags": [one_line(tag, 50) for tag in article.tags[:20]],
        "published_at": _iso(article.published_at),
        "updated_at": _iso(article.updated_at),
    }


def _quoted(field: str, line: Excerpt) -> dict[str, object]:
    return {"field": field, "text": line.text, "marks": [list(mark) for mark in line.marks]}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _fit(text: str, octets: int) -> str:
    """The text, paragraphs kept, cut so that JSON spends at most so many octets on it."""
    whole = "\n".join(harmless(line) for line in text.split("\n"))
    if len(_json(whole).encode()) - 2 <= octets:
        return whole
    spent = accumulate(len(_json(letter).encode()) - 2 for letter in whole)
    return whole[: bisect_right(list(spent), octets - len("…".encode()))] + "…"
