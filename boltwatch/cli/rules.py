"""`rules`: list, check, try out, add and remove."""

import json
import sys
from datetime import timedelta

import click

from boltwatch.cli import show
from boltwatch.clock import now
from boltwatch.errors import BoltwatchError
from boltwatch.model import Origin, Rule


@click.group(invoke_without_command=True)
@show.as_json
@click.pass_context
def rules(context: click.Context, as_json: bool) -> None:
    """List the rules, or check, test, add and remove one."""
    if context.invoked_subcommand is None:
        _list(as_json)


@rules.command("list")
@show.as_json
def list_(as_json: bool) -> None:
    """List the rules with what came of them."""
    _list(as_json)


def _list(as_json: bool) -> None:
    from boltwatch.archive import ask

    with show.archive() as db:
        found = ask.rules(db)
    for row in found:
        row["channels"], row["feeds"] = json.loads(row["channels"]), json.loads(row["feeds"])
    columns = ("name", "expression", "channels", "origin", "state", "matches", "alerts")
    show.rows(found, columns, as_json=as_json, empty='no rules yet: `boltwatch rules add NAME "EXPRESSION"`')


@rules.command()
def check() -> None:
    """Check the configuration and every rule, and print how each is read."""
    from boltwatch.archive import subscriptions
    from boltwatch.rules.language import parse_rule
    from boltwatch.rules.language import show as reading

    config = show.config()
    with show.archive(config) as db:
        users = [rule for rule in subscriptions.active_rules(db) if rule.origin is Origin.USER]
    for name, expression in [(r.name, r.expression) for r in config.rules] + [(r.name, r.expression) for r in users]:
        click.echo(f"ok    {name}: {reading(parse_rule(expression))}")


@rules.command()
@click.argument("name")
@click.argument("expression")
@click.option("--channel", "channels", multiple=True, help="Where to alert; else on every channel of the file.")
@click.option("--feed", "feeds", multiple=True, help="Only articles of this feed.")
def add(name: str, expression: str, channels: tuple[str, ...], feeds: tuple[str, ...]) -> None:
    """Define rule NAME as EXPRESSION; it is kept in the database, beside those of the file."""
    from boltwatch.archive import subscriptions
    from boltwatch.rules.language import parse_rule

    config = show.config()
    parse_rule(expression)
    known = [channel.name for channel in config.channels]
    unknown = [channel for channel in channels if channel not in known]
    if unknown:
        raise BoltwatchError(
            f'channel "{unknown[0]}" is not defined; {config.path.name} has: {", ".join(known) or "none"}'
        )
    with show.archive(config) as db:
        if subscriptions.origin_of(db, "rules", name) is Origin.CONFIG:
            raise BoltwatchError(f"rule {name} stands in {config.path.name} already; change it there")
        subscriptions.add_rule(db, name, expression, channels or tuple(known), feeds, Origin.USER, now())
    click.echo(f"added rule {name}; a running daemon takes it up by itself")


@rules.command()
@click.argument("name")
def remove(name: str) -> None:
    """Switch rule NAME off; its matches and alerts stay."""
    from boltwatch.archive import subscriptions

    with show.archive() as db:
        if subscriptions.origin_of(db, "rules", name) is Origin.CONFIG:
            raise BoltwatchError(f"rule {name} stands in the configuration file; change it there and reload")
        if not subscriptions.set_rule_state(db, name, "disabled"):
            raise BoltwatchError(f"rule {name} is not known; `boltwatch rules` lists those that are")
    click.echo(f"rule {name} is off")


@rules.command()
@click.argument("expression")
@click.option("--since", default="30d", show_default=True, help="How far back, such as 90d.")
@click.option("--samples", default=5, show_default=True, help="How many articles to show.")
def test(expression: str, since: str, samples: int) -> None:
    """Show which stored articles EXPRESSION would have matched; nothing is sent."""
    from boltwatch.archive import ask
    from boltwatch.config_values import duration
    from boltwatch.rules.matcher import Matcher

    span: timedelta = show.value("--since", duration(timedelta(hours=1), timedelta(days=36500)), since)
    matcher = Matcher([Rule(id=1, name="test", expression=expression, channels=())])
    checked = found = 0
    with show.archive() as db:
        for seen_at, feed, article in ask.articles_since(db, now() - span):
            checked += 1
            for match in matcher.match(article, feed_urls={feed}):
                found += 1
                if found <= samples:
                    click.echo(f"{seen_at[:16].replace('T', ' ')}  {show.plain(article.title)}")
                    for line in show.marked(article, match.spans):
                        click.echo(f"    {line}")
    click.echo(f"{found} of {checked} articles of the last {since} match")
    sys.exit(0)
