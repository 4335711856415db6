"""Unsloth's own keys, and what differs between a GPU and a CPU."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.pages.account import written_down
from tests.support import bases, compiled, put
from tuneform.compilers import registry
from tuneform.compilers.settings import owners
from tuneform.spec.language import leaves

TARGET = registry.get("unsloth")
BASES = bases("unsloth")


def made(found: dict[str, Any], folder: Path) -> dict[str, str]:
    """The files of a spec's bundle."""
    result = compiled(found, folder, "unsloth")[1]
    assert result.bundle is not None, result.diagnostics
    return {file.path: file.text for file in result.bundle.files}


def test_every_key_that_a_field_of_the_spec_rules_is_owned(tmp_path: Path) -> None:
    owned, known = dict(TARGET.owned), set()
    for base in BASES.values():
        plan = compiled(base, tmp_path, "unsloth")[1].plan
        assert plan is not None
        for call, keys in TARGET.native(plan).items():
            owned |= owners(TARGET.groups(plan), call)
            known |= set(keys)
    decided = {key.split(".")[1]: found[0].group for key, found in written_down("unsloth").items()}
    ruled = {key for key, group in decided.items() if group in ("homes", "written")}
    assert ruled - owned.keys() == set() and ruled <= known
    fields = {leaf.path.replace("[]", "") for leaf in leaves()}
    assert set(TARGET.owned.values()) <= fields and TARGET.owned.keys() <= known


def test_extra_keys_go_to_the_call_that_knows_them(tmp_path: Path) -> None:
    extra = {"max_lora_rank": 8, "layers_to_transform": [1], "optim_args": "amsgrad=true", "qat_scheme": None}
    script = made(put(BASES["sft-lora"], "targets", {"unsloth": {"extra": extra}}), tmp_path)["train.py"]
    calls = {
        ast.unparse(node.func).rsplit(".", 1)[-1]: {k.arg for k in node.keywords}
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Call)
    }
    assert "max_lora_rank" in calls["from_pretrained"] and "optim_args" in calls["SFTConfig"]
    assert {"layers_to_transform", "qat_scheme"} <= calls["get_peft_model"]
    assert all(script.count(f"{key}=") == 1 for key in extra)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_what_differs_between_a_gpu_and_a_cpu(device: str, tmp_path: Path) -> None:
    full = put(put(BASES["sft-full"], "hardware.device", device), "model.attn_implementation", "eager")
    result = compiled(full, tmp_path, "unsloth")[1]
    assert result.bundle is not None
    files, cpu = {file.path: file.text for file in result.bundle.files}, device == "cpu"
    assert ("requirements-no-deps.txt" in files) == cpu
    assert ("pip install --no-deps -r requirements-no-deps.txt" in files["train.py"]) == cpu
    assert ("unsloth==" in files["requirements.txt"]) != cpu
    assert ('attn_implementation="eager"' in files["train.py"]) == cpu
    assert ("float32_mixed_precision=True" in files["train.py"]) != cpu
    assert (result.bundle.run.env == {}) == cpu == ("unsloth_compiled_cache" not in result.bundle.made)
    told = {d.path for d in result.diagnostics}
    assert ("model.attn_implementation" in told) != cpu


def test_unsloth_is_imported_before_what_it_patches(tmp_path: Path) -> None:
    for base in ("sft-lora", "dpo", "grpo", "orpo"):
        tree = ast.parse(made(BASES[base], tmp_path)["train.py"])
        found = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert found[0] == "unsloth"


def test_the_reference_model_of_full_tuning_is_loaded_as_the_model_is(tmp_path: Path) -> None:
    script = made(put(put(BASES["dpo"], "adapter.type", "full"), "model.dtype", "bfloat16"), tmp_path)["train.py"]
    assert '"dtype": "bfloat16"' in script and "model_init_kwargs" not in made(BASES["dpo"], tmp_path)["train.py"]


def test_a_run_that_goes_on_from_another_loads_what_it_made(tmp_path: Path) -> None:
    base = put(BASES["sft-lora"], "model.start_from", "./earlier")
    result = compiled(base, tmp_path, "unsloth")[1]
    assert result.bundle is not None and not [
        f for f in result.fates if f.fidelity == "unsupported" and not f.path.startswith("hardware.")
    ]
    script = next(file.text for file in result.bundle.files if file.path == "train.py")
    assert script.index("source = starting_model(") < script.index("model_name=source,")
