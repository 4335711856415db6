"""One keyword of an artifact, with the paths of the plan that it carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..spec.plan import Origin, Plan

Fidelity = Literal["exact", "derived", "approximated", "chosen by the target", "unsupported", "outside the artifact"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one path of the plan on one target."""

    path: str
    fidelity: Fidelity
    keys: tuple[str, ...] = ()  # artifact keys that carry it
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """`key=value` in a call of an artifact.

    `paths` are the plan's paths that it carries; none means a constant of the compiler, and `why` says which.
    """

    key: str
    value: Any
    paths: tuple[str, ...] = ()
    why: str = ""
    comment: str = ""
    fidelity: Fidelity = "exact"

    def origin(self, plan: Plan) -> Origin:
        """Where the value comes from."""
        if not self.paths:
            return Origin("target", "", self.why)
        first = plan.origin(self.paths[0])
        return Origin("derived", self.paths[0], self.why) if self.why else first


Groups = Mapping[str, list[Setting]]  # the call, e.g. "SFTConfig" -> its keywords in order


def take(plan: Plan, key: str, path: str, comment: str = "") -> Setting:
    """A value of the plan as it is."""
    return Setting(key, plan[path], (path,), comment=comment)


def version(plan: Plan, package: str) -> list[Setting]:
    """The line of a requirements file that says which version of the trainer this is for."""
    return [take(plan, package, "target.version")]


def origins(plan: Plan, file: str, groups: Groups) -> dict[str, Origin]:
    """`train.py: SFTConfig.learning_rate` -> its origin; the keys of a file that is itself a group stand alone.

    A key without a value is not written, unless `extra:` sets it to null.
    """
    calls = {group: "" if group == file else f"{group}." for group in groups}
    return {
        f"{file}: {calls[group]}{s.key}": s.origin(plan)
        for group, found in groups.items()
        for s in found
        if s.value is not None or s.why == "extra"
    }


def carried(groups: Groups) -> dict[str, Fate]:
    """The fate of every path that a setting carries; the weakest fidelity wins."""
    fates: dict[str, Fate] = {}
    for group, found in groups.items():
        for setting in found:
            for path in setting.paths:
                key, known = f"{group}.{setting.key}", fates.get(path)
                keys = (*known.keys, key) if known else (key,)
                fidelity = setting.fidelity if setting.fidelity != "exact" or not known else known.fidelity
                fates[path] = Fate(path, fidelity, keys, setting.why)
    return fates


def by_name(found: Iterable[Setting]) -> dict[str, Any]:
    """Key -> value."""
    return {s.key: s.value for s in found}


def owners(groups: Groups, call: str) -> dict[str, str]:
    """The keys of a call that the plan sets -> the path that rules each ("" for a constant of Tuneform's)."""
    return {s.key: s.paths[0] if s.paths else "" for s in groups[call] if s.why != "extra"}
