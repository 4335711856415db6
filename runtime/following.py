"""Looks on while a trainer works, and passes wishes to stop on to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

from . import metrics, stop_request
from .interrupts import Interrupts
from .process import Trainer
from .progress import Progress
from .rundir import RunDir, now

_ASKED = {
    "interrupt": ("asked to stop", "Ctrl-C again kills it"),
    "cancel": ("asked to stop by `tuneform cancel`", "`tuneform cancel --now` kills it"),
    "budget": ("max_hours are over", "Ctrl-C twice kills it"),
}


def stop_record(reason: str, killed: bool = False) -> dict[str, Any]:
    """What run.json holds under `stop`: who ended the run (interrupt, cancel, budget), and how."""
    return {"reason": reason, "time": now(), "killed": killed}


@dataclass(slots=True)
class Following:
    """Follows one attempt; the caller holds `run.supervise()`.

    `seconds_left` is what is left of `max_hours`, `grace` the seconds that a trainer then has to save.
    """

    run: RunDir
    trainer: Trainer
    shell: Popen[bytes] | None  # where this process started the trainer
    collector: metrics.Collector
    progress: Progress
    poll: float
    grace: float
    seconds_left: float | None = None
    reason: str | None = None  # why the trainer was asked to stop, once it was
    _asked_at: float = 0.0
    _killed: bool = False
    _blind: bool = False  # metrics cannot be kept at the moment

    def until_the_end(self, interrupts: Interrupts) -> None:
        """Poll; the trainer's own exit ends it."""
        began = time.monotonic()
        while True:
            gone = (self.shell is None or self.shell.poll() is not None) and not self.trainer.alive()
            self._look()
            if gone:
                return
            self.obey(interrupts.count, time.monotonic() - began)
            time.sleep(self.poll)

    def obey(self, interrupts: int = 0, elapsed: float = 0.0) -> None:
        """Act on what was asked since the last look: once by a request, once more to kill."""
        request = stop_request.read(self.run)
        over = self.seconds_left is not None and elapsed >= self.seconds_left
        if self._killed:
            return
        if interrupts >= 2 or (request and request.kill):
            self._kill("interrupt" if interrupts >= 2 else "cancel")
        elif self.reason is None and (interrupts or request or over):
            self._ask("interrupt" if interrupts else "cancel" if request else "budget")
        elif self.reason == "budget" and time.monotonic() - self._asked_at >= self.grace:
            self._kill("budget")

    def _look(self) -> None:
        live = self.collector.live
        step, total = live.step, live.total
        try:
            fresh = self.collector.poll()
        except OSError as error:  # no reason to leave a trainer alone; the metrics are collected anew at the end
            if not self._blind:
                self.progress.note(f"metrics cannot be kept at the moment: {error}")
            self._blind = True
            return
        if fresh or (live.step, live.total) != (step, total):
            self.progress.update(live.step, live.total, fresh)

    def _ask(self, reason: str) -> None:
        self.reason, self._asked_at = reason, time.monotonic()
        why, sharper = _ASKED[reason]
        self.trainer.ask()  # before the record: who finds the record need not ask again
        self.run.set_state("stopping", why, stop=stop_record(reason))
        self.progress.note(f"{why}: the trainer saves a checkpoint and ends ({sharper})")

    def _kill(self, reason: str) -> None:
        self._killed = True
        try:
            self.run.set_state("stopping", "killed", stop=stop_record(reason, killed=True))
        finally:  # also on a full disk
            self.trainer.kill()
        self.progress.note("the trainer is killed")
