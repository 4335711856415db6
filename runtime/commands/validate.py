"""`tuneform validate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import REFUSED, WRONG, count, err, guarded, json_option, out_json, print_diagnostics
from .common import no_data_option, options, set_option, spec_argument, strict_option, targets_option, workers_option

if TYPE_CHECKING:
    from ..project import Reading


@click.command(name="validate")
@options(spec_argument, targets_option, set_option, no_data_option, workers_option, strict_option, json_option)
@guarded
def command(
    spec: Path,
    labels: tuple[str, ...],
    sets: tuple[str, ...],
    no_data: bool,
    workers: int,
    strict: bool,
    as_json: bool,
) -> None:
    """Check SPEC and its data, and tell every problem at once."""
    from ..project import open_project
    from ..reading_bar import reading_bar

    with reading_bar() as progress:
        reading: Reading = "none" if no_data else "all"
        project = open_project(spec, labels, sets, reading=reading, emit=False, progress=progress, workers=workers)
    levels = [str(d.level) for d in project.diagnostics]
    errors, warnings = levels.count("error"), levels.count("warning")
    print_diagnostics(project.diagnostics)
    if as_json:
        out_json({"spec": str(spec), "valid": not errors, "diagnostics": [d.as_dict() for d in project.diagnostics]})
    elif errors or warnings:
        err(f"{spec}: {count(errors, 'error')}, {count(warnings, 'warning')}")
    else:
        labels_ = ", ".join(target.key for target in project.targets)
        click.echo(f"{spec}: valid for {labels_}")
    raise SystemExit(WRONG if errors else REFUSED if strict and warnings else 0)
