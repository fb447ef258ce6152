# ruff: noqa: E501 (a pattern is read whole)
"""Which blocks are not the article: what is known to be appended, by site and by wording. Pure: data, then judging.

Patterns are held against whole blocks, never against words in them: a sentence that speaks of newsletters, comments or
job offers is an article's sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from boltwatch.model import Block

_LONGEST = 400  # characters; a longer block is prose, whatever it begins with

_NETWORKS = (
    r"facebook|twitter|x|linkedin|xing|whatsapp|telegram|reddit|pocket|e-?mail|pinterest|threads|mastodon|bluesky|flipboard"
    r"|tumblr|drucken|print|copy link|link kopieren|teilen|share|tweet|tweeten|merken|mailen|share this|artikel teilen"
)

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("feed footer", r"the post .+ appeared first on .{1,120}"),
        ("feed footer", r"der (?:beitrag|artikel) .+ (?:erschien zuerst|ist zuerst erschienen) (?:auf|bei) .{1,120}"),
        (
            "read on",
            r"\[?(?:…|\.\.\.)?\s*(?:weiterlesen|weiter lesen|mehr lesen|continue reading|read more|read the full (?:story|article)|den ganzen artikel lesen|zum artikel)\b[^.!?]{0,160}",
        ),
        (
            "share row",
            rf"(?:(?:share|teilen|share this|artikel teilen)\s*(?:on|auf|via|per)?\s*:?\s*)?(?:(?:{_NETWORKS})(?:\s*[|·,•/]\s*|\s+|$)){{1,14}}",
        ),
        (
            "newsletter prompt",
            r"(?:jetzt )?(?:(?:unseren?|den|zum|für den) )?(?:[\w-]+ )?newsletter (?:abonnieren|bestellen|anmelden)\W{0,3}",
        ),
        (
            "newsletter prompt",
            r"(?:subscribe|sign up|register) (?:now )?(?:to|for) (?:our|the|my) (?:free )?(?:[\w-]+ ){0,4}newsletter\b[^.!?]{0,120}[.!]?",
        ),
        ("newsletter prompt", r"(?:die besten|alle) [\w-]+-news kostenlos per e-?mail erhalten\W{0,3}"),
        (
            "support prompt",
            r"(?:support|unterstütz\w*|(?:[\w®©-]+ ){1,4}kostenlos)\b.{0,60}\b(?:on|auf|via|bei) (?:patreon|steady|ko-?fi)\b.{0,60}",
        ),
        ("comment rules", r"(?:kommentare?|comments?|\d+ (?:kommentare?|comments?))(?: \(\d+\))?\W{0,2}"),
        (
            "comment rules",
            r"(?:hinterlasse(?:n sie)? (?:einen|deinen|ihren) kommentar|schreibe? (?:einen|deinen) kommentar|leave a (?:comment|reply)|join the (?:discussion|conversation))\b.{0,80}",
        ),
        ("comment rules", r"es werden alle kommentare moderiert\W?"),
        (
            "related",
            r"(?:lesen sie auch|lies auch|read also|also read|see also|related(?: articles| posts| stories)?|mehr zum thema|mehr zu diesem thema|auch interessant|das könnte (?:sie|dich|euch) auch interessieren|you might also like|weitere artikel|verwandte (?:artikel|beiträge))\s*(?::.{0,240}|\W{0,3})",
        ),
        ("consent notice", r"empfohlene[rs]? (?:externer |redaktioneller )?inhalte?\W{0,3}"),
        (
            "consent notice",
            r"(?:wir benötigen (?:ihre|deine) zustimmung|an dieser stelle finde(?:n sie|st du) (?:einen )?externen? inhalt|mit (?:ihrer|deiner) zustimmung (?:wird|werden) hier)\b.{0,300}",
        ),
        ("advertisement", r"(?:anzeige|advertisement|werbung|sponsored|stellenangebote|gesponsert)\W{0,3}"),
        (
            "paywall notice",
            r"(?:dieser|der) (?:artikel|beitrag) ist (?:exklusiv )?(?:nur )?für (?:\w+ )?abonnenten\b.{0,120}",
        ),
        (
            "paywall notice",
            r"(?:this (?:article|story) is (?:exclusive to|for) subscribers|subscribe to (?:continue|keep) reading)\b.{0,120}",
        ),
    )
)

# The section that IT BOLTWISE appends to each article. Two of these make it, on any host: its articles are passed on.
BOLTWISE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"die besten bücher rund um ki\b.{0,60}",
        r"die besten ki-news kostenlos per e-?mail erhalten\W{0,3}",
        r"zur startseite von it boltwise.{0,60}",
        r"it boltwise\W{0,3} (?:kostenlos )?auf patreon unterstützen\W{0,3}",
        r"aktuelle ki-jobs auf stepstone finden.{0,40}",
        r"stellenangebote\W{0,2}",
        r"du hast einen wertvollen beitrag oder kommentar zum artikel .{1,300}",
        r"es werden alle kommentare moderiert\W?",
        r"für eine offene diskussion behalten wir uns vor, jeden kommentar zu löschen.{0,300}",
        r"wir möchten, dass respektvoll miteinander kommuniziert wird.{0,300}",
        r"du willst nichts verpassen\W?",
        r"du möchtest über ähnliche news und beiträge wie .{1,300}informiert werden.{0,500}",
        r"nutze die google-suchmaschine für eine weitere themenrecherche.{0,400}",
    )
)
_PROOF = 2
_BULLETS = "-–•*· "


def judged(blocks: Sequence[Block], *, title: str = "") -> tuple[Block, ...]:
    """The same blocks in the same order, those that are boilerplate with the reason; what was stripped stays so.

    A line that says where the article of this title first appeared is a feed's footer.
    """
    footer = f"the post {title} first appeared on ".lower() if title else "\n"
    lines = [line for block in blocks for line in _lines(block)]
    found = [block if block.reason else replace(block, reason=_pattern(block)) for block in lines]
    for at, block in enumerate(found):
        if block.text.lower().startswith(footer):
            found[at] = replace(block, reason="pattern: feed footer")
    _strip_related_lists(found)
    _strip_boltwise(found)
    return tuple(found)


def _lines(block: Block) -> list[Block]:
    """The block, or its lines when one of them is boilerplate: line breaks may be all that parts them."""
    if "\n" not in block.text or block.kind == "pre":
        return [block]
    lines = [replace(block, text=line) for line in block.text.split("\n") if line]
    return lines if any(_is_sign(line) or _pattern(line) for line in lines) else [block]


def _pattern(block: Block) -> str:
    if len(block.text) > _LONGEST or block.kind == "pre":
        return ""
    text = block.text.lstrip(_BULLETS)
    name = next((name for name, pattern in PATTERNS if pattern.fullmatch(text)), "")
    return f"pattern: {name}" if name else ""


def _is_sign(block: Block) -> bool:
    text = block.text.lstrip(_BULLETS)
    return any(sign.fullmatch(text) for sign in BOLTWISE)


def _strip_related_lists(blocks: list[Block]) -> None:
    """The list under a related heading goes with it."""
    under = False
    for at, block in enumerate(blocks):
        if block.reason == "pattern: related" and ":" not in block.text[:-1]:
            under = True
        elif under and block.kind == "li":
            blocks[at] = replace(block, reason="pattern: related list")
        else:
            under = False


def _strip_boltwise(blocks: list[Block]) -> None:
    """From the first sign of the appended section on, nothing is the article."""
    signs = [at for at, block in enumerate(blocks) if _is_sign(block)]
    if len(signs) < _PROOF:
        return
    for at in range(signs[0], len(blocks)):
        blocks[at] = replace(blocks[at], reason="site rule it-boltwise.de: appended section")
