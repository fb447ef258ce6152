"""The elements of a feed in feedparser's words: one walk over a tree that lxml made, by feedparser's own rules.

A shallower element outranks a deeper one, the later of equals wins, and what feedparser reads in ways of its own raises
UnusualError. Pure.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from lxml import etree

from boltwatch.feeds.quick_text import (
    XML,
    UnusualError,
    attribute,
    date_of,
    fixed,
    joined,
    stripped,
    text_of,
    unwrapped,
)

_ATOM = "http://www.w3.org/2005/Atom"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PREFIXES = {
    "": "",
    _ATOM: "",
    "http://purl.org/rss/1.0/": "",
    "http://purl.org/atom/ns#": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    _RDF: "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.w3.org/1999/xhtml": "xhtml",
}
# What an element means in an entry, by feedparser's name for it.
_MEANINGS = {
    name: meaning
    for meaning, names in {
        "id": "id guid",
        "link": "link",
        "title": "title dc_title",
        "media_title": "media_title",
        "summary": "description dc_description media_description summary itunes_summary",
        "content": "content content_encoded fullitem",
        "author": "author managingeditor dc_creator dc_author itunes_author",
        "tag": "category keywords dc_subject media_category",
        "tags": "itunes_keywords media_keywords tags",
        "published_parsed": "published issued pubdate dcterms_issued",
        "updated_parsed": "updated modified lastbuilddate dc_date dcterms_modified",
        "source": "source",
        "image": "image",
        "skip": (
            "contributor dc_contributor webmaster dc_publisher itunes_owner rights copyright dc_rights subtitle "
            "tagline itunes_subtitle info"
        ),
        "unusual": "abstract body xhtml_body textinput item entry itunes_category itunes_name itunes_email",
    }.items()
    for name in names.split()
}
_CHANNEL = {"title", "dc_title", "media_title", "link", "language", "dc_language", "ttl", "id", "guid", "item", "entry"}
_CHANNEL |= {"sy_updateperiod", "sy_updatefrequency"}
_CLOSED = {"image", "textinput", "author", "contributor", "itunes_owner"}  # what stands in them is not the channel's
_HTML = {"text/html", "application/xhtml+xml"}
_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}
# Names that feedparser acts on wherever they end, even within markup.
_ENDINGS = {
    "name",
    "email",
    "url",
    "uri",
    "homepage",
    "width",
    "height",
    "generator",
    "language",
    "rss",
    "channel",
    "feed",
}
_ENDINGS |= {"created", "comments", "cloud", "enclosure", "newlocation", "expirationdate"}


class Document(NamedTuple):
    """A feed in feedparser's words."""

    channel: dict[str, Any]
    items: list[dict[str, Any]]


