"""`tuneform doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import WRONG, guarded, json_option, out_json, print_diagnostics
from .common import options, set_option, targets_option

if TYPE_CHECKING:
    from ..doctor import Finding

_MARKS = {"ok": "ok", "missing": "!!", "note": "--"}


@click.command(name="doctor")
@click.argument("spec", required=False, type=click.Path(path_type=Path, dir_okay=False))
@options(targets_option, set_option, json_option)
@guarded
def command(spec: Path | None, labels: tuple[str, ...], sets: tuple[str, ...], as_json: bool) -> None:
    """Tell what this machine has for training, and whether the targets of SPEC can run here.

    Nothing is installed and no network is used. Exit code 1 where something that a target needs is missing.
    """
    from ..doctor import general, look_around, of_target, trainers
    from ..project import open_project

    if spec is None and (labels or sets):
        raise click.UsageError("-t and --set belong to a SPEC")
    project = open_project(spec, labels, sets, reading="none").require() if spec else None
    if project:
        print_diagnostics([d for d in project.diagnostics if str(d.level) == "warning"])
    machine = look_around()
    groups = {"": general(machine), "trainers": trainers()}
    for target in project.targets if project else ():
        groups[f"{spec}: {target.key}"] = of_target(target, machine)
    if as_json:
        out_json({name or "general": [f.as_dict() for f in found] for name, found in groups.items()})
    else:
        for name, found in groups.items():
            _print(name, found)
    raise SystemExit(WRONG if any(f.state == "missing" for found in groups.values() for f in found) else 0)


def _print(name: str, found: list[Finding]) -> None:
    if name:
        click.echo(f"\n{name}")
    width = max((len(finding.what) for finding in found), default=0)
    for finding in found:
        click.echo(f"  {_MARKS[finding.state]}  {finding.what:<{width}}  {finding.found}")
        if finding.fix:
            click.echo(f"      {'':<{width}}  {finding.fix}")
