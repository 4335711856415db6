"""Looking on from outside: what a run folder shows while somebody else, or nobody, follows the run."""

from __future__ import annotations

import time
from typing import Any

from . import metrics
from .progress import Progress
from .reconcile import refresh, trainer_of
from .rundir import ACTIVE, RunDir

_POLL = 0.5  # seconds between two looks at the files
_REFRESH = 2.0  # seconds between two looks at whether somebody follows the run


class Watch:
    """Shows one run as its folder grows. It changes nothing that `status` would not change."""

    def __init__(self, run: RunDir, progress: Progress) -> None:
        self._run, self._progress = run, progress
        self._metrics = metrics.MetricsTail(run.metrics)
        self._source, self._total = metrics.source_of(run.manifest()), run.manifest()["run"].get("total_steps")
        self._log: metrics.LogTail | None = None
        self._attempt = 0
        self._events, self._said, self._alone = len(run.history()), "", False
        self._shown: tuple[int, int | None] = (0, None)

    def until_the_end(self) -> dict[str, Any]:
        """Look on until the run has ended; gives run.json. KeyboardInterrupt ends the watching only."""
        refreshed = 0.0
        try:
            while True:
                if time.monotonic() - refreshed >= _REFRESH:
                    self._mention_if_alone(refresh(self._run) is not None)
                    refreshed = time.monotonic()
                events = self._run.history()  # first: run.json is then at least as new
                record = self._run.record()
                self._say(events, record)
                self._show(record)
                if record["state"] not in ACTIVE:
                    return record
                time.sleep(_POLL)
        finally:
            self._progress.close()

    def _show(self, record: dict[str, Any]) -> None:
        fresh, live = self._metrics.poll(), self._live(record)
        step = max([m.step for m in fresh if m.step is not None] + [live.step if live else 0, self._shown[0]])
        total = self._total or (live.total if live else None)
        if fresh or (step, total) != self._shown:
            self._shown = (step, total)
            self._progress.update(step, total, fresh)

    def _live(self, record: dict[str, Any]) -> metrics.LiveLog | None:
        """How far the trainer is by its own log: metrics come only every few steps."""
        if record["state"] in ("running", "stopping") and record["attempts"]:
            attempt = record["attempts"][-1]
            if attempt["number"] != self._attempt:
                self._attempt = attempt["number"]
                follower = self._source.follow(attempt.get("resumed_from"))
                self._log = metrics.LogTail(self._run.files(self._attempt).log, follower)
        if self._log is None:
            return None
        self._log.poll()
        return self._log.live

    def _say(self, events: list[dict[str, Any]], record: dict[str, Any]) -> None:
        for event in [*events[self._events :], record]:
            said = f"{event['state']}: {event['message']}"
            if event["state"] in ACTIVE and said != self._said:
                self._said = said
                self._progress.note(said)
        self._events = len(events)

    def _mention_if_alone(self, alone: bool) -> None:
        trainer = trainer_of(self._run) if alone and not self._alone else None
        if trainer is not None:
            self._alone = True
            self._progress.note(f"no Tuneform follows this run; its trainer goes on (process {trainer.leader.pid})")
