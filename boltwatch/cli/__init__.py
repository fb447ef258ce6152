"""The command line: one file for each group of commands. Heavy rooms are imported by the command that needs them."""

import sys

import click

from boltwatch import __version__
from boltwatch.cli.alerts import alerts, deliveries, why
from boltwatch.cli.articles import extract, match, search
from boltwatch.cli.feeds import feeds
from boltwatch.cli.keep import backup, doctor
from boltwatch.cli.rules import rules
from boltwatch.cli.run import poll, run
from boltwatch.errors import BoltwatchError, ConfigError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="boltwatch")
@click.option(
    "--config",
    "config_path",
    metavar="FILE",
    help="The configuration; else $BOLTWATCH_CONFIG, ./config.toml, the user's, /etc/boltwatch/config.toml.",
)
@click.pass_context
def cli(context: click.Context, config_path: str | None) -> None:
    """Watches news feeds and alerts you, with the reason, when your topic appears."""
    context.obj = config_path


for command in (run, poll, feeds, rules, alerts, deliveries, why, search, extract, match, doctor, backup):
    cli.add_command(command)


def main() -> None:
    """Run the command line: exit code 2 for a configuration or usage that cannot be used, 1 for other trouble."""
    try:
        cli(prog_name="boltwatch")
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except BoltwatchError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
