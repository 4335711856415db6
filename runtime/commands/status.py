"""`tuneform status`: one run, as it stands now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import guarded, indented, json_option, out_json, runs_option

if TYPE_CHECKING:
    from ..rundir import RunDir


@click.command("status")
@click.argument("run_id", metavar="ID|last", default="last")
@runs_option
@json_option
@guarded
def command(run_id: str, runs_dir: Path, as_json: bool) -> None:
    """Show one run: its state, its progress, and where its files are.

    A run whose Tuneform is gone is brought up to date from what it left.
    """
    from .. import describe
    from ..reconcile import standing
    from ..supervise import resumable

    run = existing(runs_dir, run_id)
    found = standing(run)
    described = describe.full(run, found)
    if as_json:
        out_json(described)
        return
    click.echo(describe.as_text(described))
    if described["log_tail"]:
        click.echo(indented(described["log_tail"]))
    if found.active:
        click.echo(f"  watch      {describe.how_to('watch', run)}")
        click.echo(f"  cancel     {describe.how_to('cancel', run)}")
    if resumable(run):
        click.echo(f"  resume     {describe.how_to_resume(run)}")


def existing(runs_dir: Path, run_id: str) -> RunDir:
    """The run that a user named; a usage error if there is none, or more than one."""
    from ..rundir import matching

    found = matching(runs_dir, run_id)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(run.id for run in found[:5]) + (" and more" if len(found) > 5 else "")
        raise click.UsageError(f"`{run_id}` is the beginning of {len(found)} runs: {ids}")
    what = "there are no runs" if run_id == "last" else f"there is no run `{run_id}`"
    raise click.UsageError(f"{what} in {runs_dir} (`tuneform runs` lists them)")
