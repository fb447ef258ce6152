"""`alerts`, `deliveries` and `why`: what was told to whom, and for what reason."""

import json

import click

from boltwatch.cli import show
from boltwatch.clock import now
from boltwatch.errors import BoltwatchError
from boltwatch.model import Article, Span


@click.command()
@click.option("--rule", help="Only of this rule.")
@click.option("--limit", default=50, show_default=True)
@show.as_json
def alerts(rule: str | None, limit: int, as_json: bool) -> None:
    """List the newest alerts."""
    from boltwatch.archive import ask

    with show.archive() as db:
        found = ask.alerts(db, limit, rule)
    columns = ("id", "rule", "title", "feed", "created_at", "deliveries")
    show.rows(found, columns, as_json=as_json, empty="no alerts yet")


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(["waiting", "sending", "sent", "held", "dead"]), help="Only in this state.")
@click.option("--limit", default=50, show_default=True)
@show.as_json
@click.pass_context
def deliveries(context: click.Context, state: str | None, limit: int, as_json: bool) -> None:
    """List the newest deliveries, or resend or drop some."""
    from boltwatch.archive import ask

    if context.invoked_subcommand is not None:
        return
    with show.archive() as db:
        found = ask.deliveries(db, limit, state)
    columns = ("id", "alert", "rule", "channel", "state", "attempts", "try_at", "settled_at", "answer", "error")
    show.rows(found, columns, as_json=as_json, empty="no deliveries")


@deliveries.command()
@click.argument("ids", nargs=-1, type=int, required=True)
def resend(ids: tuple[int, ...]) -> None:
    """Make deliveries due again, with their whole schedule before them."""
    from boltwatch.archive import outbox

    with show.archive() as db:
        click.echo(f"{outbox.resend(db, ids, now())} of {len(ids)} deliveries wait to be sent again")


@deliveries.command()
@click.argument("ids", nargs=-1, type=int, required=True)
def drop(ids: tuple[int, ...]) -> None:
    """Give deliveries up for good."""
    from boltwatch.archive import outbox

    with show.archive() as db:
        click.echo(f"{outbox.drop(db, ids, now())} of {len(ids)} deliveries are dropped")


@click.command()
@click.argument("alert_or_url")
@show.as_json
def why(alert_or_url: str, as_json: bool) -> None:
    """Say why an ALERT was raised, or what became of the article at a URL."""
    from boltwatch.archive import ask

    with show.archive() as db:
        if alert_or_url.isdecimal():
            found = ask.matches(db, alert_id=int(alert_or_url))
            if not found:
                raise BoltwatchError(f"there is no alert {alert_or_url}; `boltwatch alerts` lists them")
        else:
            found = ask.matches(db, url=alert_or_url)
            stored = ask.articles_at(db, alert_or_url)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for row in found:
        _explain(row)
    if not found:
        click.echo("stored, and no rule held on it" if stored else "no article of this address was ever seen in a feed")


def _explain(row: dict[str, object]) -> None:
    spans = tuple(Span(field, start, end) for field, start, end in json.loads(str(row["spans"])))
    article = Article(key="", digest="", url=None, title=str(row["title"]), lead="", text=str(row["text"]))
    told = f"alert {row['alert_id']}" if row["alert_id"] else "no alert: the article came with the feed's first poll"
    click.echo(f"rule {show.plain(row['rule'])}: {show.plain(row['expression'])}    ({told})")
    click.echo(f"  {show.plain(row['title'])}\n  {show.plain(row['url'])}")
    for line in show.marked(article, spans):
        click.echo(f"    {line}")
    words = {f"{text[span.start : span.end]} ({span.field})" for span in spans for text in [_field(article, span)]}
    click.echo(f"  words: {show.plain(', '.join(sorted(words)))}")
    click.echo(
        f"  feed {show.plain(row['feed'])}; published {show.plain(row['published_at']) or 'at no stated time'}; "
        f"seen {row['seen_at']}; matched {row['matched_at']} (revision {row['revision']})"
    )


def _field(article: Article, span: Span) -> str:
    return article.title if span.field == "title" else article.text
