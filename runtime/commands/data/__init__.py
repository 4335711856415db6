"""`tuneform data`: what can be done with files of rows. `tuneform data FILE` is `tuneform data report FILE`."""

from __future__ import annotations

import click

from ..table import Table

# command -> what it does, in a line; the module of that name beside this file holds it
COMMANDS = {
    "convert": "Write rows in the form that a trainer or a service takes.",
    "report": "Tell what files of rows hold: counts, tokens, and every problem (the default).",
    "split": "Hold rows out into a file of their own, chosen by content.",
    "sample": "Show some rows as they are, chosen by content.",
}


@click.group(
    name="data",
    cls=Table,
    table=COMMANDS,
    package=__package__,
    default="report",
    subcommand_metavar="FILE... | COMMAND [ARGS]...",
)
def command() -> None:
    """Look at files of rows, and write them in other forms."""
