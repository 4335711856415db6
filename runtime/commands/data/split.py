"""`tuneform data split`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ...console import WRONG, count, guarded, json_option, out_json, print_diagnostics
from ..common import options
from .common import columns_option, format_option, one_file, seed_option, sources

NAMES = ("train.jsonl", "eval.jsonl")


@click.command(name="split")
@options(
    click.argument("file", type=click.Path(path_type=Path)),
    click.option(
        "--ratio", required=True, type=click.FloatRange(0, 1, True, True), help="Share of the rows held out."
    ),
    seed_option,
    click.option("--stratify", metavar="COLUMN", help="Hold out the same share of each value of this column."),
    click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="A folder."),
    click.option("--force", is_flag=True, help="Write over files that are there."),
    format_option,
    columns_option,
    json_option,
)
@guarded
def command(
    file: Path,
    ratio: float,
    seed: int,
    stratify: str | None,
    out: Path,
    force: bool,
    form: str,
    columns: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the rows of FILE, which is one file, to train.jsonl and eval.jsonl, as they are.

    The rows are those that `data.eval: {split: RATIO}` of a spec would hold out: a row's content decides, so that
    added rows move no other, and equal rows stay together.
    """
    from ...picking import as_they_are, split
    from ...reading_bar import phases_bar

    one_file(file)
    paths = [out / name for name in NAMES]
    for path in paths:
        if path.exists() and (not force or path.samefile(file)):
            raise click.UsageError(f"{path} is there already" + ("" if force else "; --force writes over it"))
    (source,) = sources((file,), form, columns)
    with phases_bar() as phases:
        found = split(source, ratio, seed, stratify, phases("reading"))
    print_diagnostics(found.diagnostics)
    if not found.failed:
        out.mkdir(parents=True, exist_ok=True)
        with phases_bar() as phases, paths[0].open("wb") as train, paths[1].open("wb") as held:
            for index, line in as_they_are(source.path, phases("writing")):
                (held if index in found.held else train).write(line + b"\n")
    values = {value: {"rows": rows, "eval": held_} for value, (rows, held_) in sorted(found.by_value.items())}
    if as_json:
        written = None if found.failed else {"train": str(paths[0]), "eval": str(paths[1])}
        counts = {"rows": found.rows, "rows_train": found.rows - len(found.held), "rows_eval": len(found.held)}
        problems = [d.as_dict() for d in found.diagnostics]
        by_value = [{"value": json.loads(value), **counted} for value, counted in values.items()]
        out_json({"files": written, **counts, "stratify": by_value, "diagnostics": problems})
    elif not found.failed:
        click.echo(f"{paths[0]}: {count(found.rows - len(found.held), 'row')}")
        click.echo(f"{paths[1]}: {count(len(found.held), 'row')} ({len(found.held) / found.rows:.1%})")
        for value, counted in values.items():
            share = counted["eval"] / counted["rows"]
            click.echo(f"  {stratify} {value}: {counted['eval']:,} of {counted['rows']:,} ({share:.1%})")
    raise SystemExit(WRONG if found.failed else 0)
