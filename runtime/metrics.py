"""metrics.jsonl: filled while a run goes on, rebuilt from the run's files whenever it matters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ..spec.diagnostics import RunError
from .hf_trainer import Attempt, HFTrainer
from .jsonfiles import append_lines, parse_lines, read_lines, write_lines
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
    return _metrics(read_lines(path))


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


class LogTail:
    """Reads a growing log on; `live` knows how far the training is."""

    def __init__(self, log: Path, live: LiveLog) -> None:
        self._log, self.live = log, live
        self._offset = 0

    def poll(self) -> list[Metric]:
        """The metrics in what is new; cheap when nothing is."""
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
        return found


class Collector:
    """Follows a growing log and appends what it says to metrics.jsonl."""

    def __init__(self, path: Path, log: Path, live: LiveLog) -> None:
        self._path, self._tail, self.live = path, LogTail(log, live), live
        self._seen: set[Key] = {metric.key for metric in read(path)}

    def poll(self) -> list[Metric]:
        """Read what is new; cheap when nothing is."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        fresh: list[Metric] = []
        for metric in self._tail.poll():
            if metric.key not in self._seen:
                self._seen.add(metric.key)
                fresh.append(replace(metric, time=now))
        append_lines(self._path, (metric.as_dict() for metric in fresh))
        return fresh


class MetricsTail:
    """Reads metrics.jsonl on as another process fills it or, resuming and at the end, writes it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file, self._offset = 0, 0  # which file it was, and how far it was read
        self._seen: set[Key] = set()

    def poll(self) -> list[Metric]:
        """The metrics that were not there at the last look."""
        try:
            with self._path.open("rb") as lines:
                status = os.fstat(lines.fileno())
                anew = status.st_ino != self._file or status.st_size < self._offset
                self._file, self._offset = status.st_ino, 0 if anew else self._offset
                lines.seek(self._offset)
                whole, end, _ = lines.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._offset += len(whole) + len(end)
        found = _metrics(parse_lines(whole))
        fresh = [metric for metric in found if metric.key not in self._seen]
        self._seen = {metric.key for metric in found} | (set() if anew else self._seen)
        return fresh


def _metrics(rows: Iterable[Mapping[str, Any]]) -> list[Metric]:
    found = []
    for row in rows:
        try:
            found.append(Metric.from_dict(row))
        except KeyError:
            continue
    return found
