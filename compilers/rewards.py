"""The rewards of a bundle: one generated module, beside copies of the user's own files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..spec.plan import Plan
from .base import File
from .rendering import render


@dataclass(frozen=True, slots=True)
class Scorer:
    """A reward with its name in the generated module. `source` is the module or JSON file that it reads."""

    name: str
    kind: str
    settings: Any = None
    source: str = ""


def reward_files(plan: Plan) -> tuple[File, ...]:
    """`rewards.py`, whose `REWARDS` has the functions that a trainer calls, and the JSON Schemas that it reads."""
    found = list(_scorers(plan))
    schemas = [
        File(s.source, json.dumps(s.settings, indent=2, ensure_ascii=False) + "\n")
        for s in found
        if s.kind == "json_schema"
    ]
    return File("rewards.py", render("rewards.py.j2", scorers=found, kinds={s.kind for s in found})), *schemas


def reward_copies(plan: Plan) -> tuple[tuple[str, str], ...]:
    """The user's files, and under which names they lie in the bundle."""
    return tuple((path, f"{module}.py") for path, module in _modules(plan).items())


def names(rewards: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of a plan's rewards, as metrics have them."""
    found: list[str] = []
    for reward in rewards:
        stem = reward.get("function") or reward["kind"]
        found.append(next(n for n in (stem, *(f"{stem}_{i}" for i in range(2, 1000))) if n not in found))
    return found


def _modules(plan: Plan) -> dict[str, str]:
    files = dict.fromkeys(r["file"] for r in plan["rewards"] if r["kind"] == "file")
    return {path: f"reward_{number}" for number, path in enumerate(files, 1)}


def _scorers(plan: Plan) -> Iterator[Scorer]:
    modules = _modules(plan)
    for name, reward in zip(names(plan["rewards"]), plan["rewards"], strict=True):
        if reward["kind"] == "file":
            yield Scorer(name, "file", reward["function"], modules[reward["file"]])
        else:
            yield Scorer(name, reward["kind"], reward["settings"], f"{name}.json")
