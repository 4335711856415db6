"""metrics.jsonl: filled while a run goes on, rebuilt from the run's files whenever it matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ..spec.diagnostics import RunError
from .hf_trainer import Attempt, HFTrainer
from .jsonfiles import append_lines, read_lines, write_lines
from .records import Key, Metric


class LiveLog(Protocol):
    """Reads one attempt's log as it grows."""

    step: int

    @property
    def total(self) -> int | None: ...

    def feed(self, piece: bytes) -> list[Metric]: ...


class Source(Protocol):
    """How the metrics of one kind of trainer are read."""

    def follow(self, resumed_from: int | None) -> LiveLog: ...

    def collect(self, bundle: Path, attempts: Sequence[Attempt]) -> list[Metric]: ...


SOURCES: dict[str, Callable[[Mapping[str, Any], int | None], Source]] = {"hf_trainer": HFTrainer}


def source_of(manifest: Mapping[str, Any]) -> Source:
    """The source that a bundle's manifest names."""
    run = manifest["run"]
    name = run["metrics"]["source"]
    if name not in SOURCES:
        raise RunError(f"this version of Tuneform cannot read metrics of the kind `{name}`")
    return SOURCES[name](run["metrics"], run.get("total_steps"))


def read(path: Path) -> list[Metric]:
    """The metrics in a file, also while it grows or after a crash."""
    found = []
    for row in read_lines(path):
        try:
            found.append(Metric.from_dict(row))
        except KeyError:
            continue
    return found


def rebuild(path: Path, source: Source, bundle: Path, attempts: Sequence[Attempt]) -> list[Metric]:
    """Write the file anew from logs and state files. Only the times come from the old file.

    Where every log is gone, the file is all that is left, and stays as it is.
    """
    old = read(path)
    if not any(attempt.log.exists() for attempt in attempts):
        return old
    times = {metric.key: metric.time for metric in old}
    found = [replace(m, time=times.get(m.key)) for m in source.collect(bundle, attempts)]
    if found != old or not path.exists():
        write_lines(path, (metric.as_dict() for metric in found))
    return found


class Collector:
    """Follows a growing log and appends what it says to metrics.jsonl."""

    def __init__(self, path: Path, log: Path, live: LiveLog) -> None:
        self._path, self._log, self.live = path, log, live
        self._offset = 0
        self._seen: set[Key] = {metric.key for metric in read(path)}

    def poll(self) -> list[Metric]:
        """Read what is new; cheap when nothing is."""
        found: list[Metric] = []
        try:
            if self._log.stat().st_size == self._offset:
                return []
            with self._log.open("rb") as log:
                log.seek(self._offset)
                while piece := log.read(1 << 20):
                    self._offset += len(piece)
                    found += self.live.feed(piece)
        except FileNotFoundError:
            return []
        return self._keep(found)

    def _keep(self, found: Sequence[Metric]) -> list[Metric]:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        fresh: list[Metric] = []
        for metric in found:
            if metric.key not in self._seen:
                self._seen.add(metric.key)
                fresh.append(replace(metric, time=now))
        append_lines(self._path, (metric.as_dict() for metric in fresh))
        return fresh
