"""`tuneform compile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...spec.diagnostics import Level
from ..console import Refused, guarded, json_option, out_json, print_diagnostics
from .common import no_data_option, options, set_option, spec_argument, strict_option, targets_option, workers_option

if TYPE_CHECKING:
    from ..project import Reading

out_option = click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the bundles, each in <name>/<label>.  [default: compiled, beside the spec]",
)


@click.command(name="compile")
@options(
    spec_argument, targets_option, out_option, set_option, no_data_option, workers_option, strict_option, json_option
)
@guarded
def command(
    spec: Path,
    labels: tuple[str, ...],
    out: Path | None,
    sets: tuple[str, ...],
    no_data: bool,
    workers: int,
    strict: bool,
    as_json: bool,
) -> None:
    """Write a bundle for every target of SPEC: all of them, or none where there is an error."""
    from .. import bundles
    from ..project import open_project
    from ..reading_bar import reading_bar

    root = out or spec.parent / "compiled"
    reading: Reading = "peek" if no_data else "all"
    with reading_bar() as progress:
        project = open_project(
            spec, labels, sets, reading=reading, folder_root=root, progress=progress, workers=workers
        )
    project.require()
    print_diagnostics(project.diagnostics)
    warnings = sum(d.level is Level.WARNING for d in project.diagnostics)
    if strict and warnings:
        raise Refused(f"{warnings} {'warning' if warnings == 1 else 'warnings'}, and --strict")
    bundles.write(project, project.targets)
    if as_json:
        out_json(
            {
                "spec": str(spec),
                "bundles": {target.key: str(target.folder) for target in project.targets},
                "diagnostics": [d.as_dict() for d in project.diagnostics],
            }
        )
        return
    for target in project.targets:
        click.echo(target.folder)
