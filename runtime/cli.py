"""The command line: a table of commands, each imported when it is used."""

from __future__ import annotations

import io
import sys

import click

from .commands.table import Table

# command -> what it does, in a line; the module of that name in commands/ holds it
COMMANDS = {
    "validate": "Check a spec and its data: every problem at once, with its place and the fix.",
    "plan": "Show what each target would get: settled values and their origin, steps, fidelity.",
    "compile": "Write the bundles of a spec's targets.",
    "check": "Tell whether the written bundles are what the spec gives now; exit code 1 if not.",
    "diff": "Tell what changed between two specs, revisions or targets, in terms of training.",
    "data": "Look at files of rows: counts, tokens and problems; convert, split and sample them.",
    "explain": "Tell where a value in an artifact comes from, or what a code such as TF104 means.",
    "run": "Compile for a target, run it with live progress or in the background (--detach), and keep its metrics.",
    "runs": "List runs.",
    "status": "Show one run.",
    "watch": "Show the live progress of a run, whoever started it.",
    "cancel": "Stop runs, with a checkpoint to go on from.",
    "doctor": "Tell what this machine has for training, and whether a spec's targets can run here.",
    "schema": "Print the JSON Schema of the language, for editors.",
}


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from .. import __version__

        click.echo(f"tuneform {__version__}")
        ctx.exit()


@click.group(
    cls=Table,
    table=COMMANDS,
    package=f"{__package__}.commands",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def main() -> None:
    """One spec for fine-tuning, compiled into what each trainer or service takes natively."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr is: a terminal may not know every character
