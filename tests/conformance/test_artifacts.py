"""What every artifact holds to: the same bytes everywhere, no Tuneform in it, no secret, and the plan's numbers."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import BASES, bases, compiled, put
from tuneform.compilers import registry

ROOT = Path(__file__).parent.parent.parent
COMPILE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tuneform.runtime import bundles
from tuneform.runtime.project import open_project
project = open_project(Path(sys.argv[2])).require()
for target in project.targets:
    for name, text in sorted(bundles.texts(project, target).items()):
        print(name, text)
    print(bundles.spec_digest(target), target.data.digests)
"""


def calls(source: str) -> dict[str, dict[str, Any]]:
    """Every call of a script with its literal keywords."""
    found: dict[str, dict[str, Any]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rsplit(".", 1)[-1]
            values = {}
            for keyword in node.keywords:
                try:
                    values[keyword.arg or "**"] = ast.literal_eval(keyword.value)
                except ValueError:
                    continue
            found.setdefault(name, {}).update(values)
    return found


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_the_bytes_are_the_same_for_any_hash_seed_zone_folder_and_way_to_the_spec(seed: str, tmp_path: Path) -> None:
    example = tmp_path / f"elsewhere-{seed}" / "support-triage"
    shutil.copytree(ROOT / "examples" / "support-triage", example)
    here = {"PYTHONHASHSEED": "5", "TZ": "UTC", "LC_ALL": "C"}
    there = {"PYTHONHASHSEED": seed, "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)}
    outputs = []
    own = ROOT / "examples" / "support-triage"
    for env, folder, spec in ((here, own, "tuneform.yaml"), (there, tmp_path, str(example / "tuneform.yaml"))):
        command = [sys.executable, "-c", COMPILE, str(ROOT), spec]
        done = subprocess.run(command, cwd=folder, env=os.environ | env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]


def other_pythons() -> list[str]:
    found = [shutil.which(f"python3.{minor}") for minor in (12, 13, 14)]
    usable = []
    for python in filter(None, found):
        probe = "import pydantic, yaml, jinja2, click"
        if subprocess.run([python, "-c", probe], capture_output=True).returncode == 0:
            usable.append(python)
    return usable


def test_the_bytes_are_the_same_under_another_python() -> None:
    pythons = other_pythons()
    if not pythons:
        pytest.skip("no other Python here has Tuneform's dependencies")
    folder = ROOT / "examples" / "support-triage"
    outputs = {
        subprocess.run([python, "-c", COMPILE, str(ROOT), "tuneform.yaml"], cwd=folder, capture_output=True).stdout
        for python in (sys.executable, *pythons)
    }
    assert len(outputs) == 1


EVERY = [(name, base) for name in registry.names() for base in bases(name)]


@pytest.mark.parametrize(("name", "base"), EVERY)
def test_scripts_stand_alone(name: str, base: str, tmp_path: Path) -> None:
    _, result = compiled(bases(name)[base], tmp_path, name)
    if result.bundle is None:
        assert name != "trl" and any(d.code == "TF205" for d in result.diagnostics)
        return
    for file in result.bundle.files:
        if not file.path.endswith(".py"):
            continue
        tree = ast.parse(file.text)
        imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert not [name for name in imported if name.startswith("tuneform")]
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert not names & {"eval", "exec", "compile", "__import__", "subprocess"}
    assert "tuneform" not in " ".join(result.bundle.run.argv)


SCRIPTS = [(name, base) for name, base in EVERY if name in ("trl", "unsloth")]


@pytest.mark.parametrize(("name", "base"), SCRIPTS)
def test_numbers_read_back_from_the_script_are_the_plans(name: str, base: str, tmp_path: Path) -> None:
    _, result = compiled(bases(name)[base], tmp_path, name)
    if result.bundle is None and name != "trl":
        return
    assert result.bundle is not None and result.plan is not None
    plan = result.plan
    script = next(file.text for file in result.bundle.files if file.path == "train.py")
    launcher: dict[str, Any] = next(
        (yaml.safe_load(f.text) for f in result.bundle.files if f.path == "accelerate.yaml"), {}
    )
    found = calls(script)
    config = next(found[name] for name in found if name.endswith("Config") and "output_dir" in found[name])
    argv = list(result.bundle.run.argv)
    world = launcher.get("num_processes", 1)
    for flag in ("--nproc_per_node", "--nnodes"):
        world *= int(argv[argv.index(flag) + 1]) if flag in argv else 1
    batch = config["per_device_train_batch_size"] * config["gradient_accumulation_steps"] * world
    assert batch == plan["training.batch_size"] * config.get("num_generations", 1)
    units = ("rows", "packed rows", f"answers to {plan['training.batch_size']} prompts")
    assert any(f"{batch} {unit} " in script for unit in units)
    assert config["learning_rate"] == plan["training.learning_rate"]
    assert config.get("num_train_epochs") == plan.get("training.epochs")
    assert config.get("max_steps") == plan["training.max_steps"]
    assert config["seed"] == plan["training.seed"]
    longest = config.get("max_length") or found["load_rows"]["max_length"] + config["max_completion_length"]
    assert longest == plan["training.max_length"]
    adapter = "LoraConfig" if name == "trl" else "get_peft_model"
    if plan["adapter.type"] != "full":
        lora = found[adapter]
        assert (lora["r"], lora["lora_alpha"]) == (plan["adapter.rank"], plan["adapter.alpha"])
    assert (adapter in found) == (plan["adapter.type"] != "full")
    if name == "unsloth":
        load, seed = found["from_pretrained"], plan["training.seed"]
        assert (load["max_seq_length"], load["random_state"]) == (plan["training.max_length"], seed)
        assert load["full_finetuning"] == (plan["adapter.type"] == "full")
        assert load["load_in_4bit"] == (plan.get("adapter.quantization.bits") == 4)
    assert f"!= ({plan['hardware.device']!r}, {world})".replace("'", '"') in script


def test_no_value_of_the_environment_reaches_an_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hf_0123456789abcdefSECRET"
    for name in ("HF_TOKEN", "WANDB_API_KEY", "TEAM", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, secret)
    changed = put(BASES["sft-tracked"], "tracking.wandb.project", "${TEAM}-x")
    _, result = compiled(changed, tmp_path)
    assert result.bundle is not None
    whole = json.dumps([f.text for f in result.bundle.files]) + repr(result.bundle.run) + repr(result.bundle.origins)
    assert secret not in whole
    assert 'os.environ["TEAM"]' in result.bundle.files[0].text and result.bundle.run.needs == ("TEAM",)


@pytest.mark.parametrize("base", bases("axolotl"))
def test_numbers_read_back_from_axolotls_config_are_the_plans(base: str, tmp_path: Path) -> None:
    _, result = compiled(bases("axolotl")[base], tmp_path, "axolotl")
    if result.bundle is None or result.plan is None:
        return
    plan, files = result.plan, {file.path: file.text for file in result.bundle.files}
    config = yaml.safe_load(files["config.yaml"])
    argv = list(result.bundle.run.argv)
    world = 1
    for flag in ("--nproc_per_node", "--nnodes"):
        world *= int(argv[argv.index(flag) + 1]) if flag in argv else 1
    batch = config["micro_batch_size"] * config["gradient_accumulation_steps"] * world
    assert batch == plan["training.batch_size"] * plan.get("method.grpo.num_generations", 1)
    assert config["learning_rate"] == plan["training.learning_rate"]
    assert (config.get("num_epochs"), config.get("max_steps")) == (
        plan.get("training.epochs"),
        plan["training.max_steps"],
    )
    assert config["seed"] == plan["training.seed"] and config["sequence_len"] == plan["training.max_length"]
    assert (config.get("lora_r"), config.get("lora_alpha")) == (plan.get("adapter.rank"), plan.get("adapter.alpha"))
    assert f"!= ({plan['hardware.device']!r}, {world})".replace("'", '"') in files["plugin.py"]
    assert f"{' '.join(argv)}\n" in files["config.yaml"]
    listed = files["requirements.txt"].split()
    assert all("==" in line for line in listed) and listed == sorted(listed)


@pytest.mark.parametrize(("name", "base"), EVERY)
def test_origins_name_only_keys_that_are_written(name: str, base: str, tmp_path: Path) -> None:
    _, result = compiled(bases(name)[base], tmp_path, name)
    if result.bundle is None:
        return
    calls = {"train.py: SFTConfig.", "train.py: LoraConfig.", "config.yaml: "}
    files = {file.path: file.text for file in result.bundle.files}
    found = [key for key in result.bundle.origins if any(key.startswith(call) for call in calls)]
    written = {key: re.split(r"[. ]", key)[-1] for key in found}
    lines = {path: re.split(r"[=:\s]", text) for path, text in files.items()}
    missing = [key for key, word in written.items() if word not in lines[key.split(": ")[0]]]
    assert missing == []


@pytest.mark.parametrize(("name", "base"), SCRIPTS)
def test_requirements_are_pinned_and_equal_the_scripts_own(name: str, base: str, tmp_path: Path) -> None:
    _, result = compiled(bases(name)[base], tmp_path, name)
    if result.bundle is None and name != "trl":
        return
    assert result.bundle is not None
    texts = {file.path: file.text for file in result.bundle.files}
    listed, alone = (texts.get(file, "").split() for file in ("requirements.txt", "requirements-no-deps.txt"))
    assert all("==" in line for line in [*listed, *alone]) and (listed, alone) == (sorted(listed), sorted(alone))
    assert bool(alone) == (name == "unsloth" and result.plan is not None and result.plan["hardware.device"] == "cpu")
    header = [line.strip('#", ') for line in texts["train.py"].splitlines() if line.startswith('#     "')]
    assert header == sorted([*listed, *alone])
