"""What a rule is. A rule yields problems as (path, message, hint); the decorator adds code, level and title.

Its docstring is its documentation, and ends with an example that breaks it and one, after `Instead`, that does not;
the tests run both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..diagnostics import Level
from ..spec import Spec

Problem = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its code and level."""

    code: str
    level: Level
    title: str
    check: Callable[[Spec, set[str]], Iterator[Problem]]

    @property
    def explanation(self) -> str:
        """The docstring, for `tuneform explain`."""
        return self.check.__doc__ or ""


REGISTERED: list[Rule] = []


def rule(
    code: str, title: str, level: Level = Level.ERROR
) -> Callable[[Callable[[Spec, set[str]], Iterator[Problem]]], Callable[[Spec, set[str]], Iterator[Problem]]]:
    """Register a rule. It is given the spec and the paths that the user wrote."""

    def register(
        check: Callable[[Spec, set[str]], Iterator[Problem]],
    ) -> Callable[[Spec, set[str]], Iterator[Problem]]:
        REGISTERED.append(Rule(code, level, title, check))
        return check

    return register


def written(spec: Spec) -> set[str]:
    """The paths of leaves that the user wrote, shorthands written out."""

    def walk(section: object, prefix: str) -> Iterator[str]:
        for name in getattr(section, "model_fields_set", ()):
            value = getattr(section, name)
            if hasattr(type(value), "model_fields"):
                yield from walk(value, f"{prefix}{name}.")
            yield f"{prefix}{name}"

    return set(walk(spec, ""))
