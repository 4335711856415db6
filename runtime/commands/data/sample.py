"""`tuneform data sample`."""

from __future__ import annotations

from pathlib import Path

import click

from ...console import WRONG, err, guarded
from ..common import options
from .common import one_file, seed_option


@click.command(name="sample")
@options(
    click.argument("file", type=click.Path(path_type=Path)),
    click.option("-n", "--rows", "size", type=click.IntRange(min=1), default=20, show_default=True, help="How many."),
    seed_option,
    click.option(
        "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write them, instead of stdout."
    ),
)
@guarded
def command(file: Path, size: int, seed: int, out: Path | None) -> None:
    """Print some rows of FILE, which is one file, as they are, in their order, one a line.

    The content of rows decides, so that the same seed gives the same rows wherever they stand. Rows that are equal
    count once. Exit code 1 where rows cannot be read; the others are printed all the same.
    """
    from ...picking import FileProblem, as_they_are, sample

    one_file(file)
    if out and out.exists() and file.exists() and out.samefile(file):
        raise click.UsageError(f"{out} is the file to read")
    try:
        chosen, rows, bad = sample(file, size, seed)
        lines = [line for index, line in as_they_are(file) if index in chosen]
    except FileProblem as problem:
        err(f"{file}: error {problem.code}: {problem.message}")
        if problem.hint:
            err(f"  {problem.hint}")
        raise SystemExit(WRONG) from None
    text = b"".join(line + b"\n" for line in lines)
    if out:
        out.write_bytes(text)
        err(f"{out}: {len(lines):,} of {rows:,} rows")
    else:
        click.echo(text, nl=False)
    if bad:
        err(f"{bad:,} rows of {file} cannot be read; `tuneform data {file}` tells which")
    raise SystemExit(WRONG if bad else 0)
