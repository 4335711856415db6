"""What services take: rows, tokens a row, bytes a file. A dated table; each entry names its source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ...spec.method import REWARDED


@dataclass(frozen=True, slots=True)
class Limits:
    """One service's limits for one method; None where none is known."""

    target: str
    as_of: str
    source: str
    rows_min: int | None = None
    rows_max: int | None = None
    tokens: int | None = None
    file_bytes: int | None = None
    alternate: bool = False  # turns of user and assistant take turns, and a user begins


def names() -> list[str]:
    """The targets that the table has."""
    return list(_table()["targets"])


def limits(target: str, method: str | None) -> Limits:
    """A target's limits; those of reinforcement fine-tuning where the method is that."""
    table = _table()
    entry = table["targets"][target]
    suffix = "_rft" if method in REWARDED else ""
    own = {key: entry.get(f"{key}{suffix}", entry.get(key)) for key in ("rows_min", "rows_max", "tokens")}
    alternate = bool(entry.get("alternate"))
    return Limits(
        target, table["as_of"], entry["source"], **own, file_bytes=entry.get("file_bytes"), alternate=alternate
    )


@cache
def _table() -> dict[str, Any]:
    assert __package__
    found: dict[str, Any] = json.loads(files(__package__).joinpath("limits.json").read_text(encoding="utf-8"))
    return found
