"""The real Unsloth takes every generated script, and trains what TRL trains: the same rows, rates and losses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support import bases, compiled
from tuneform.compilers.trainers.unsloth import OPTIONAL, OWN, REQUIREMENTS
from tuneform.compilers.trl_script import pins
from tuneform.runtime.envs import ALONE, ensure

from .same_cases import CASES, HERE, PREFERENCES, Found, series, train
from .test_trl import keywords

pytestmark = pytest.mark.trainer
KEYS = json.loads((HERE.parent.parent / "compilers" / "trainers" / "unsloth_keys.json").read_text())
EVERY = [*CASES, *PREFERENCES]


@pytest.fixture(scope="module")
def unsloth_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with Unsloth: $TUNEFORM_TEST_UNSLOTH_PYTHON, else one built for the tests."""
    if own := os.environ.get("TUNEFORM_TEST_UNSLOTH_PYTHON"):
        return own
    wanted = REQUIREMENTS | {name: OPTIONAL[name] for name in ("bitsandbytes", "jsonschema")}
    requirements = tmp_path_factory.mktemp("unsloth") / "requirements.txt"
    for file, listed in ((requirements, wanted), (requirements.with_name(ALONE), OWN)):
        file.write_text("".join(f"{line}\n" for line in pins(listed)))
    return str(ensure(requirements, print).python)


@pytest.fixture(scope="module")
def trained(unsloth_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Every case on Unsloth; one process runs them all."""
    root = tmp_path_factory.mktemp("unsloth-cases")
    return train(unsloth_python, "probe_scripts.py", "unsloth", EVERY, tiny_model, root)


def test_the_snapshot_of_unsloths_keys_is_fresh(unsloth_python: str) -> None:
    command = [unsloth_python, str(HERE / "snapshot_unsloth.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == KEYS, "run `make snapshots`"


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_every_keyword_is_one_that_unsloth_has(device: str, tmp_path: Path) -> None:
    classes = {name: set(keys) for name, keys in KEYS["classes"].items()}
    where = " (cpu)" if device == "cpu" else ""
    lora = {"target_parameters", "use_dora"}  # of PEFT's LoraConfig, which the rest goes to
    calls = {"from_pretrained": {"use_exact_model_name", "random_state"}, "get_peft_model": lora}
    checked = 0
    for base, found in bases("unsloth").items():
        changed = {**found, "hardware": {"device": device}}
        if device == "cpu" and base in ("sft-qlora8", "sft-packed", "sft-lion"):
            continue
        _, result = compiled(changed, tmp_path, "unsloth")
        for file in result.bundle.files if result.bundle else ():
            used = keywords(file.text) if file.path == "train.py" else {}
            for call, names in used.items():
                short = call.removeprefix("FastLanguageModel.")
                if call != short:
                    assert names <= classes[f"{short}{where}"] | calls[short], base
                elif call in classes:
                    assert names <= classes[call], base
                checked += call != short
    assert checked > 20


@pytest.mark.parametrize("case", EVERY)
def test_unsloth_trains_what_trl_trains(case: str, trained: Found, trl_trained: Found) -> None:
    unsloth, trl = trained[case], trl_trained[case]
    assert unsloth["steps"] == trl["steps"] > 2
    copied = trl["trained"] if case in ("dpo-lora", "kto-lora") else 0  # TRL keeps the first adapter as the reference
    assert (unsloth["trained"], unsloth["all"]) == (trl["trained"], trl["all"] + copied)
    assert (unsloth["class"], unsloth["file"], unsloth["tensors"]) == (trl["class"], trl["file"], trl["tensors"])
    assert unsloth["first"] == trl["first"]
    assert ("Linear4bit" in unsloth["kinds"]) == (case == "qlora")
    assert series(unsloth, "learning_rate") == pytest.approx(series(trl, "learning_rate"), rel=1e-9)
    for name in ("loss", "eval_loss", "reward", "grad_norm"):
        assert series(unsloth, name) == pytest.approx(series(trl, name), rel=5e-3, abs=1e-9), name
