"""Options that the commands on files of rows share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from ....spec.data import Format

if TYPE_CHECKING:
    from ...loaded import Source

FORMATS = get_args(Format)

format_option = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="auto", show_default=True, help="What rows are."
)
columns_option = click.option(
    "--columns", "columns", multiple=True, metavar="FIELD=COLUMN", help="Which column of yours holds a field."
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=42, show_default=True, help="Another seed chooses other rows."
)


def sources(paths: tuple[Path, ...], form: str, columns: tuple[str, ...]) -> list[Source]:
    """The files as sources."""
    from ...loaded import Source

    mapped = column_names(columns)
    return [Source(Path(os.path.abspath(path)), str(path), form, mapped) for path in paths]


def column_names(columns: tuple[str, ...]) -> dict[str, str]:
    """Which column holds a field, as `--columns` says."""
    mapped = {}
    for pair in columns:
        key, equals, column = pair.partition("=")
        if not (key and equals and column):
            raise click.BadParameter(f"`{pair}` is not FIELD=COLUMN", param_hint="--columns")
        mapped[key] = column
    return mapped


def known_method(name: str | None) -> str | None:
    """A method as `--method` names it, under its own name."""
    from ....spec.method import ALIASES
    from ....spec.rows.shapes import METHODS

    return one_of(ALIASES.get(name, name) if name else None, METHODS, "--method")


def one_of(name: str | None, known: Iterable[str], option: str) -> str | None:
    """The value of an option that takes one of several words; a usage error where it is none."""
    from ....spec.words import suggest

    if name is None or name in (words := list(known)):
        return name
    near = suggest(name, words)
    told = f"; did you mean `{near}`?" if near else f": one of {', '.join(words)}"
    raise click.BadParameter(f"`{name}` is not known{told}", param_hint=option)
