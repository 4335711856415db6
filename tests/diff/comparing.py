"""Specs compared in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support import compiled
from tuneform.compilers.changes import Change, Difference, Subject
from tuneform.compilers.difference import same
from tuneform.runtime.difftext import _change
from tuneform.spec.plan import Plan


def subject(found: dict[str, Any], folder: Path) -> Subject:
    _, result = compiled(found, folder)
    assert result.plan is not None
    return Subject(result.plan, result.fates)


def differing(one: Plan, two: Plan) -> set[str]:
    """Every path whose value differs, found in the plainest way."""
    return {path for path in {*one, *two} if not same(one.get(path), two.get(path))}


def told(found: Difference) -> list[str]:
    return [line.strip() for change in found.changes for line in _change(change)]


def roots(found: Difference) -> dict[str, Change]:
    return {change.path: change for change in found.changes}
