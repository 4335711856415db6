"""A piece of advice: what commonly goes wrong, with the reason and the fix. Its docstring is its documentation.

A docstring ends with an example that gives the advice and one, after `Instead`, that does not; the tests run both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..diagnostics import Level
from ..plan import DataFacts, Plan
from ..spec import Spec

Problem = tuple[str, str, str]
"""Path, message and hint."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What advice may look at: the spec, the paths that the user wrote, what is known of the rows, and the plan.

    `goes_on` says that a later stage starts from the result.
    """

    spec: Spec
    written: set[str]
    facts: DataFacts
    plan: Plan
    goes_on: bool = False

    @property
    def steps(self) -> int | None:
        """Optimizer steps in all (fewer where long rows are dropped), if they are known."""
        found = self.plan["training.total_steps"]
        return found if isinstance(found, int) else None

    @property
    def passes(self) -> float | None:
        """How often each row is trained on, if that is known."""
        if "training.epochs" in self.plan:
            return float(self.plan["training.epochs"])
        if self.facts.rows_train and self.steps and not self.spec.training.packing:
            return self.steps * self.spec.training.batch_size / self.facts.rows_train
        return None

    def first_written(self, *paths: str) -> str:
        """The first of these paths that the user wrote, else the last: a place that the file has."""
        return next((path for path in paths if path in self.written), paths[-1])


Check = Callable[[Seen], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Advice:
    """A piece of advice with its code and level."""

    code: str
    level: Level
    title: str
    check: Check

    @property
    def explanation(self) -> str:
        """The docstring, for `tuneform explain`."""
        return self.check.__doc__ or ""


REGISTERED: list[Advice] = []


def advice(code: str, title: str, level: Level = Level.WARNING) -> Callable[[Check], Check]:
    """Register a piece of advice."""

    def register(check: Check) -> Check:
        REGISTERED.append(Advice(code, level, title, check))
        return check

    return register
