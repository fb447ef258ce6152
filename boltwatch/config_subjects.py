"""The [[feeds]] and [[rules]] of config.toml: what is watched, and what for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from boltwatch import config_values as values
from boltwatch.config_table import Complaints, Readers, kind, nearest, read_table, wrong
from boltwatch.errors import ConfigError, RuleError
from boltwatch.model import FullText
from boltwatch.rules.language import keywords_expression, parse_rule
from boltwatch.settings import FeedSettings, RuleSettings
from boltwatch.toml_lines import KeyPath


def _full_text(raw: object) -> FullText:
    word = values.one_of(*FullText)(raw)
    if word == FullText.ALWAYS:
        raise wrong('full pages are not fetched yet; use "never" or leave it out')
    return FullText(word)


FEED_KEYS: Readers = {
    "url": values.url,
    "title": values.text,
    "every": values.duration(timedelta(seconds=1), timedelta(days=30)),
    "full_text": _full_text,
}
RULE_KEYS: Readers = {
    "name": values.name,
    "match": values.block_text,
    "keywords": values.some(values.each(values.text, '["xAI", "Grok"]'), 'at least one: ["xAI"]'),
    "channels": values.some(
        values.each(values.text, '["desk"]'), "no alert would go anywhere; without the key all get it"
    ),
    "feeds": values.some(values.each(values.url, '["https://example.org/feed"]'), "without the key all feeds count"),
}


def read_feeds(raw: object, complaints: Complaints) -> tuple[FeedSettings, ...]:
    """Every feed that is right; what is wrong with the others is noted."""
    tables = _tables(raw, "feeds", complaints)
    _note_doubles(tables, ("feeds", "url"), lambda url: values.canonical_url(values.url(url)), complaints)
    found = (
        read_table(table, ("feeds", i), FEED_KEYS, complaints, required=("url",)) for i, table in enumerate(tables)
    )
    return tuple(FeedSettings(**table) for table in found if table is not None)


def read_rules(
    raw: object, channels: object, feeds: tuple[FeedSettings, ...], complaints: Complaints
) -> tuple[RuleSettings, ...]:
    """Every rule that is right, its channels named and its feeds spelled as the feeds are; the rest is noted."""
    tables = _tables(raw, "rules", complaints)
    _note_doubles(tables, ("rules", "name"), values.name, complaints)
    defined = tuple(channels) if isinstance(channels, dict) else ()
    spelled = {values.canonical_url(feed.url): feed.url for feed in feeds}
    rules = (_read_rule(table, ("rules", i), defined, spelled, complaints) for i, table in enumerate(tables))
    return tuple(rule for rule in rules if rule is not None)


def _read_rule(
    raw: object, path: KeyPath, defined: tuple[str, ...], spelled: dict[str, str], complaints: Complaints
) -> RuleSettings | None:
    table = read_table(raw, path, RULE_KEYS, complaints, required=("name",))
    expression = _expression(raw, path, complaints) if isinstance(raw, dict) else None
    if isinstance(raw, dict):
        _note_undefined(raw.get("channels"), (*path, "channels"), defined, complaints)
    if table is None or expression is None:
        return None
    return RuleSettings(
        name=table["name"],
        expression=expression,
        channels=table.get("channels", defined),
        feeds=tuple(spelled.get(values.canonical_url(url), url) for url in table.get("feeds", ())),
        line=complaints.line((*path, "match" if "match" in table else "keywords")),
    )


def _expression(raw: dict[str, Any], path: KeyPath, complaints: Complaints) -> str | None:
    given = [key for key in ("match", "keywords") if key in raw]
    if len(given) != 1:
        fault = "has both match and keywords (keep one)" if given else "has neither match nor keywords (write one)"
        complaints.add(path, fault)
        return None
    try:
        value: Any = RULE_KEYS[given[0]](raw[given[0]])
    except ConfigError:
        return None  # noted when the table was read
    try:
        expression: str = value if given[0] == "match" else keywords_expression(value)
        parse_rule(expression)
    except RuleError as error:
        complaints.add((*path, given[0]), f"cannot be read as a rule\n{error}")
        return None
    return expression


def _note_undefined(raw: object, path: KeyPath, defined: tuple[str, ...], complaints: Complaints) -> None:
    for channel in raw if isinstance(raw, list) else ():
        if isinstance(channel, str) and channel.strip() and channel.strip() not in defined:
            hint = nearest(channel, defined) if defined else "(no channel is: write a table [channels.NAME])"
            complaints.add(path, f'channel "{channel}" is not defined {hint}')


def _tables(raw: object, key: str, complaints: Complaints) -> list[Any]:
    if isinstance(raw, list):
        return raw
    what = "one table" if isinstance(raw, dict) else kind(raw)
    complaints.add((key,), f"must be a list of tables, not {what} (write [[{key}]] with two brackets above each)")
    return []


def _note_doubles(
    tables: list[Any], keys: tuple[str, str], same: Callable[[object], str], complaints: Complaints
) -> None:
    section, key = keys
    seen: dict[str, int] = {}
    for index, table in enumerate(tables):
        try:
            value = same(table.get(key) if isinstance(table, dict) else None)
        except ConfigError:
            continue  # noted when the table is read
        line = complaints.line((section, index, key))
        if value in seen:
            complaints.add(
                (section, index, key), f"stands there already, on line {seen[value]} (remove one of the two)"
            )
        seen.setdefault(value, line)
