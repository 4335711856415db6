"""Every leaf of the language changes what is made, or the target says that it does not."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, get_origin

import pytest

from tests.support import BASES, EVERYWHERE, bases, compiled, compiled_for, document, put, put_somewhere
from tuneform.compilers import registry
from tuneform.runtime.project import data_request
from tuneform.spec.language import Leaf, branches, leaves, literals
from tuneform.spec.load import Document

# Leaves whose other values no type tells.
OTHERS: dict[str, list[Any]] = {
    "model.chat_template": ["./chat.jinja"],
    "model.tokenizer": ["acme/other"],
    "data.masks": ["native", "exact"],
    "data.loss_on": ["last_assistant", "all"],  # of chats
    "adapter.target_modules": [["q_proj"]],
    "data.eval.split": [0.25],
    "training.warmup": [7],
    "training.batch_size": [64],
    "training.micro_batch_size": [2, 1],
    "training.learning_rate": [3e-4],
    "training.optimizer.betas": [[0.8, 0.9]],
    "training.max_steps": [77],
    "evaluation.every": [20],
    "saving.every": [30],
    "hardware.count": [4],
    "hardware.nodes": [4],
    "rewards[].json_schema": [{"type": "array"}],
    "rewards[].length.min": [2],
    "training.scheduler.decay_steps": [9],
    "method.grpo.num_generations": [4],
    "method.grpo.max_completion_length": [100],
    "model.start_from": ["./earlier"],
    "evaluation.micro_batch_size": [3],
}
# What the caller of a compiler uses, not the artifact: each with the reason.
NOT_IN_A_BUNDLE = {
    "version": "it has one value",
    "name": "names the folder of the bundle",
    "extends": "is merged before anything is compiled",
    "stages": "are put on top of the rest before anything is compiled",
    "hardware.gpu": "a place picks its machine by it",
    "budget.max_usd": "a local run has no price",
    "data.format": "a chat is a chat also when it is said",
    "model.accept_eula": "services ask for it; the hub asks on the model's page",
    "method.rft": "managed services do it, and none is a target yet",
    "rewards[].grader": "managed services run it, and none is a target yet",
}


def why_not(path: str) -> str | None:
    """The reason why a leaf, or the section that it is in, is in no bundle."""
    return next((why for known, why in NOT_IN_A_BUNDLE.items() if f"{path}.".startswith(f"{known}.")), None)


REWARDED = {"logging.completions"}  # outside `method`, and for grpo alone
SETTLED = {"data.masks"}  # what `auto` comes to on a base is no change there
LEAVES = [leaf for leaf in leaves() if "<label>" not in leaf.path]


def others(leaf: Leaf) -> list[Any]:
    """Values of the leaf's type, of which at least one is not what a base has."""
    if leaf.path in OTHERS:
        return OTHERS[leaf.path]
    default = leaf.info.get_default(call_default_factory=True)
    found: list[Any] = [int(w) if w.isdigit() else w for w in literals(leaf.annotation)]
    for branch in branches(leaf.annotation):
        kind = get_origin(branch) or branch
        if kind is bool:
            found += [True, False]
        elif kind is int:
            found.append(int(default or 0) + 3)
        elif kind is float:
            found.append(0.25 if default != 0.25 else 0.125)
        elif kind is dict:
            found.append({"messages": "chat"})
        elif kind is str:
            found.append("another")
        elif kind is tuple:
            found.append(["another"])
    return found


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.path)
def test_no_leaf_is_dropped_in_silence(leaf: Leaf, tmp_path: Path) -> None:
    if reason := why_not(leaf.path):
        pytest.skip(reason)
    tried = dict.fromkeys(registry.names(), 0)
    for base_name, base in EVERYWHERE.items():
        for value in others(leaf):
            changed = put_somewhere(base, leaf.path, value)
            if changed is None or changed == base:
                continue
            whole = document(changed, tmp_path)
            for name in registry.names() if whole.spec else ():
                tried[name] += differs(leaf, value, base_name, name, outcome(whole, name))
    for name, count in tried.items():
        target = registry.get(name)
        assert count or of_another_method(leaf.path, name) or leaf.path in target.unsupported, (
            f"no base spec takes another value of {leaf.path} on {name}"
        )


def differs(leaf: Leaf, value: Any, base_name: str, name: str, after: dict[str, Any] | None) -> bool:
    """Whether another value changes what is made, or is told of; it must where it is in the plan."""
    before = as_it_is(base_name, name)
    if after is None or before is None or before["plan"].get(leaf.path) == value or after["plan"] == before["plan"]:
        return False
    told = any(d.path == leaf.path for d in after["diagnostics"])
    found = told or after["made"] != before["made"]
    if (leaf.path, value) == ("hardware.strategy", "ddp") or before["made"] is after["made"] is None:
        return False  # `auto` comes to the first, and the target refuses the second as a whole
    assert found or leaf.path in SETTLED, f"{value!r} changes nothing on {base_name} for {name}"
    return bool(found)


def of_another_method(path: str, name: str) -> bool:
    """Whether a leaf does not concern a target: only methods that it refuses have it."""
    if any(put_somewhere(base, path, value) for base in bases(name).values() for value in [None]):
        method = path.split(".")[1] if path.startswith("method.") else "grpo" if path in REWARDED else None
        return method is not None and method not in registry.get(name).methods
    return True


@cache
def as_it_is(base_name: str, name: str) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory() as folder:
        return outcome(document(EVERYWHERE[base_name], Path(folder)), name)


def outcome(whole: Document, name: str) -> dict[str, Any] | None:
    """What a target makes of a spec: files, launch, copies, and the rows that are asked for. None where it refuses."""
    own, result = compiled_for(whole, name)
    if result is None or result.plan is None or own.spec is None:
        return None
    bundle, plan = result.bundle, result.plan
    asked = ("data.train", "data.eval", "data.test", "data.eval.split", "data.eval.seed", "data.eval.stratify")
    rows = {p: plan[p] for p in plan if p in asked}
    made = bundle and (bundle.files, bundle.run, bundle.copies, rows, own.spec.data.on_bad_row)
    return {"made": made, "plan": dict(plan), "diagnostics": result.diagnostics}


@pytest.mark.parametrize(("name", "base"), [(name, base) for name in registry.names() for base in bases(name)])
def test_every_path_of_a_plan_has_a_fate_of_its_own(base: str, name: str, tmp_path: Path) -> None:
    _, result = compiled(bases(name)[base], tmp_path, name)
    known = registry.get(name).unsupported
    assert [f.path for f in result.fates if f.fidelity == "unsupported" and f.path not in known] == []


@pytest.mark.parametrize("name", registry.names())
def test_declared_paths_are_real(name: str) -> None:
    target = registry.get(name)
    known = {leaf.path.replace("[]", "") for leaf in leaves()} | {"data.train", "data.eval", "data.test"}
    for path, reason in {**target.outside, **target.unsupported}.items():
        assert path in known and reason


def test_rows_asked_for_follow_the_spec(tmp_path: Path) -> None:
    one, two = BASES["sft-lora"], put(BASES["sft-lora"], "data.eval.seed", 7)
    assert data_request(document(one, tmp_path)) != data_request(document(two, tmp_path))
