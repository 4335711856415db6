"""The truth about a run whose Tuneform may be gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import metrics, process, stop_request
from .checkpoints import newest_state
from .local import cancel_unstarted
from .process import Ident, Trainer
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

    @property
    def ended(self) -> bool:
        """Whether nothing comes of it unless it is resumed; a stage that waits has its turn to come."""
        return not self.active and self.state != "waiting"


def standing(run: RunDir) -> Standing:
    """How a run stands. One that nobody follows is brought up to date from its processes and files."""
    record = run.record()
    if record["state"] not in ACTIVE:
        return Standing(record, supervised=False)
    settled = refresh(run)
    if settled is not None:
        return Standing(settled, supervised=False)
    return Standing(run.record() | {"progress": _measured(run)}, supervised=True)


def refresh(run: RunDir) -> dict[str, Any] | None:
    """Bring a run that nobody follows up to date, and give run.json; None while a Tuneform follows it."""
    try:
        with run.supervise():
            return settle(run)
    except Busy:
        return None


def settle(run: RunDir) -> dict[str, Any]:
    """Bring run.json up to date; the caller holds `run.supervise()`."""
    record = run.record()
    if record["state"] not in ACTIVE:
        return record
    if record["state"] == "pending" and _about_to_be_taken(record):
        return record
    if not record["attempts"]:
        if stop_request.read(run) is not None:
            return cancel_unstarted(run, "cancel")
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


def _about_to_be_taken(record: Mapping[str, Any]) -> bool:
    """Between the making of a run and the lock on it, the process that wants it is all that there is."""
    heir = Ident.from_dict(record.get("supervisor"))
    return heir is not None and heir.alive()


def _measured(run: RunDir) -> dict[str, Any]:
    """Progress of a run that goes on."""
    manifest = run.manifest()
    output = run.bundle / manifest["run"]["metrics"]["output"]
    summary = progress(metrics.read(run.metrics), newest_state(output))
    return summary | {"total": manifest["run"].get("total_steps") or summary["total"]}
