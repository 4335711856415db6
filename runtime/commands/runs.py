"""`tuneform runs`: all runs of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..console import guarded, json_option, out_json, runs_option


@click.command("runs")
@runs_option
@json_option
@guarded
def command(runs_dir: Path, as_json: bool) -> None:
    """List runs, newest first."""
    from ..rundir import all_runs

    rows = [_row(run) for run in all_runs(runs_dir)]
    if as_json:
        out_json({"runs": rows})
    elif not rows:
        click.echo(f"no runs in {runs_dir}", err=True)
    else:
        _print_table(rows)


def _row(run: Any) -> dict[str, Any]:
    from ...spec.diagnostics import RunError
    from ..describe import brief
    from ..reconcile import standing

    try:
        return brief(run, standing(run))
    except RunError as error:
        return {"id": run.id, "state": "damaged", "message": error.sentence, "folder": str(run.path)}


def _print_table(rows: list[dict[str, Any]]) -> None:
    lines = [("run", "state", "steps", "loss", "eval loss", "started"), *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    from ..describe import age

    done = row.get("progress") or {}
    steps = f"{done['step']}/{done['total'] or '?'}" if done else ""
    losses = (f"{done[name]:.4g}" if done.get(name) is not None else "" for name in ("loss", "eval_loss"))
    return (row["id"], row["state"], steps, *losses, age(row["created"]) if "created" in row else "")
