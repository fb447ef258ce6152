"""`feeds`: what is watched, and why the next poll is when it is."""

import click

from boltwatch.cli import show
from boltwatch.clock import now
from boltwatch.errors import BoltwatchError
from boltwatch.model import Origin


@click.group(invoke_without_command=True)
@show.as_json
@click.pass_context
def feeds(context: click.Context, as_json: bool) -> None:
    """List the feeds, or add, remove and explain one."""
    if context.invoked_subcommand is None:
        _list(as_json)


@feeds.command("list")
@show.as_json
def list_(as_json: bool) -> None:
    """List the feeds with state, next poll and trouble."""
    _list(as_json)


def _list(as_json: bool) -> None:
    from boltwatch.archive import ask

    with show.archive() as db:
        found = ask.feeds(db)
    columns = ("url", "title", "origin", "state", "articles", "polled_at", "due_at", "failures", "error")
    show.rows(
        found, columns, as_json=as_json, empty="no feeds yet: `boltwatch feeds add URL`, or name them in config.toml"
    )


@feeds.command()
@click.argument("url")
@click.option("--every", help="Poll this often, such as 10m; else the feed's own rhythm.")
@click.option("--title", help="What to call it.")
def add(url: str, every: str | None, title: str | None) -> None:
    """Watch the feed at URL; it is kept in the database, beside those of the file."""
    from boltwatch.archive import subscriptions
    from boltwatch.config_subjects import FEED_KEYS
    from boltwatch.settings import FeedSettings

    address = show.value("URL", FEED_KEYS["url"], url)
    interval = None if every is None else show.value("--every", FEED_KEYS["every"], every)
    settings = FeedSettings(url=address, title=title, every=interval)
    with show.archive() as db:
        if subscriptions.origin_of(db, "feeds", url) is Origin.CONFIG:
            raise BoltwatchError(f"{url} stands in config.toml already; change it there")
        subscriptions.add_feed(db, settings, Origin.USER, now())
    click.echo(f"added {url}; it is polled at once by the daemon, or with `boltwatch poll`")


@feeds.command()
@click.argument("url")
def remove(url: str) -> None:
    """Stop watching the feed at URL; its articles and alerts stay."""
    _set(url, "disabled", "no longer watched; its articles stay")


@feeds.command()
@click.argument("url")
def resume(url: str) -> None:
    """Watch a removed or retired feed again, from now."""
    _set(url, "active", "watched again, due at once")


def _set(url: str, state: str, done: str) -> None:
    from boltwatch.archive import subscriptions

    with show.archive() as db:
        if subscriptions.origin_of(db, "feeds", url) is Origin.CONFIG:
            raise BoltwatchError(f"{url} stands in config.toml; change it there and reload")
        if not subscriptions.set_feed_state(db, url, state, now()):
            raise BoltwatchError(f"{url} is not known; `boltwatch feeds` lists those that are")
    click.echo(f"{url}: {done}")


@feeds.command("why")
@click.argument("url")
def why(url: str) -> None:
    """Say in a sentence why the next poll of URL is when it is."""
    from boltwatch.archive import ask

    with show.archive() as db:
        feed = ask.feed(db, url)
    if feed is None:
        raise BoltwatchError(f"{url} is not known; `boltwatch feeds` lists those that are")
    click.echo(f"next poll {feed['due_at'][:19]}Z: {show.plain(feed['due_why'])}")
    if feed["error"]:
        click.echo(f"last error ({feed['failures']} in a row): {show.plain(feed['error'])}")
