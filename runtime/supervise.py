"""Looking after one run folder: from pending to its end, or from where another Tuneform left it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..spec.diagnostics import RunError
from . import metrics
from .following import Following
from .local import Options, run_local
from .process import this_process
from .progress import Enduring, Progress, Silent
from .reconcile import standing, trainer_of
from .rundir import RESUMABLE, Busy, RunDir

_TAKING = 10.0  # seconds; `status` and `watch` hold the lock for moments


Begun = Callable[[], None]


def supervise(
    run: RunDir, progress: Progress, options: Options | None = None, begun: Begun = lambda: None
) -> dict[str, Any]:
    """Look after one pending run until it has ended; gives run.json as it stands then.

    The progress may break off (a closed terminal), the run does not. `begun` is called once the run is ours. RunError
    where it is not pending or another Tuneform has it; KeyboardInterrupt only while nothing has been started.
    """
    with _taken(run):
        begun()
        return run_local(run, run.manifest(), Enduring(progress, run.own_log), options)


def supervise_stages(
    run: RunDir, progress: Callable[[], Progress], options: Options | None = None, begun: Begun = lambda: None
) -> tuple[RunDir, dict[str, Any]]:
    """Look after a pending run, and once it has succeeded after the stages that wait for it, in order.

    Gives the last run that was begun, with its run.json. `progress` makes the display of each. `begun` is called once
    the first is ours.
    """
    record = supervise(run, progress(), options, begun)
    while record["state"] == "succeeded" and (following := next_stage(run)):
        run = following
        record = supervise(run, progress(), options)
    return run, record


def next_stage(run: RunDir) -> RunDir | None:
    """The run of the next stage, now pending, if it waits for this one and nobody has asked this one to stop."""
    later = _after(run)
    if later is None or run.record().get("stop"):
        return None
    with _held(later):  # `tuneform cancel` may want it as well
        if later.record()["state"] != "waiting":
            return None
        later.hand_over("the stage before has succeeded")
    return later


def halted_by(run: RunDir) -> dict[str, Any] | None:
    """The stop for which the stages after a run that succeeded have not begun; None if there is none."""
    later, record = _after(run), run.record()
    if later is None or record["state"] != "succeeded":
        return None
    try:
        following = later.record()
    except RunError:  # its folder is damaged or gone
        return None
    if following["state"] == "waiting":
        return record.get("stop")
    return following.get("stop") if following["state"] == "cancelled" and not following["attempts"] else None


def _after(run: RunDir) -> RunDir | None:
    ids = run.record().get("stages") or [run.id]
    later = ids[ids.index(run.id) + 1 :][:1]
    return RunDir(run.path.parent / later[0]) if later else None


def first_unfinished(run: RunDir) -> RunDir:
    """The first stage that has not succeeded, of those that a run belongs to; the run itself if all have."""
    stages = [RunDir(run.path.parent / name) for name in run.record().get("stages") or [run.id]]
    return next((stage for stage in stages if stage.record()["state"] != "succeeded"), run)


def resumable(run: RunDir) -> bool:
    """True where `--resume` would go on, with this run or with another stage."""
    try:
        return standing(first_unfinished(run)).state in RESUMABLE
    except RunError:  # of a stage whose folder is damaged or gone
        return False


@contextmanager
def _taken(run: RunDir) -> Iterator[None]:
    """Be the Tuneform that looks after a pending run."""
    with _held(run):
        state = run.record()["state"]
        if state != "pending":
            raise RunError(f"run {run.id} is {state}: it was taken or ended by another Tuneform", run.id)
        run.update(supervisor=this_process().as_dict())
        yield


@contextmanager
def _held(run: RunDir) -> Iterator[None]:
    try:
        with run.supervise(timeout=_TAKING):
            yield
    except Busy:
        raise RunError(f"run {run.id} goes on under another Tuneform", run.id) from None


def adopt(run: RunDir) -> Following | None:
    """Follow a trainer whose Tuneform is gone; the caller holds `run.supervise()`. None if no trainer runs."""
    trainer = trainer_of(run)
    if trainer is None:
        return None
    record = run.update(supervisor=this_process().as_dict())
    attempt, options = record["attempts"][-1], Options()
    live = metrics.source_of(run.manifest()).follow(attempt.get("resumed_from"))
    collector = metrics.Collector(run.metrics, run.files(attempt["number"]).log, live)
    stop = record.get("stop")
    return Following(
        run,
        trainer,
        None,
        collector,
        Silent(),
        options.poll,
        options.grace,
        reason=stop["reason"] if stop else None,
    )
