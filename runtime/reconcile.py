"""The truth about a run whose Tuneform may be gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import metrics, process
from .checkpoints import newest_state
from .process import Trainer
from .rundir import ACTIVE, Busy, RunDir
from .verdict import conclude, progress


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands now. `supervised` is True while a Tuneform follows it."""

    record: dict[str, Any]
    supervised: bool

    @property
    def state(self) -> str:
        return str(self.record["state"])

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


def standing(run: RunDir) -> Standing:
    """How a run stands. One that nobody follows is brought up to date from its processes and files."""
    record = run.record()
    if record["state"] not in ACTIVE:
        return Standing(record, supervised=False)
    try:
        with run.supervise():
            return Standing(settle(run), supervised=False)
    except Busy:
        return Standing(run.record() | {"progress": _measured(run)}, supervised=True)


def settle(run: RunDir) -> dict[str, Any]:
    """Bring run.json up to date; the caller holds `run.supervise()`."""
    record = run.record()
    if record["state"] not in ACTIVE:
        return record
    if not record["attempts"]:
        return run.set_state("lost", "Tuneform ended before the training had begun")
    if trainer_of(run) is None:
        return conclude(run)
    metrics.rebuild(run.metrics, metrics.source_of(run.manifest()), run.bundle, run.attempts())
    return record | {"progress": _measured(run)}


def trainer_of(run: RunDir) -> Trainer | None:
    """The live trainer of a run's last attempt, if there is one."""
    attempts = run.record().get("attempts", [])
    if not attempts:
        return None
    noted = Trainer.from_dict(attempts[-1])
    found = noted if noted is not None else process.find(run.files(attempts[-1]["number"]))
    return found if found is not None and found.alive() else None


def _measured(run: RunDir) -> dict[str, Any]:
    """Progress of a run that goes on."""
    manifest = run.manifest()
    output = run.bundle / manifest["run"]["metrics"]["output"]
    summary = progress(metrics.read(run.metrics), newest_state(output))
    return summary | {"total": manifest["run"].get("total_steps") or summary["total"]}
