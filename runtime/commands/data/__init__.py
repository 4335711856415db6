"""`tuneform data`: what can be done with files of rows. `tuneform data FILE` is `tuneform data report FILE`."""

from __future__ import annotations

from importlib import import_module

import click

# command -> what it does, in a line; the module of that name beside this file holds it
COMMANDS = {
    "convert": "Write rows in the form that a trainer or a service takes.",
    "report": "Tell what files of rows hold: counts, tokens, and every problem (the default).",
    "split": "Hold rows out into a file of their own, chosen by content.",
    "sample": "Show some rows as they are, chosen by content.",
}
DEFAULT = "report"


class DataTable(click.Group):
    """A group whose commands are imported when they run; what begins with no command is a report's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        found = import_module(f".{name}", __package__).command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The group has no options but --help, so that others before a file are the report's, too."""
        if args and args[0] not in (*COMMANDS, *ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


@click.group(name="data", cls=DataTable, subcommand_metavar="FILE... | COMMAND [ARGS]...")
def command() -> None:
    """Look at files of rows, and write them in other forms."""