class Reader:
    """One document on its way into feedparser's words."""

    def __init__(self, *, uniform: bool) -> None:
        self.uniform = uniform  # nothing changes its base or language on the way down
        self.atom = False
        self.names: dict[str, str] = {}
        self.titled = False
        # A channel with content, or with two summaries, changes how feedparser takes the next item's.
        self.summarised = self.carried = False
        self.read_as: dict[str, Callable[[Any, _Item, _Place], None]] = {
            "id": self._id,
            "link": self._link,
            "title": self._title,
            "media_title": self._title,
            "summary": self._summary,
            "content": self._content,
            "author": self._author,
            "tag": self._tag,
            "tags": self._tags,
            "published_parsed": self._date,
            "updated_parsed": self._date,
            "source": self._source,
            "image": self._image,
        }

    def document(self, root: Any, url: str) -> Document:
        """The whole of it, from the root down."""
        self.atom = root.tag == f"{{{_ATOM}}}feed"
        place = _Place(url, None, 1).within(root)
        language = root.get(XML + "lang")
        channel = {"language": language.replace("_", "-")} if language else {}
        if self.atom or root.tag == "{http://purl.org/atom/ns#}feed":
            return Document(channel, self._channel(root, channel, place))
        top = root.find("{*}channel")
        if self._name(root) not in ("rss", "rdf_rdf") or top is None:
            raise UnusualError
        items = self._channel(top, channel, place.within(top))
        items += [self._item(child, place.within(child)) for child in root if self._name(child) == "item"]
        return Document(channel, items)

    def _name(self, element: Any) -> str:
        """feedparser's name of an element: dc_creator, pubdate."""
        tag = element.tag
        if name := self.names.get(tag):
            return name
        if not isinstance(tag, str):
            raise UnusualError  # an entity
        space, _, local = tag.rpartition("}")
        prefix = _PREFIXES.get(space[1:])
        if prefix is None:
            prefix = (element.prefix or "").lower()
        name = (f"{prefix}_{local}" if prefix else local).lower().replace(":", "_")
        self.names[tag] = name
        return name

    def _channel(self, channel: Any, found: dict[str, Any], place: "_Place") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        if channel.get("href") or channel.get("lastmod"):
            raise UnusualError
        for child in channel:
            name = self._name(child)
            if name in ("item", "entry", "image", "textinput"):
                self.titled = False
            if name in ("item", "entry"):
                items.append(self._item(child, place.within(child)))
            elif name in _CHANNEL:
                self._of_channel(name, child, found, place)
            elif (meaning := _MEANINGS.get(name)) in ("summary", "content"):
                self.carried = self.carried or self.summarised or meaning == "content"
                self.summarised = self.summarised or not name.endswith("description")
            elif len(child) and name not in _CLOSED and any(self._name(one) in _CHANNEL for one in child.iter()):
                raise UnusualError
        return items

    def _of_channel(self, name: str, child: Any, found: dict[str, Any], place: "_Place") -> None:
        if name == "link":
            if (link := self._linked(child, place)) is not None:
                found["link"] = link
        elif name == "id":
            found.setdefault("link", joined(place.base, text_of(child)))
        elif name.endswith("title"):
            if not self.titled:
                found["title"] = self._markup(child, place.within(child), "text/plain")
                self.titled = bool(found["title"]) and name != "media_title"
        elif not child.attrib and name != "guid":
            found["language" if name == "dc_language" else name] = text_of(child)
        elif name.endswith("language") or name == "guid":
            raise UnusualError

    def _item(self, element: Any, place: "_Place") -> dict[str, Any]:
        item = _Item()
        item.has_content, self.carried = self.carried, False
        if element.attrib:
            if element.get("href") or element.get("lastmod"):
                raise UnusualError
            if about := element.get(f"{{{_RDF}}}about"):
                item.found["id"] = about
        self._children(element, item, place)
        return item.found

    def _children(self, element: Any, item: "_Item", place: "_Place") -> None:
        inner = _Place(place.base, place.language, place.depth + 1)
        for child in element:
            meaning = _MEANINGS.get(self.names.get(child.tag) or self._name(child))
            if meaning in self.read_as:
                self.read_as[meaning](child, item, inner if self.uniform else place.within(child))
            elif meaning == "unusual":
                raise UnusualError
            elif meaning is None and len(child):
                self._children(child, item, inner if self.uniform else place.within(child))

    def _id(self, element: Any, item: "_Item", place: "_Place") -> None:
        identity = text_of(element)
        permanent = next((value for name, value in element.items() if name.lower() == "ispermalink"), "true") == "true"
        if permanent:
            identity = joined(place.base, identity)
        item.put("id", identity, place.depth)
        if permanent:
            item.found.setdefault("link", identity)

    def _link(self, element: Any, item: "_Item", place: "_Place") -> None:
        if (link := self._linked(element, place)) is not None:
            item.found["link"] = link

    def _linked(self, element: Any, place: "_Place") -> str | None:
        """Where a link leads that stands for the whole; None for one that leads elsewhere."""
        if not element.attrib:
            link = joined(place.base, text_of(element)).replace("&amp;", "&")
            return re.sub("&([A-Za-z0-9_]+);", r"&\1", link) if ";" in link else link
        if element.get("url") or element.get("uri"):
            raise UnusualError
        if (href := element.get("href")) is None:
            raise UnusualError
        kind = element.get("type", "text/html").lower()
        if element.get("rel", "alternate").lower() != "alternate" or _TYPES.get(kind, kind) not in _HTML:
            return None
        return joined(place.base, href)

    def _title(self, element: Any, item: "_Item", place: "_Place") -> None:
        title = self._markup(element, place, "text/plain")
        if not -1 < item.title_depth <= place.depth:
            item.put("title", title, place.depth)
            item.found["title_detail"] = {"base": place.base, "language": place.language}
        if title and self._name(element) != "media_title":
            item.title_depth = place.depth

    def _summary(self, element: Any, item: "_Item", place: "_Place") -> None:
        if "summary" in item.found and not item.has_content:
            self._content(element, item, place)
        else:
            item.put("summary", self._markup(element, place, "text/html"), place.depth)

    def _content(self, element: Any, item: "_Item", place: "_Place") -> None:
        item.has_content = True
        value = self._markup(element, place, "text/html")
        item.found.setdefault("content", []).append({"value": value})
        item.found.setdefault("summary", value)

    def _author(self, element: Any, item: "_Item", place: "_Place") -> None:
        parts = {self._name(child): stripped(child) for child in element}
        if parts and ((element.text or "").strip() or parts.keys() & (_MEANINGS.keys() | _CHANNEL)):
            raise UnusualError
        name, email = parts.get("name"), parts.get("email")
        item.put("author", fixed((element.text or "").strip()) if not parts else "", place.depth)
        if name or email:
            item.found["author"] = f"{name} ({email})" if name and email else name or email

    def _tag(self, element: Any, item: "_Item", place: "_Place") -> None:
        terms = item.found.setdefault("tags", [])
        terms += [{"term": term} for term in (element.get("term"), text_of(element)) if term]

    def _tags(self, element: Any, item: "_Item", place: "_Place") -> None:
        if element.attrib:
            raise UnusualError
        item.found.setdefault("tags", []).extend({"term": term.strip()} for term in text_of(element).split(","))

    def _date(self, element: Any, item: "_Item", place: "_Place") -> None:
        item.found[_MEANINGS[self._name(element)]] = date_of(text_of(element))

    def _source(self, element: Any, item: "_Item", place: "_Place") -> None:
        titled = any(self._name(child) == "title" and stripped(child) for child in element)
        item.title_depth = place.depth + 1 if titled else -1

    def _image(self, element: Any, item: "_Item", place: "_Place") -> None:
        names = {self._name(child) for child in element if not child.attrib and not len(child)}
        outranked = self.uniform and item.depths.get("title", place.depth + 1) <= place.depth
        if len(names) < len(element) or not names <= {
            "url",
            "width",
            "height",
            "link",
            "title" if outranked else "url",
        }:
            raise UnusualError
        self._source(element, item, place)

    def _markup(self, element: Any, place: "_Place", usual: str) -> str:
        """The words of an element that may hold html: escaped mostly, else its markup written out again."""
        kind = element.get("type", usual).lower()
        kind = _TYPES.get(kind, kind)
        if element.get("mode") or (not kind.startswith("text/") and kind != "application/xhtml+xml"):
            raise UnusualError  # base64
        if not len(element):
            text = element.text or ""
            text = escape(text) if kind == "application/xhtml+xml" else text
            return fixed(text.strip())
        if kind != "application/xhtml+xml":
            raise UnusualError
        pieces = [escape(element.text or "")]
        for child in element:
            self._written(child, pieces)
        return fixed("".join(unwrapped(pieces) if self.atom else pieces).strip())

    def _written(self, element: Any, pieces: list[str], drawn: bool = False) -> None:
        name = self._name(element).removeprefix("xhtml_")
        if "_" in name or (not drawn and (name in _MEANINGS or name in _ENDINGS)):
            raise UnusualError
        space = f' xmlns="{etree.QName(element).namespace}"' if name in ("svg", "math") else ""
        pieces.append(f"<{name}{space}{''.join(map(attribute, element.items()))}>")
        pieces.append(escape(element.text or ""))
        for child in element:
            self._written(child, pieces, drawn or name == "svg")
        pieces += [f"</{name}>", escape(element.tail or "")]


class _Place(NamedTuple):
    """What holds at an element: the base of its addresses, its language, its depth."""

    base: str
    language: str | None
    depth: int

    def within(self, element: Any) -> "_Place":
        """The same, a step further down."""
        base, language = self.base, self.language
        if element.attrib:
            language = element.get(XML + "lang", language) or None
            if given := element.get(XML + "base"):
                base = joined(base, given)
                if not base.startswith(("http://", "https://")):
                    raise UnusualError
        return _Place(base, language and language.replace("_", "-"), self.depth + 1)


class _Item:
    """An entry in the making, in feedparser's words; and how deep each was found."""

    __slots__ = ("depths", "found", "has_content", "title_depth")

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.depths: dict[str, int] = {}
        self.title_depth = -1
        self.has_content = False

    def put(self, name: str, value: str, depth: int) -> None:
        """Keep the value unless a shallower element gave one."""
        if depth <= self.depths.get(name, depth):
            self.depths[name] = depth
            self.found[name] = value
