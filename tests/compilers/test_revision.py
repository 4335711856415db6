"""A pinned revision goes wherever the base is loaded, and into the adapter that is made for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_artifacts import calls
from tests.support import bases, compiled, put
from tuneform.compilers import registry
from tuneform.compilers.compile import Compiled

COMMIT = "c1899de289a04d12100db370d81485cdf75e47ca"
STARTS: dict[str, dict[str, Any]] = {
    "alone": {},
    "of-a-result": {"start_from": "./earlier"},
    "tokens": {"special_tokens": {"pad_token": "<pad>"}},
}


def script(result: Compiled, name: str) -> str:
    assert result.bundle is not None
    return next(file.text for file in result.bundle.files if file.path == name)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("adapter", ["sft-lora", "sft-qlora", "sft-full"])
@pytest.mark.parametrize("label", registry.names())
def test_a_revision_goes_wherever_the_base_is_loaded(label: str, adapter: str, start: str, tmp_path: Path) -> None:
    base = put(bases(label)[adapter], "model", {"id": "acme/tiny", "revision": COMMIT, **STARTS[start]})
    result = compiled(base, tmp_path, label)[1]
    assert [d.code for d in result.diagnostics if d.path == "model.revision"] == []
    found = calls(script(result, "plugin.py" if label == "axolotl" else "train.py"))
    assert start == "alone" or found["starting_model"]["revision"] == COMMIT
    if label == "trl":
        assert found["SFTConfig"]["model_init_kwargs"]["revision"] == COMMIT, "starting_model may give the id back"
        assert ("LoraConfig" in found) == (adapter != "sft-full")
        assert "LoraConfig" not in found or found["LoraConfig"]["revision"] == COMMIT
    elif label == "unsloth":
        loading = script(result, "train.py").split("FastLanguageModel.from_pretrained(")[1].split("\n    )")[0]
        assert f'revision="{COMMIT}"' in loading, "starting_model may give the id back"
    else:
        assert f"model_revision: {COMMIT}\n" in script(result, "config.yaml")
        own = f'    def get_lora_config_kwargs(self, cfg):\n        return {{"revision": "{COMMIT}"}}'
        assert (own in script(result, "plugin.py")) == (adapter != "sft-full")
