"""A wish to stop a run, as a file in its folder: it outlives whoever wrote it and whoever should read it."""

from __future__ import annotations

from dataclasses import dataclass

from .jsonfiles import read_json, write_json
from .rundir import RunDir, now


@dataclass(frozen=True, slots=True)
class Request:
    """Stop with a checkpoint; with `kill` at once, without one."""

    kill: bool


def write(run: RunDir, kill: bool) -> None:
    """Ask for a stop. A second request can only sharpen the first: what is to be killed stays so."""
    earlier = read(run)
    write_json(run.stop_request, {"time": now(), "kill": kill or (earlier is not None and earlier.kill)})


def read(run: RunDir) -> Request | None:
    """What was asked for, if anything was."""
    found = read_json(run.stop_request) if run.stop_request.exists() else None
    return Request(bool(found.get("kill"))) if isinstance(found, dict) else None


def clear(run: RunDir) -> None:
    """Forget what was asked of an earlier attempt; the caller holds `run.supervise()`."""
    run.stop_request.unlink(missing_ok=True)
