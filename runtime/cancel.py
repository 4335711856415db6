"""Stopping a run, whoever follows it: through its Tuneform, or by hand where that one is gone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from . import stop_request
from .interrupts import Interrupts
from .local import cancel_unstarted
from .reconcile import Standing, settle, standing
from .rundir import ACTIVE, Busy, RunDir
from .supervise import adopt
from .verdict import conclude

_POLL = 0.2  # seconds between two looks at a run that another Tuneform stops
_TAKING = 2.0  # seconds; who makes a waiting run pending, holds the lock for moments
_PATIENCE = 10.0  # seconds in which that one should have taken notice


def ask(run: RunDir, kill: bool = False) -> Standing:
    """Ask a run to stop, if it goes on, or cancel it, if it waits for its turn; gives how it stood before."""
    found = standing(run)
    if found.state == "waiting":
        if _cancel_waiting(run):
            return found
        found = standing(run)
    if found.active:
        stop_request.write(run, kill)
        _pass_on(run)
    return found


def wait(run: RunDir, say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Wait until a run that was asked to stop has ended; gives run.json.

    Should its Tuneform die meanwhile, this one takes its place. KeyboardInterrupt ends the waiting only.
    """
    patience = time.monotonic() + _PATIENCE
    while True:
        try:
            with run.supervise():
                record = settle(run)
                following = adopt(run) if record["state"] in ACTIVE else None
                if following is not None:
                    following.until_the_end(Interrupts())
                    return conclude(run)
        except Busy:
            record = run.record()
        if record["state"] not in ACTIVE:
            return record
        if time.monotonic() > patience and record["state"] != "stopping":
            patience = math.inf
            pid = (record.get("supervisor") or {}).get("pid")
            say(f"its Tuneform does not react; is it suspended (Ctrl-Z)? `kill -CONT {pid}` wakes it")
        time.sleep(_POLL)


def _cancel_waiting(run: RunDir) -> bool:
    """Cancel a stage before its turn; False if that has come."""
    try:
        with run.supervise(timeout=_TAKING):
            waits: bool = run.record()["state"] == "waiting"
            if waits:
                cancel_unstarted(run, "cancel")
            return waits
    except Busy:
        return False


def _pass_on(run: RunDir) -> None:
    """Bring the request to a trainer that nobody follows; a Tuneform that follows it reads the request itself."""
    try:
        with run.supervise():
            following = adopt(run) if settle(run)["state"] in ACTIVE else None
            if following is not None:
                following.obey()
    except Busy:
        return
