"""docs/commands.md is what the commands say of themselves; `python -m tests.test_commands_docs` writes it anew."""

from pathlib import Path

import click

from boltwatch.cli import cli

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"


def page() -> str:
    """The reference: the help of every command, in the order in which they are listed."""
    parts = ["# Commands\n\nMade from the program itself; a test compares it.\n"]
    parts += [_help(command, path) for path, command in _all(cli, "boltwatch")]
    return "\n".join(parts)


def _all(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            found += _all(command.commands[name], f"{path} {name}")
    return found


def _help(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, terminal_width=100, max_content_width=100)
    return f"## {path}\n\n```\n{command.get_help(context)}\n```\n"


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.test_commands_docs"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
