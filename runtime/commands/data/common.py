"""Options that the commands on files of rows share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ...loaded import Source

FORMATS = (
    *("auto", "chat", "sharegpt", "instruction", "prompt_completion", "text", "preference", "unpaired_preference"),
    *("prompt", "converse", "converse_preference", "gemini", "gemini_preference", "gemini_prompt"),
)

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

    mapped = {}
    for pair in columns:
        key, equals, column = pair.partition("=")
        if not (key and equals and column):
            raise click.BadParameter(f"`{pair}` is not FIELD=COLUMN", param_hint="--columns")
        mapped[key] = column
    return [Source(Path(os.path.abspath(path)), str(path), form, mapped) for path in paths]


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
