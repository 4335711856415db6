"""What became of an attempt, from what it left: exit code, trainer state, log, and whether it was asked to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import failures, metrics
from .checkpoints import STATE, State, last_step, newest_state, read_state
from .process import exit_code
from .records import Metric
from .rundir import RunDir, now

_TERMINATED, _KILLED = 143, 137
_GONE = "the trainer is gone and left no exit code"
_TO_COME = "what it does after that, such as an upload, may be missing, and resuming does it"
_LOG_END = 128 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """A final state and the sentence that explains it."""

    state: str
    sentence: str


def conclude(run: RunDir) -> dict[str, Any]:
    """Settle the last attempt of a run whose processes are gone: metrics made exact, state final. Gives run.json."""
    manifest, record = run.manifest(), run.record()
    attempts = record["attempts"]
    number = attempts[-1]["number"]
    files = run.files(number)
    output = run.bundle / manifest["run"]["metrics"]["output"]
    code = exit_code(files)
    final = read_state(output / STATE)
    verdict = judge(code, record.get("stop"), final, last_step(output), log_end(files.log))
    found = metrics.rebuild(run.metrics, metrics.source_of(manifest), run.bundle, run.attempts())
    attempts[-1] |= {"exit_code": code, "ended": attempts[-1].get("ended") or ended_at(run, number)}
    return run.set_state(
        verdict.state,
        verdict.sentence,
        attempts=attempts,
        exit_code=code,
        progress=progress(found, newest_state(output)),
    )


def judge(
    code: int | None, stop: Mapping[str, Any] | None, final: State | None, checkpoint: int | None, log: bytes
) -> Verdict:
    """Decide. `stop` is what run.json holds once Tuneform has asked the trainer to stop."""
    if stop and stop.get("killed") and code in (None, _KILLED, _TERMINATED):
        state = "stopped" if stop["reason"] == "budget" else "cancelled"
        return Verdict(state, f"killed before it had stopped by itself; {_resumes_at(checkpoint)}")
    if code == 0:
        return _ended_well(stop, final)
    if code is None and final is not None:
        ended = _ended_well(stop, final)
        return ended if ended.state != "succeeded" else Verdict("lost", f"{_GONE} once it was trained; {_TO_COME}")
    if stop and code == _TERMINATED:
        return Verdict("stopped", f"stopped before it could save; {_resumes_at(checkpoint)}")
    if code is None:
        why = "its processes were killed together, or the machine restarted"
        return Verdict("lost", f"{_GONE}: {why}; {_resumes_at(checkpoint)}")
    return Verdict("failed", failures.sentence(code, log))


def progress(found: list[Metric], state: State | None) -> dict[str, Any]:
    """A summary for lists: how far it came and the last losses."""
    losses = {m.split: m.value for m in found if m.name == "loss"}
    steps = [m.step for m in found if m.step is not None]
    return {
        "step": max(steps + ([state.step] if state else []), default=0),
        "total": state.total if state else None,
        "loss": losses.get("train"),
        "eval_loss": losses.get("eval"),
    }


def log_end(path: Path) -> bytes:
    """The end of a log, enough for a message and its traceback."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _LOG_END))
            return log.read()
    except OSError:
        return b""


def ended_at(run: RunDir, attempt: int) -> str:
    """When an attempt ended, as far as its files tell."""
    files = run.files(attempt)
    for path in (files.exit, files.log):
        try:
            return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
        except OSError:
            continue
    return now()


def _ended_well(stop: Mapping[str, Any] | None, final: State | None) -> Verdict:
    if final is None:
        return Verdict("stopped", "stopped as asked") if stop else Verdict("succeeded", "done")
    if final.finished:
        return Verdict("succeeded", f"done: {final.step} steps")
    where = f"at step {final.step} of {final.total}"
    if stop:
        asked = "max_hours were over" if stop["reason"] == "budget" else "as asked"
        return Verdict("stopped", f"stopped {where}, {asked}")
    if final.stopped_early:
        return Verdict("succeeded", f"done: early stopping {where}")
    return Verdict("stopped", f"ended by itself {where}: asked from outside to stop, or by a callback of its own")


def _resumes_at(checkpoint: int | None) -> str:
    return f"the last checkpoint is of step {checkpoint}" if checkpoint is not None else "there is no checkpoint yet"
