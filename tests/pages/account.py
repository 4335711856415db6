"""The account of native keys: the decision on each key of a trainer or service, as docs/account/ has it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.oracles.trl_fields import ELSEWHERE, UNSET
from tests.support import BASES, bases, compiled
from tuneform.compilers import registry
from tuneform.compilers.settings import Setting
from tuneform.compilers.trl_methods import METHODS

from . import ROOT

DECISIONS = ROOT / "docs" / "account"
SNAPSHOTS = ROOT / "tests" / "oracles" / "keys"
TRL_KEYS = ROOT / "compilers" / "trainers" / "trl_keys.json"
SOURCES = (
    *("trl", "axolotl", "unsloth", "llamafactory"),
    *("openai", "together", "vertex", "bedrock", "sagemaker-serverless", "fireworks"),
)

Group = Literal["homes", "options", "written", "extra", "out", "wanted"]
GROUPS: tuple[Group, ...] = ("homes", "options", "written", "extra", "out", "wanted")
CONSTANT = "a constant of the bundle"
PINNED = "TRL's default, written out so that an upgrade cannot change the run; `extra:` may set it"
# Paths of the plan that are no fields -> the fields that they follow from.
FOLLOWS = {
    "training.gradient_accumulation_steps": ("training.batch_size",),
    "hardware.world_size": ("hardware.count", "hardware.nodes"),
    "data.shape": ("data.format",),
    "tracking": ("tracking.tensorboard", "tracking.wandb", "tracking.mlflow"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a native key: its group, the paths of a home, else the reason."""

    group: Group
    paths: tuple[str, ...] = ()
    reason: str = ""
    note: str = ""


def keys(source: str) -> dict[str, str]:
    """The keys of a source's snapshot with their types."""
    if source == "trl":
        data = json.loads(TRL_KEYS.read_text(encoding="utf-8"))
        return {key: field["type"] for fields in data["classes"].values() for key, field in fields.items()}
    found: dict[str, str] = _snapshot(source)["keys"]
    return found


def title(source: str) -> str:
    """What the keys are of, with its version."""
    if source == "trl":
        data = json.loads(TRL_KEYS.read_text(encoding="utf-8"))
        return f"trl {data['trl']}: {', '.join(data['classes'])}"
    return str(_snapshot(source)["of"])


def _snapshot(source: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SNAPSHOTS / f"{source}.json").read_text(encoding="utf-8"))
    return found


def written_down(source: str) -> dict[str, list[Decision]]:
    """Every decision of the table of a source, in order; a right table has one for each key."""
    found: dict[str, list[Decision]] = {}
    for group, why, key in _entries(_table(source)):
        own = found.setdefault(key, [])
        if group == "homes" and own and own[0].group == "homes":
            own[0] = replace(own[0], paths=(*own[0].paths, why))
        elif group in ("homes", "wanted"):
            own.append(Decision(group, paths=(why,)))
        else:
            own.append(Decision(group, reason=why))
    return found


@cache
def _table(source: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DECISIONS / f"{source}.yaml").read_text(encoding="utf-8"))
    return found


def _entries(data: dict[str, Any]) -> Iterator[tuple[Group, str, str]]:
    for group in GROUPS:
        for why, names in data.get(group, {}).items():
            for key in names:
                yield group, why, key


def decisions(source: str) -> dict[str, Decision]:
    """The decision on each key of a source."""
    table = {key: found[0] for key, found in written_down(source).items()}
    code = {"trl": trl_code, "axolotl": axolotl_code}.get(source)
    found = code() | table if code else table
    for key, note in _table(source).get("notes", {}).items():
        found[key] = replace(found[key], note=note)
    return found


@cache
def trl_code() -> dict[str, Decision]:
    """What the code itself says of TRL's keys: the compiler of those it sets, the oracle's table of the others."""
    found = {key: Decision("extra", reason=why) for key, why in UNSET.items() if why != ELSEWHERE}
    for key, paths in sorted(trl_settings().items()):
        known = [path for part in sorted(paths) for path in FOLLOWS.get(part, (part,))]
        found[key] = Decision("homes", tuple(known)) if known else Decision("written", reason=CONSTANT)
    pinned = {key for key, paths in trl_settings("pinned").items() if not found[key].paths}
    return found | {key: Decision("written", reason=PINNED) for key in pinned}


@cache
def trl_settings(call: str = "") -> dict[str, frozenset[str]]:
    """Keyword of a config class (or of one call) -> the paths that scripts of the tests' base specs give it from."""
    target = registry.get("trl")
    found: dict[str, frozenset[str]] = {}
    for base in BASES.values():
        with tempfile.TemporaryDirectory() as folder:
            plan = compiled(base, Path(folder))[1].plan
        assert plan is not None
        groups = target.groups(plan)
        calls = (call,) if call else (METHODS[plan["method"]].config, "pinned")
        for setting in (setting for name in calls for setting in groups[name]):
            found[setting.key] = found.get(setting.key, frozenset()) | set(setting.paths)
    return found


@cache
def axolotl_code() -> dict[str, Decision]:
    """What the compiler itself says of Axolotl's keys: those that hold one value, from fields of the spec."""
    paths: dict[str, set[str]] = {}
    for setting in axolotl_settings():
        if setting.paths and not isinstance(setting.value, dict):
            paths.setdefault(setting.key, set()).update(setting.paths)
    found = {}
    for key, own in sorted(paths.items()):
        known = {path for part in own for path in FOLLOWS.get(part, (part,))}
        found[key] = Decision("homes", tuple(sorted(known)))
    return found


@cache
def axolotl_settings() -> list[Setting]:
    """Every key of every config.yaml that the tests' base specs compile to."""
    target, found = registry.get("axolotl"), []
    for base in bases("axolotl").values():
        with tempfile.TemporaryDirectory() as folder:
            plan = compiled(base, Path(folder), "axolotl")[1].plan
        assert plan is not None
        found += target.groups(plan)["config.yaml"]
    return found


def wanted() -> dict[str, dict[str, str]]:
    """Fields that the language should get, with the type, default and text that each would have."""
    found: dict[str, dict[str, str]] = yaml.safe_load((DECISIONS / "wanted.yaml").read_text(encoding="utf-8"))
    return found
