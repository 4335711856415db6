"""`tuneform cancel`: stop runs, with a checkpoint to go on from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..console import INTERRUPTED, err, guarded, json_option, out_json, runs_option
from .status import existing

if TYPE_CHECKING:
    from ..rundir import RunDir


@click.command("cancel")
@click.argument("run_ids", metavar="ID|last...", nargs=-1, required=True)
@click.option("--now", is_flag=True, help="Kill the trainer: what it did since its last checkpoint is lost.")
@click.option("--no-wait", is_flag=True, help="Ask, and do not wait until the run has stopped.")
@runs_option
@json_option
@guarded
def command(run_ids: tuple[str, ...], now: bool, no_wait: bool, runs_dir: Path, as_json: bool) -> None:
    """Ask runs to save a checkpoint and stop, and wait until they have.

    The exit code is 0 once none of them goes on, also where one had ended before. Ctrl-C ends the waiting; what was
    asked for stands.
    """
    from ..cancel import ask, wait

    runs = list(dict.fromkeys(existing(runs_dir, run_id) for run_id in run_ids))
    before = {run: ask(run, now) for run in runs}
    interrupted = False
    try:
        for run, found in before.items():
            if found.active and not no_wait:
                err(f"run {run.id} was asked to stop" + ("" if now else " (--now kills it)"))
                wait(run, err)
    except KeyboardInterrupt:
        err("no longer waiting; the request stands (`tuneform status` tells)")
        interrupted = True
    rows = [_row(run, not before[run].ended) for run in runs]
    if as_json:
        out_json({"runs": rows})
    else:
        for row in rows:
            click.echo(_text(row))
    sys.exit(INTERRUPTED if interrupted else 0)


def _row(run: RunDir, was_active: bool) -> dict[str, Any]:
    from .. import describe
    from ..reconcile import standing
    from ..supervise import resumable

    found = standing(run)
    resume = describe.how_to_resume(run) if resumable(run) else None
    return describe.brief(run, found) | {"was_active": was_active, "resume": resume}


def _text(row: dict[str, Any]) -> str:
    had_ended = "" if row["was_active"] else " (it had ended before)"
    lines = [row["id"], f"  {'state':<10} {row['state']}: {row['message']}{had_ended}"]
    return "\n".join([*lines, f"  {'resume':<10} {row['resume']}"] if row["resume"] else lines)
