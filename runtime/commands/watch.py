"""`tuneform watch`: live progress of a run that was started elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import INTERRUPTED, err, guarded, json_option, out_json, runs_option
from .ending import end
from .status import existing

if TYPE_CHECKING:
    from ..rundir import RunDir


@click.command("watch")
@click.argument("run_id", metavar="ID|last", default="last")
@runs_option
@json_option
@guarded
def command(run_id: str, runs_dir: Path, as_json: bool) -> None:
    """Show the progress of one run until it ends, and end as `tuneform run` would have.

    Ctrl-C ends the watching; the run goes on.
    """
    from ..progress import on
    from ..reconcile import standing
    from ..watch import Watch

    run = existing(runs_dir, run_id)
    found = standing(run)
    record = found.record
    if found.active:
        err(f"run {run.id}")
        try:
            record = Watch(run, on(sys.stderr)).until_the_end()
        except KeyboardInterrupt:
            _leave(run, as_json)
    end(run, record, as_json)


def _leave(run: RunDir, as_json: bool) -> None:
    from .. import describe
    from ..reconcile import standing

    found = standing(run)
    if found.active:
        err(f"no longer watched; the run goes on (`{describe.how_to('cancel', run)}` stops it)")
    if as_json:
        out_json(describe.full(run, found))
    sys.exit(INTERRUPTED)
