"""A metric: one measured value, in the one form that all targets share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Split = Literal["train", "eval"]
Key = tuple[str | None, str, int | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of metrics.jsonl.

    JSON has no NaN or infinity: such a value is null, and `note` says which it was ("nan", "inf", "-inf").
    `time` is when it was read while the run was followed; null where nobody looked on.
    """

    step: int | None
    epoch: float | None
    split: Split | None
    name: str
    value: float | None
    time: str | None
    source: str
    note: str | None = None

    @property
    def key(self) -> Key:
        """What no two lines of a file share."""
        return (self.split, self.name, self.step)

    def as_dict(self) -> dict[str, Any]:
        """The line; `note` only where there is one."""
        row = {
            "step": self.step,
            "epoch": self.epoch,
            "split": self.split,
            "name": self.name,
            "value": self.value,
            "time": self.time,
            "source": self.source,
        }
        return row | {"note": self.note} if self.note is not None else row

    @staticmethod
    def from_dict(row: Mapping[str, Any]) -> Metric:
        """Back from a line. KeyError if it is none."""
        return Metric(
            step=row["step"],
            epoch=row["epoch"],
            split=row["split"],
            name=row["name"],
            value=row["value"],
            time=row["time"],
            source=row["source"],
            note=row.get("note"),
        )


def number(value: object) -> tuple[float | None, str | None]:
    """A value and its note: numbers as floats (also when printed as text), anything else as null with its text."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            return None, str(value)[:200]
        return (found, None) if math.isfinite(found) else (None, str(found))
    return None, str(value)[:200]
