"""A run in short: for people, and as the JSON document of `run`, `runs` and `status`."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import metrics
from .local import hours_used
from .progress import duration
from .reconcile import Standing, trainer_of
from .records import Metric
from .rundir import RunDir


def brief(run: RunDir, standing: Standing) -> dict[str, Any]:
    """One run as an entry of a list."""
    record = standing.record
    return {
        "id": run.id,
        "name": record["name"],
        "label": record["label"],
        "target": record["target"]["name"],
        "state": standing.state,
        "message": record["message"],
        "created": record["created"],
        "progress": record.get("progress"),
        "supervised": standing.supervised,
        "folder": str(run.path),
    }


def full(run: RunDir, standing: Standing) -> dict[str, Any]:
    """Everything worth knowing about one run."""
    record, manifest = standing.record, run.manifest()
    attempts = record["attempts"]
    trainer = trainer_of(run) if standing.active else None
    output = run.bundle / manifest["run"]["metrics"]["output"]
    return brief(run, standing) | {
        "spec": record["spec"],
        "spec_digest": record["spec_digest"],
        "attempts": len(attempts),
        "seconds": round(hours_used(run) * 3600, 1),
        "pid": trainer.process.pid if trainer and trainer.process else None,
        "supervisor": (record.get("supervisor") or {}).get("pid") if standing.supervised else None,
        "exit_code": record["exit_code"],
        "losses": _losses(metrics.read(run.metrics)),
        "output": str(output) if output.is_dir() else None,
        "metrics": str(run.metrics),
        "log": str(run.files(len(attempts)).log) if attempts else None,
        "log_tail": record.get("log_tail") or None,
    }


def as_text(described: dict[str, Any]) -> str:
    """The result of a run, for people."""
    rows = [("state", _state(described)), ("target", f"{described['label']} ({described['target']})")]
    rows += [("steps", _steps(described))] if described["progress"] else []
    for split, label in (("train", "loss"), ("eval", "eval loss")):
        if losses := described["losses"].get(split):
            rows.append((label, f"{losses['first']:.4g} -> {losses['last']:.4g}"))
    rows += [(name, described[name]) for name in ("output", "metrics", "log") if described[name]]
    return "\n".join([described["id"], *(f"  {name:<10} {value}" for name, value in rows)])


def how_to_resume(run: RunDir) -> str:
    """The command that goes on with a run."""
    return how_to("run --resume", run)


def how_to(what: str, run: RunDir) -> str:
    """The command that does something with a run, from the current folder."""
    runs = run.path.parent
    usual = Path(os.environ.get("TUNEFORM_RUNS") or "runs")
    elsewhere = "" if runs.absolute() == usual.absolute() else f" --runs-dir {shlex.quote(str(runs))}"
    return f"tuneform {what} {run.id}{elsewhere}"


def age(created: str) -> str:
    """How long ago."""
    return f"{duration((datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds())} ago"


def _state(described: dict[str, Any]) -> str:
    state, message = described["state"], described["message"]
    if described["pid"] and not described["supervised"]:
        return f"{state}, followed by nobody (process {described['pid']})"
    return f"{state}: {message}"


def _steps(described: dict[str, Any]) -> str:
    progress = described["progress"]
    total = f" of {progress['total']}" if progress["total"] else ""
    return f"{progress['step']}{total} in {duration(described['seconds'])}"


def _losses(found: list[Metric]) -> dict[str, dict[str, float]]:
    """First and last loss of each split; NaN is no loss to compare with."""
    losses: dict[str, dict[str, float]] = {}
    for metric in found:
        if metric.name == "loss" and metric.split and metric.value is not None:
            losses.setdefault(metric.split, {"first": metric.value})["last"] = metric.value
    return losses
