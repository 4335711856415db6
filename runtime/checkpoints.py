"""What a Hugging Face trainer leaves in its output folder: checkpoints and the state it had."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .jsonfiles import read_json

STATE = "trainer_state.json"
_SENTINEL = "checkpoint-is-incomplete.txt"
_NAME = re.compile(r"^checkpoint-(\d+)$")


@dataclass(frozen=True, slots=True)
class State:
    """A trainer_state.json: how far training was, and every line logged until then with its step."""

    step: int
    total: int | None
    history: list[dict[str, Any]]
    patience: tuple[int, int] | None  # early stopping's (evaluations without progress, allowed), as last saved

    @property
    def finished(self) -> bool:
        """True where the training came to its own end."""
        return self.total is None or self.step >= self.total or self._out_of_patience

    @property
    def stopped_early(self) -> bool:
        """True where early stopping ended it: it acts after an evaluation, and is saved with the next checkpoint."""
        return self._out_of_patience or (self.patience is not None and self._evaluated_at_end)

    @property
    def _out_of_patience(self) -> bool:
        return self.patience is not None and self.patience[0] >= self.patience[1]

    @property
    def _evaluated_at_end(self) -> bool:
        return any(row.get("step") == self.step and any(k.startswith("eval_") for k in row) for row in self.history)


def read_state(path: Path) -> State | None:
    """The state in a file; None if it is missing, cut off or something else."""
    found = read_json(path)
    if not isinstance(found, dict) or not isinstance(found.get("global_step"), int):
        return None
    history = found.get("log_history")
    rows = [row for row in history if isinstance(row, dict)] if isinstance(history, list) else []
    total = found.get("max_steps")
    return State(found["global_step"], total if isinstance(total, int) and total > 0 else None, rows, _patience(found))


def newest_state(output: Path) -> State | None:
    """The last state known: the one written at the end of training, else that of the newest checkpoint."""
    final = read_state(output / STATE)
    if final is not None:
        return final
    for _, folder in reversed(_folders(output)):
        state = read_state(folder / STATE)
        if state is not None and not (folder / _SENTINEL).exists():
            return state
    return None


def last_step(output: Path) -> int | None:
    """The step of the checkpoint that a resumed training would go on from."""
    steps = [step for step, folder in _folders(output) if _complete(folder)]
    return steps[-1] if steps else None


def set_aside_incomplete(output: Path) -> list[Path]:
    """Rename checkpoints that were being written when the trainer died; gives their new paths."""
    moved = []
    for _, folder in _folders(output):
        if not _complete(folder):
            moved.append(folder.rename(_free_name(output / f"incomplete-{folder.name}")))
    return moved


def _folders(output: Path) -> list[tuple[int, Path]]:
    try:
        found = [(_NAME.match(path.name), path) for path in output.iterdir() if path.is_dir()]
    except OSError:
        return []
    return sorted((int(match[1]), path) for match, path in found if match)


def _complete(folder: Path) -> bool:
    return not (folder / _SENTINEL).exists() and read_state(folder / STATE) is not None


def _free_name(path: Path) -> Path:
    candidate, n = path, 2
    while candidate.exists():
        candidate, n = path.with_name(f"{path.name}-{n}"), n + 1
    return candidate


def _patience(state: dict[str, Any]) -> tuple[int, int] | None:
    callbacks = state.get("stateful_callbacks")
    found = callbacks.get("EarlyStoppingCallback") if isinstance(callbacks, dict) else None
    for callback in found if isinstance(found, list) else [found]:
        if isinstance(callback, dict):
            allowed = callback.get("args", {}).get("early_stopping_patience")
            counter = callback.get("attributes", {}).get("early_stopping_patience_counter")
            if isinstance(allowed, int) and isinstance(counter, int):
                return counter, allowed
    return None
