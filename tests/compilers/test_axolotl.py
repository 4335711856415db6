"""Axolotl's own keys: what fields of the spec rule is refused in `extra:`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.pages.account import written_down
from tests.support import bases, compiled, put
from tuneform.compilers import native, registry
from tuneform.compilers.settings import owners
from tuneform.spec.language import leaves

TARGET = registry.get("axolotl")
FILE = Path(native.__file__).parent / "trainers" / "axolotl_keys.json"
KEYS = json.loads(FILE.read_text(encoding="utf-8"))["classes"]["AxolotlInputConfig"]


def test_every_key_that_a_field_of_the_spec_rules_is_owned(tmp_path: Path) -> None:
    owned = dict(TARGET.owned)
    for base in bases("axolotl").values():
        plan = compiled(base, tmp_path, "axolotl")[1].plan
        assert plan is not None
        owned |= owners(TARGET.groups(plan), "config.yaml")
    assert not owned.keys() - KEYS.keys()
    decided = {key: found[0].group for key, found in written_down("axolotl").items() if "." not in key}
    ruled = {key for key, group in decided.items() if group in ("homes", "written") and key in KEYS}
    assert ruled - owned.keys() == set()


def test_owners_are_fields_of_the_language() -> None:
    known = {path for leaf in leaves() for path in parents(leaf.path.replace("[]", ""))}
    assert {path for path in TARGET.owned.values() if path} - known == set()


def parents(path: str) -> list[str]:
    steps = path.split(".")
    return [".".join(steps[:i]) for i in range(1, len(steps) + 1)]


def test_pinned_keys_may_be_set(tmp_path: Path) -> None:
    base = {
        **bases("axolotl")["sft-lora"],
        "targets": {"axolotl": {"extra": {"lora_mlp_kernel": True, "relora": None}}},
    }
    result = compiled(base, tmp_path, "axolotl")[1]
    assert result.bundle is not None
    config = next(file.text for file in result.bundle.files if file.path == "config.yaml")
    assert config.count("lora_mlp_kernel") == 1 and "lora_mlp_kernel: true\nrelora: null\n" in config


def test_a_run_that_goes_on_from_another_loses_no_model(tmp_path: Path) -> None:
    base = put(bases("axolotl")["sft-lora"], "model.start_from", "./earlier")
    result = compiled(base, tmp_path, "axolotl")[1]
    assert result.bundle is not None and not [f for f in result.fates if f.fidelity == "unsupported"]
    plugin = next(file.text for file in result.bundle.files if file.path == "plugin.py")
    assert 'cfg["base_model"] = starting_model(' in plugin and '"../../../earlier",' in plugin
