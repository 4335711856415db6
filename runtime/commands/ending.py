"""How a command that follows a run ends: the result on stdout, why it failed on stderr, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..console import FAILED, INTERRUPTED, REFUSED, err, indented, out_json

if TYPE_CHECKING:
    from ..rundir import RunDir

_ASKED = {"interrupt": "interrupted", "cancel": "`tuneform cancel` asked for it", "budget": "max_hours are over"}


def end(run: RunDir, record: dict[str, Any], as_json: bool) -> NoReturn:
    """Show what became of a run, and exit with the code for it."""
    from .. import describe
    from ..reconcile import Standing
    from ..supervise import halted_by

    described = describe.full(run, Standing(record, supervised=False))
    halt = halted_by(run)
    if record["state"] != "succeeded":
        _explain(run, described)
    elif halt:
        err(f"stopped after this stage: {_ASKED[halt['reason']]}")
        err(f"resume: {describe.how_to_resume(run)}")
    if as_json:
        out_json(described)
    else:
        click.echo(describe.as_text(described))
    sys.exit(_exit_code(record, halt))


def _exit_code(record: Mapping[str, Any], halt: Mapping[str, Any] | None) -> int:
    if record["state"] == "succeeded" and not halt:
        return 0
    stop = halt or record.get("stop")
    if stop and record["state"] in ("succeeded", "stopped", "cancelled"):
        return REFUSED if stop["reason"] == "budget" else INTERRUPTED
    return FAILED


def _explain(run: RunDir, described: Mapping[str, Any]) -> None:
    from .. import describe
    from ..failures import tail
    from ..verdict import log_end

    if described["state"] in ("failed", "lost"):
        began = described["state"] == "lost" or described["exit_code"] is not None  # else the log is an earlier one
        log = tail(log_end(Path(described["log"]))) if described["log"] and began else ""
        err(indented(described["log_tail"] or log))
    err(f"{described['state']}: {described['message']}")
    err(f"resume: {describe.how_to_resume(run)}")
