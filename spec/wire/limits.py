"""How many rows, bytes and tokens a service takes: dated data with its source (limits.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Split = Literal["train", "eval"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Limits of files in one wire form. None: no limit is documented."""

    wires: tuple[str, ...]
    shapes: tuple[str, ...]
    source: str
    as_of: str  # the day on which the source said so
    min_rows: int | None = None
    max_rows: int | None = None
    max_eval_rows: int | None = None
    max_bytes: int | None = None
    max_eval_bytes: int | None = None
    max_tokens: int | None = None  # of one row
    about: str = ""

    @property
    def dated(self) -> str:
        """As of when, and from where."""
        return f"as of {self.as_of}: {self.source}"


@dataclass(frozen=True, slots=True)
class Beyond:
    """A file beyond a limit. `few`: it has fewer rows than a service trains on."""

    message: str
    limit: Limit
    few: bool = False


@cache
def limits() -> tuple[Limit, ...]:
    """All limits."""
    entries = json.loads(files(__package__).joinpath("limits.json").read_text(encoding="utf-8"))
    return tuple(Limit(**{**e, "wires": tuple(e["wires"]), "shapes": tuple(e["shapes"])}) for e in entries)


def limits_of(wire: str, shape: str) -> list[Limit]:
    """The limits of a wire's form for a shape."""
    return [limit for limit in limits() if wire in limit.wires and shape in limit.shapes]


def beyond(wire: str, shape: str, *, rows: int, size: int, split: Split = "train") -> Iterator[Beyond]:
    """What is beyond a limit, in words: of a file's rows and its bytes."""
    for limit in limits_of(wire, shape):
        train = split == "train"
        most = limit.max_rows if train else limit.max_eval_rows
        largest = limit.max_bytes if train else limit.max_eval_bytes or limit.max_bytes
        if train and limit.min_rows is not None and rows < limit.min_rows:
            yield Beyond(f"{rows:,} rows; {wire} wants at least {limit.min_rows:,}", limit, few=True)
        if most is not None and rows > most:
            yield Beyond(f"{rows:,} rows; {wire} takes {most:,} at most", limit)
        if largest is not None and size > largest:
            yield Beyond(f"{size:,} bytes; {wire} takes {largest:,} at most", limit)
