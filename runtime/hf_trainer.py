"""Metrics of a Hugging Face trainer: its log says them early, its trainer_state.json says them exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checkpoints import State, newest_state, read_state
from .records import Key, Metric, Split, number
from .trainer_log import Bar, Logged, LogReader

LOG, STATE = "hf_trainer.log", "hf_trainer.state"  # `source`: four digits as printed, or exact

# The prefix of a key goes into `split`. What is not named here keeps its name.
_NAMES = {"mean_token_accuracy": "token_accuracy", "num_tokens": "tokens", "train_loss": "mean_loss"}
_PREFIXES: tuple[tuple[str, Split], ...] = (("eval_", "eval"), ("train_", "train"))
_NOT_METRICS = ("epoch", "step")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One start of the trainer: its log, the step it went on from, and the state it left if a later one moved it."""

    log: Path
    resumed_from: int | None
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the trainer logs and evaluates, from the manifest."""

    output: str
    logging_steps: int
    logging_first_step: bool
    eval_steps: int | None
    eval_on_start: bool

    @staticmethod
    def of(config: Mapping[str, Any]) -> Schedule:
        """Read the manifest's `metrics` section."""
        return Schedule(*(config[name] for name in Schedule.__slots__))


class Follower:
    """Reads one attempt's log as it grows."""

    def __init__(self, schedule: Schedule, resumed_from: int | None, total: int | None) -> None:
        self._schedule, self._start = schedule, resumed_from or 0
        self._reader = LogReader(total)
        self._trained, self._evaluated = self._start, self._start
        self._started_evaluation = False
        self.step = self._start

    @property
    def total(self) -> int | None:
        """How many steps there will be, once known."""
        return self._reader.total

    def feed(self, piece: bytes) -> list[Metric]:
        """Read on; gives the metrics that have become complete."""
        found = [metric for item in self._reader.feed(piece) for metric in self._take(item)]
        self._move(self._reader.peek())
        return found

    def close(self) -> list[Metric]:
        """Read the last line, if it has no end."""
        return [metric for item in self._reader.close() for metric in self._take(item)]

    def _take(self, item: Logged | Bar) -> Iterator[Metric]:
        if isinstance(item, Bar):
            self._move(item)
            return
        step = self._step_of(item.values)
        self.step = max(self.step, step)
        yield from metrics_of(item.values, step, LOG)

    def _move(self, bar: Bar | None) -> None:
        if bar is not None:
            self.step = max(self.step, bar.step)

    def _step_of(self, values: Mapping[str, object]) -> int:
        """The trainer prints no step: it follows from the intervals."""
        if "train_runtime" in values and "loss" not in values:
            return max(self.step, self._trained, self._evaluated)
        if any(name.startswith("eval_") for name in values):
            self._evaluated = self._next_evaluation()
            return self._evaluated
        self._trained = self._next_log()
        return self._trained

    def _next_log(self) -> int:
        if self._trained == 0 and self._schedule.logging_first_step:
            return 1
        return _next_multiple(self._trained, self._schedule.logging_steps)

    def _next_evaluation(self) -> int:
        if self._schedule.eval_on_start and not self._started_evaluation:
            self._started_evaluation = True
            return self._start
        if self._schedule.eval_steps is None:
            return self.step
        due = _next_multiple(self._evaluated, self._schedule.eval_steps)
        return due if self.total is None else min(due, self.total)  # the last step is always evaluated


class HFTrainer:
    """The metrics source `hf_trainer`."""

    def __init__(self, config: Mapping[str, Any], total: int | None) -> None:
        self.schedule, self._total = Schedule.of(config), total

    def follow(self, resumed_from: int | None) -> Follower:
        """A reader for the log of one attempt."""
        return Follower(self.schedule, resumed_from, self._total)

    def collect(self, bundle: Path, attempts: Sequence[Attempt]) -> list[Metric]:
        """All metrics of a run, from its files alone.

        A resumed attempt replaces everything after the step it went on from. Within an attempt the state file
        replaces what the log said, and what the log said later than the last state stays.
        """
        table: dict[Key, Metric] = {}
        for attempt in attempts:
            _drop_after(table, attempt.resumed_from)
            logged = self._read(attempt)
            _put(table, logged)
            state = read_state(attempt.state) if attempt.state else None
            if attempt is attempts[-1] and state is None:
                state = newest_state(bundle / self.schedule.output)
            if state is not None:
                _make_exact(table, logged, state, attempt.resumed_from)
        return sorted(table.values(), key=lambda metric: (metric.step is None, metric.step))

    def _read(self, attempt: Attempt) -> list[Metric]:
        follower = self.follow(attempt.resumed_from)
        found: list[Metric] = []
        try:
            with attempt.log.open("rb") as log:
                while piece := log.read(1 << 20):
                    found += follower.feed(piece)
        except FileNotFoundError:
            return []
        return found + follower.close()


def metrics_of(values: Mapping[str, object], step: int | None, source: str) -> Iterator[Metric]:
    """The metrics in one dict that the trainer logged."""
    epoch, _ = number(values.get("epoch"))
    for key, value in values.items():
        if key not in _NOT_METRICS:
            split, name = _named(key)
            amount, note = number(value)
            yield Metric(step, epoch, split, name, amount, None, source, note)


def _named(key: str) -> tuple[Split | None, str]:
    if key.startswith("test_"):
        return None, key
    if key in _NAMES:
        return "train", _NAMES[key]
    for prefix, split in _PREFIXES:
        if key.startswith(prefix):
            rest = key.removeprefix(prefix)
            return split, _NAMES.get(rest, rest)
    return "train", key


def _put(table: dict[Key, Metric], found: Sequence[Metric]) -> None:
    for metric in found:
        table.pop(metric.key, None)  # the later one, in its own place
        table[metric.key] = metric


def _drop_after(table: dict[Key, Metric], step: int | None) -> None:
    for key, metric in list(table.items()):
        if step is None or (metric.step or 0) > step:
            del table[key]


def _make_exact(table: dict[Key, Metric], logged: Sequence[Metric], state: State, resumed_from: int | None) -> None:
    """The state knows all before its step; a checkpoint may lack what was logged after it at the same step."""
    known = [m for row in state.history for m in metrics_of(row, row.get("step"), STATE)]
    start = -1 if resumed_from is None else resumed_from
    for metric in logged:
        if start < (metric.step or 0) < state.step:
            table.pop(metric.key, None)
    _put(table, known)


def _next_multiple(step: int, interval: int) -> int:
    return (step // interval + 1) * interval
