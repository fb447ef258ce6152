"""`search`, `extract` and `match`: the archive's texts, and the rooms of the line as filters."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from boltwatch.cli import show
from boltwatch.errors import BoltwatchError
from boltwatch.model import Article, Rule


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", default=20, show_default=True)
@show.as_json
def search(words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find stored articles that hold all WORDS and "phrases"; a word may end in *."""
    from boltwatch.archive.search import search as find

    with show.archive() as db:
        found = find(db, " ".join(words), limit)
    show.rows(found, ("id", "title", "feed", "published_at", "snippet"), as_json=as_json, empty="nothing found")


@click.command()
@click.argument("source", required=False)
@click.option("--jsonl", is_flag=True, help='Read {"id","url","html"} lines, write {"id","text"} lines, in order.')
@click.option("--learn", is_flag=True, help="Let documents of one site teach what repeats (not built yet).")
@click.option("--blocks", is_flag=True, help="Show each block, kept or stripped and why.")
def extract(source: str | None, jsonl: bool, learn: bool, blocks: bool) -> None:
    """Print the article's own words of a page: FILE or URL, or pages on standard input with --jsonl."""
    from boltwatch.articles.extract import extract as main_content
    from boltwatch.articles.strip import text_of

    if learn:
        click.echo("--learn: learning from a site's pages is not built yet; each page is cleaned by itself", err=True)
    if jsonl:
        for row in _lines(sys.stdin):
            text = text_of(main_content(row.get("html") or "", url=row.get("url")))
            click.echo(json.dumps({"id": row["id"], "text": text}, ensure_ascii=False))
        return
    if source is None:
        raise click.UsageError("name a FILE or URL, or use --jsonl")
    html, url = _page(source)
    found = main_content(html, url=url)
    if not blocks:
        click.echo(show_text(text_of(found)))
        return
    for block in found:
        mark = "keep " if block.kept else "strip"
        click.echo(f"{mark} {block.kind:7} {show.plain(block.text)}" + (f"  <- {block.reason}" if block.reason else ""))


def show_text(text: str) -> str:
    """Text for a terminal, line by line."""
    return "\n".join(show.plain(line) for line in text.split("\n"))


def _page(source: str) -> tuple[str, str | None]:
    if "://" not in source:
        try:
            return Path(source).read_text(encoding="utf-8", errors="replace"), None
        except OSError as error:
            raise BoltwatchError(f"{source}: {error.strerror}; name a file or an http(s) address") from error
    from boltwatch.assemble import open_fetcher
    from boltwatch.clock import now

    async def get() -> str:
        fetcher = open_fetcher(show.config().network, now=now, by_hand=True)
        try:
            page = await fetcher.get(source, "text/html,application/xhtml+xml")
        finally:
            await fetcher.aclose()
        from bs4.dammit import EncodingDetector, UnicodeDammit

        declared = EncodingDetector.find_declared_encoding(page.body, is_html=True)
        return UnicodeDammit(page.body, [declared] if declared else []).unicode_markup or ""

    return asyncio.run(get()), source


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help='Read {"id","title","text","lang"?} lines, write matches.')
@click.option("--rule", "expressions", multiple=True, required=True, help="An expression; may be given many times.")
@click.option("--lang", help="The language of texts that name none.")
def match(jsonl: bool, expressions: tuple[str, ...], lang: str | None) -> None:
    """Match texts against rules: {"id","matches":[{"rule":i,"spans":[[field,start,end],…]}]} a line."""
    from boltwatch.rules.matcher import Matcher

    rules = [Rule(id=at, name=str(at), expression=text, channels=()) for at, text in enumerate(expressions)]
    matcher = Matcher(rules)
    for row in _lines(sys.stdin):
        text = row.get("text") or ""
        article = Article(
            key="",
            digest="",
            url=row.get("url"),
            title=row.get("title") or "",
            lead=text.split("\n\n", 1)[0],
            text=text,
            language=row.get("lang") or lang,
        )
        found = [
            {"rule": one.rule_id, "spans": [[span.field, span.start, span.end] for span in one.spans]}
            for one in matcher.match(article)
        ]
        click.echo(json.dumps({"id": row["id"], "matches": found}, ensure_ascii=False))


def _lines(stream: IO[str]) -> Iterator[dict[str, str]]:
    """The JSON objects of a stream, one a line; a bad line is named by its number."""
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            row["id"]
        except (ValueError, KeyError, TypeError) as error:
            raise BoltwatchError(f'standard input, line {number}: not a JSON object with an "id"') from error
        yield dict(row)
