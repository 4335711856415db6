"""What a comparison of two plans is given, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..spec.plan import Origin, Plan
from .difference_paths import SECTIONS, Group
from .settings import Fate


@dataclass(frozen=True, slots=True)
class RowChange:
    """Rows of a split on two sides, both read. Nothing added and nothing removed: the same, or in another order."""

    before: int
    after: int
    added: int
    removed: int
    reordered: bool = False

    @property
    def same(self) -> bool:
        """True where both sides have the same rows in the same order."""
        return not (self.added or self.removed or self.reordered)


@dataclass(frozen=True, slots=True)
class Subject:
    """One side. `contents` has a digest for each path of the plan whose value is a file that was read, and for each
    file of `rewards` (`rewards:score.py`).

    `options` are the typed keys of the target's own block.
    """

    plan: Plan
    fates: tuple[Fate, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs. `causes` are the changes that it follows from; none where it was changed by itself.

    `applies` says on which side the path is there at all. A section that came or went as a whole is one change, whose
    value has its fields.
    """

    path: str
    title: str
    group: Group
    before: Any
    after: Any
    applies: Literal["both", "before", "after"]
    means: str = ""
    origins: tuple[Origin | None, Origin | None] = (None, None)
    causes: tuple[str, ...] = ()
    consequences: tuple[Change, ...] = ()

    @property
    def paths(self) -> list[str]:
        """The paths of the plan that it tells: its own, or those of its section."""
        if self.path not in SECTIONS:
            return [self.path]
        return [f"{self.path}.{name}" for name in (self.after if self.applies == "after" else self.before)]


@dataclass(frozen=True, slots=True)
class FateChange:
    """A path that a target loses, or alters, on one side and not on the other. None: the path is not there."""

    path: str
    title: str
    group: Group
    before: str | None
    after: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs between two plans. `origins_only` are equal values that only one side writes."""

    changes: tuple[Change, ...] = ()
    fates: tuple[FateChange, ...] = ()
    origins_only: tuple[str, ...] = ()

    def touches(self, group: Group) -> bool:
        """Whether something of this group differs."""
        found: tuple[Change | FateChange, ...] = (*self.changes, *self.fates)
        return any(change.group == group for change in found)
