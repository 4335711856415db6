"""`tuneform check`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import WRONG, err, guarded, json_option, out_json, print_diagnostics
from .common import options, set_option, spec_argument, targets_option
from .compile import out_option

if TYPE_CHECKING:
    from ..bundles import Drift


@click.command(name="check")
@options(spec_argument, targets_option, out_option, set_option, json_option)
@guarded
def command(spec: Path, labels: tuple[str, ...], out: Path | None, sets: tuple[str, ...], as_json: bool) -> None:
    """Compare the written bundles of SPEC with what it gives now. Exit code 1 and a diff where they differ.

    Rows are compared where their files are there. A newer Tuneform alone is no difference.
    """
    from .. import bundles
    from ..project import open_project
    from ..reading_bar import reading_bar

    with reading_bar() as progress:
        project = open_project(
            spec, labels, sets, reading="present", folder_root=out, facts=bundles.recorded_facts, progress=progress
        )
    project.require()
    print_diagnostics(project.diagnostics)
    found = [bundles.compare(project, target) for target in project.targets]
    drifted = [drift for drift in found if drift.drifted]
    if as_json:
        keys = ("label", "folder", "causes", "diff", "notes")
        out_json({"spec": str(spec), "drifted": bool(drifted), "bundles": [_as_dict(d, keys) for d in found]})
    else:
        again = [*(("-o", str(out)) if out else ()), *(word for text in sets for word in ("--set", text))]
        for drift in found:
            _print(drift, ["tuneform", "compile", str(spec), "-t", drift.label, *again])
    raise SystemExit(WRONG if drifted else 0)


def _as_dict(drift: Drift, keys: tuple[str, ...]) -> dict[str, object]:
    values = {key: getattr(drift, key) for key in keys}
    return {k: str(v) if isinstance(v, Path) else list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _print(drift: Drift, compile_again: Sequence[str]) -> None:
    for note in drift.notes:
        err(f"{drift.folder}: note: {note}")
    if not drift.drifted:
        click.echo(f"{drift.folder}: up to date")
        return
    for cause in drift.causes:
        click.echo(f"{drift.folder}: {cause}")
    click.echo(drift.diff, nl=False)
    click.echo(f"write it anew with: {shlex.join(compile_again)}")
