"""docs/webhook.md and its JSON Schema say what is sent: no field more, none less, none of another kind."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boltwatch.alerts.compose import compose
from boltwatch.model import Alert, Article, Span

DOCS = Path(__file__).parent.parent / "docs"
SCHEMA = json.loads((DOCS / "webhook.schema.json").read_text())
AT = datetime(2026, 11, 24, 8, 0, 30, 5, tzinfo=UTC)
KINDS: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
KNOWN = {
    "type", "const", "enum", "required", "properties", "items", "maxItems", "minItems", "maxLength", "pattern",
    "minimum", "$ref", "$schema", "$defs", "title",
}  # fmt: skip


def event(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "key": "a", "digest": "d", "url": "https://news.example/x", "title": "xAI baut", "lead": "Ein Anfang.",
        "text": "Die Firma xAI.\n\nEnde.", "author": "Anna", "published_at": AT, "updated_at": AT, "tags": ("KI",),
        "language": "de-AT",
    }  # fmt: skip
    of = Article(**(values | changes))
    hits = (Span("title", 0, 3), Span("text", 10, 13))
    alert = Alert(7, "xai", "xAI", 41, of, hits, "Nachrichten", "https://n.example/f", AT, 5)
    sent = json.loads(compose(alert, key="k").payload)
    assert isinstance(sent, dict)
    return sent


def faults(value: Any, schema: dict[str, Any], at: str = "$") -> Iterator[str]:
    """What breaks the schema: the keywords it uses, and a complaint about any it should not use."""
    schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    yield from (f"{at}: keyword {word} is not understood" for word in schema.keys() - KNOWN)
    kinds = schema.get("type", [])
    if kinds and not isinstance(value, tuple(KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))):
        yield f"{at}: {value!r} is not of type {kinds}"
    if value != schema.get("const", value) or value not in schema.get("enum", [value]):
        yield f"{at}: {value!r} is not the value"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: {value!r} does not look right"
    if isinstance(value, str) and len(value) > schema.get("maxLength", 10**9):
        yield f"{at}: too long"
    if isinstance(value, int) and value < schema.get("minimum", value):
        yield f"{at}: too small"
    if isinstance(value, list) and not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**9):
        yield f"{at}: {len(value)} items"
    for number, item in enumerate(value if isinstance(value, list) else ()):
        yield from faults(item, schema["items"], f"{at}[{number}]")
    if isinstance(value, dict):
        yield from (f"{at}.{name}: missing" for name in set(schema["required"]) - value.keys())
        yield from (f"{at}.{name}: undocumented" for name in value.keys() - schema["properties"].keys())
        for name in value.keys() & schema["properties"].keys():
            yield from faults(value[name], schema["properties"][name], f"{at}.{name}")


def leaves(schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """The names of all fields, as docs/webhook.md writes them."""
    for name, inner in schema["properties"].items():
        path = f"{at}.{name}".removeprefix(".")
        if "properties" in inner:
            yield from leaves(inner, path)
        elif "properties" in inner.get("items", {}):
            yield from leaves(inner["items"], f"{path}[]")
        else:
            yield path


def test_a_payload_is_what_the_schema_says() -> None:
    assert list(faults(event(), SCHEMA)) == []


@given(st.text(max_size=400), st.text(max_size=400) | st.none())
def test_a_payload_of_any_words_is_what_the_schema_says(words: str, other: str | None) -> None:
    sent = event(title=words, text=words, lead=words, author=other, url=other, language=other, published_at=None)
    assert list(faults(sent, SCHEMA)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda e: e.pop("type"), "$.type: missing"),
        (lambda e: e["data"].update(version=2), "$.data.version: 2 is not the value"),
        (lambda e: e["data"].update(extra=1), "$.data.extra: undocumented"),
        (lambda e: e["data"]["article"].update(id="7"), "$.data.article.id: '7' is not of type integer"),
        (
            lambda e: e["data"]["article"].update(url="javascript:x"),
            "$.data.article.url: 'javascript:x' does not look right",
        ),
        (lambda e: e["data"]["excerpts"][0]["marks"].append([1]), "$.data.excerpts[0].marks[1]: 1 items"),
        (lambda e: e["data"]["feed"].update(title="x" * 101), "$.data.feed.title: too long"),
    ],
)
def test_a_payload_of_another_shape_would_be_noticed(change: Any, fault: str) -> None:
    sent = event()
    change(sent)
    assert list(faults(sent, SCHEMA)) == [fault]


def test_the_page_names_every_field_of_the_schema_and_no_other() -> None:
    page = (DOCS / "webhook.md").read_text().partition("## The event")[2]
    assert re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE) == list(leaves(SCHEMA))
