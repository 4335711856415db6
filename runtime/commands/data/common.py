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


def one_file(file: Path) -> None:
    """A usage error where several files are named."""
    from ...datapaths import is_many

    if is_many(Path(os.path.abspath(file))):
        raise click.BadParameter(f"{file} is a folder or a pattern; this takes one file", param_hint="FILE")


def refuse_inputs(out: Path, read: Iterable[Source], option: str) -> None:
    """A usage error where the file to write is one of those to read, by whatever name."""
    from ...data import place_of
    from ...datapaths import expand
    from ...problems import Problems

    if not out.exists():
        return
    for source in read:
        for file in expand(source, place_of(source, ""), Problems()):
            if file.path.exists() and out.samefile(file.path):
                raise click.BadParameter(f"{out} is one of the files to read", param_hint=option)


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
