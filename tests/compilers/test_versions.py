"""A bundle follows the version that its target's block names: requirements, script, native keys, and what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support import compiled, document, spec
from tuneform.compilers import registry
from tuneform.compilers.axolotl_checks import BRINGS_TRL
from tuneform.compilers.compile import Compiled
from tuneform.compilers.trainers import axolotl, trl, unsloth
from tuneform.runtime.cli import main

OLDER = "1.9.0"
TRAINERS = Path(__file__).parents[2] / "compilers" / "trainers"
ROWS = "".join(json.dumps({"prompt": f"Order {i}?", "chosen": " Late.", "rejected": " No."}) + "\n" for i in range(20))


def made(folder: Path, version: str | None, name: str = "trl", **changes: Any) -> Compiled:
    block = {"version": version} if version else {}
    return compiled(spec(**changes, targets={name: block}) | {"targets": {name: block}}, folder, name)[1]


def files(result: Compiled) -> dict[str, str]:
    assert result.bundle is not None, result.diagnostics
    return {file.path: file.text for file in result.bundle.files}


def test_requirements_and_header_are_those_of_the_version(tmp_path: Path) -> None:
    own = files(made(tmp_path, OLDER))
    pins = own["requirements.txt"].split()
    assert {"trl==1.9.0", "transformers==5.16.1", "peft==0.20.0", "accelerate==1.13.0", "datasets==4.8.4"} < {*pins}
    head = own["train.py"].partition("# ///\n\n")[0]
    assert [line.strip('#", ') for line in head.splitlines() if "==" in line] == pins
    assert "Defaults of TRL 1.9.0, and of 1.16.0 where the two differ," in own["train.py"]


def test_without_a_version_it_is_the_newest(tmp_path: Path) -> None:
    silent, said = made(tmp_path, None), made(tmp_path, trl.NEWEST)
    assert files(silent) == files(said)
    assert silent.plan and silent.plan["target.version"] == trl.NEWEST and not silent.plan.explicit("target.version")
    assert said.plan and said.plan.explicit("target.version")


def test_a_constant_says_whose_default_it_is(tmp_path: Path) -> None:
    def why(version: str, key: str) -> str:
        bundle = made(tmp_path, version).bundle
        assert bundle is not None
        return bundle.origins[f"train.py: pinned.{key}"].how

    assert why(trl.NEWEST, "loss_type") == "the default of TRL 1.16.0, written out"
    assert why(OLDER, "loss_type") == "the default of TRL 1.16.0, written out; TRL 1.9.0 has another"
    assert why(OLDER, "tf32") == "the default of TRL 1.9.0, written out"


@pytest.mark.parametrize(("version", "known"), [(None, True), (OLDER, False)])
def test_native_keys_are_those_of_the_version(version: str | None, known: bool, tmp_path: Path) -> None:
    block: dict[str, Any] = {"extra": {"activation_checkpointing": True}}
    found = spec() | {"targets": {"trl": block | ({"version": version} if version else {})}}
    told = [d.message for d in compiled(found, tmp_path)[1].diagnostics if d.code == "TF206"]
    assert told == ([] if known else ["trl==1.9.0 has no key `activation_checkpointing`"])


@pytest.mark.parametrize(("method", "kind"), [("sft", "lora"), ("dpo", "full"), ("orpo", "lora")])
def test_an_older_script_says_what_newer_versions_do_by_themselves(method: str, kind: str, tmp_path: Path) -> None:
    newest, older = (
        files(made(tmp_path, version, method={method: {}}, adapter={"type": kind}))["train.py"]
        for version in (None, OLDER)
    )
    assert "set_seed" not in newest and "AutoConfig" not in newest
    assert ("set_seed(training_args.seed)" in older) == (kind != "full")
    assert ("AutoConfig.from_pretrained(" in older) == (method != "orpo")


def test_the_weight_of_the_experts_loss_that_is_set_needs_no_config(tmp_path: Path) -> None:
    own = files(made(tmp_path, OLDER, method={"dpo": {}}, training={"router_aux_loss_coef": 0.0}))["train.py"]
    assert "router_aux_loss_coef=0.0," in own and "AutoConfig" not in own


def test_every_version_of_every_target_compiles(tmp_path: Path) -> None:
    for name in registry.names():
        for version in registry.get(name).versions:
            result = made(tmp_path, version, name, method={"dpo": {}}, hardware={"device": "cpu"})
            listed = "".join(text for path, text in files(result).items() if path.startswith("requirements"))
            assert f"{name}=={version}\n" in listed
            fate = next(fate for fate in result.fates if fate.path == "target.version")
            assert (fate.fidelity, fate.keys[0].split(".")[-1]) == ("exact", name)


def test_the_tables_of_versions_agree() -> None:
    assert trl.OPTIONAL.keys() == trl.KEYS.keys() == trl.REQUIREMENTS.keys()
    assert BRINGS_TRL.keys() == axolotl.KEYS.keys() == axolotl.REQUIREMENTS.keys()
    assert unsloth.TARGET.versions == (unsloth.OWN["unsloth"],)
    for module, label in ((trl, "trl"), (axolotl, "axolotl")):
        for version, file in module.KEYS.items():
            assert json.loads((TRAINERS / file).read_text())[label] == version


def test_a_version_of_another_target_is_refused(tmp_path: Path) -> None:
    document(spec() | {"targets": {"unsloth": {"version": "2026.9.1"}}}, tmp_path)
    said = CliRunner().invoke(main, ["compile", str(tmp_path / "tuneform.yaml")]).output
    assert "TF212: no bundle is written for unsloth 2026.9.1" in said and "2026.10.9" in said


def test_a_user_sees_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text(ROWS)
    text = "version: 1\nname: bot\nmodel: acme/tiny\nmethod: dpo\ndata: {train: rows.jsonl}\ntargets: {trl: %s}\n"
    (tmp_path / "one.yaml").write_text(text % "")
    (tmp_path / "two.yaml").write_text(text % "{version: 1.9.0}")

    def said(*words: str) -> str:
        result = CliRunner().invoke(main, [*words], catch_exceptions=False)
        assert result.exit_code in (0, 1), result.output
        return result.stdout

    said("compile", "two.yaml")
    manifest = json.loads((tmp_path / "compiled/bot/trl/manifest.json").read_text())
    assert manifest["target"]["written_for"] == "trl==1.9.0"
    assert 'requirements.txt: trl = "1.9.0"\n  spec: targets.trl.version (two.yaml:6:' in said(
        "explain", "two.yaml", "trl", "target.version"
    )
    fields = json.loads(said("plan", "two.yaml", "--json"))["targets"]["trl"]["fields"]
    assert fields["target.version"]["value"] == "1.9.0" and fields["target.version"]["fidelity"] == "exact"
    assert "version of the trainer" in said("diff", "one.yaml", "two.yaml")
