"""The command line as its user meets it: output, exit codes, files."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from click.testing import CliRunner, Result

from tests.golden.bundles import EXAMPLES, HERE
from tests.support import MINIMAL
from tuneform.runtime import bundles
from tuneform.runtime.cli import COMMANDS, main
from tuneform.runtime.digests import digest
from tuneform.spec.codes import codes
from tuneform.spec.data import Format
from tuneform.spec.schema import descriptions, json_schema, sections
from tuneform.spec.yaml_reader import Reader

ROOT = Path(__file__).parent.parent.parent
Cli = Callable[..., Result]


@pytest.fixture
def cli() -> Cli:
    return lambda *args: CliRunner().invoke(main, [str(a) for a in args], catch_exceptions=False)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "support-triage", tmp_path / "triage")) / "tuneform.yaml"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_every_command_has_help(cli: Cli) -> None:
    for command in COMMANDS:
        assert cli(command, "--help").exit_code == 0
    assert cli("--version").output.startswith("tuneform ")
    assert "did you mean `compile`" in cli("compil").stderr and cli("compil").exit_code == 2


def test_validate_says_what_is_wrong_and_exits_so(cli: Cli, example: Path) -> None:
    assert cli("validate", example).exit_code == 0
    edit(example, "max_steps: 90", "max_steps: ninety")
    found = cli("validate", example)
    assert found.exit_code == 1 and f"{example}:14:14: error TF102" in found.stderr and found.stdout == ""
    document = json.loads(cli("validate", example, "--json").stdout)
    assert document["valid"] is False and document["diagnostics"][0]["place"]["line"] == 14


def test_strict_refuses_a_warning(cli: Cli, example: Path) -> None:
    packed = ["--set", "training.packing=true"]
    assert cli("validate", example, *packed).exit_code == 0
    assert cli("validate", example, *packed, "--strict").exit_code == 3
    refused = cli("compile", example, *packed, "--strict")
    assert refused.exit_code == 3 and not (example.parent / "compiled").exists()


def test_a_missing_spec_and_a_missing_target(cli: Cli, example: Path) -> None:
    assert "TF001" in cli("validate", "nowhere.yaml").stderr
    missing = cli("compile", example, "-t", "trll")
    assert missing.exit_code == 1 and "TF210" in missing.stderr and "did you mean `trl`" in missing.stderr


def test_compile_writes_a_bundle_and_check_watches_it(cli: Cli, example: Path) -> None:
    compiled = cli("compile", example)
    folder = example.parent / "compiled" / "support-triage" / "trl"
    assert compiled.exit_code == 0 and compiled.stdout.strip() == str(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["data"]["data/train.jsonl"]["rows"] == 269
    assert cli("check", example).exit_code == 0

    edit(folder / "train.py", "seed=42", "seed=43")
    edited = cli("check", example)
    assert edited.exit_code == 1 and "edited by hand" in edited.stdout and "-        seed=43," in edited.stdout
    assert "the spec has changed" not in edited.stdout
    cli("compile", example)

    edit(example, "seed: 42", "seed: 44")
    changed = cli("check", example)
    assert (
        changed.exit_code == 1 and "the spec has changed" in changed.stdout and "+        seed=44," in changed.stdout
    )
    assert "edited by hand" not in changed.stdout
    cli("compile", example)
    assert cli("check", example).exit_code == 0


def test_lines_moved_in_the_spec_are_no_drift(cli: Cli, example: Path) -> None:
    cli("compile", example)
    before = {p.name: p.read_bytes() for p in example.parent.glob("compiled/*/*/*.*") if p.is_file()}
    text = example.read_text("utf-8").replace("version: 1\n", "\n# moved\nversion: 1\n\n")
    example.write_text(text.replace("method: sft", "method: {sft: }"), encoding="utf-8")
    assert cli("check", example).exit_code == 0
    cli("compile", example)
    assert before == {p.name: p.read_bytes() for p in example.parent.glob("compiled/*/*/*.*") if p.is_file()}


def test_changed_rows_are_drift_and_missing_rows_are_not(cli: Cli, example: Path) -> None:
    cli("compile", example)
    rows = example.parent / "data" / "train.jsonl"
    kept = rows.read_text("utf-8")
    rows.write_text("".join(kept.splitlines(True)[1:]), encoding="utf-8")
    assert "the rows have changed: data/train.jsonl" in cli("check", example).stdout
    rows.unlink()
    assert cli("check", example).exit_code == 0


def test_a_newer_tuneform_alone_is_no_drift(cli: Cli, example: Path) -> None:
    cli("compile", example)
    folder = example.parent / "compiled" / "support-triage" / "trl"
    manifest = json.loads((folder / "manifest.json").read_text())
    old = (folder / "train.py").read_text("utf-8").replace("seed=42", "seed=41")
    (folder / "train.py").write_text(old, encoding="utf-8")
    manifest["files"]["train.py"], manifest["tuneform"] = digest(old.encode()), "0.0.9"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = cli("check", example)
    assert found.exit_code == 0 and "0.0.9 wrote this" in found.stderr


def test_compile_keeps_what_a_run_left_and_takes_its_own_files_away(cli: Cli, example: Path) -> None:
    cli("compile", example)
    folder = example.parent / "compiled" / "support-triage" / "trl"
    (folder / "output").mkdir()
    (folder / "output" / "model.bin").write_text("weights")
    cli("compile", example, "--set", "data.loss_on=all", "--set", "data.format=chat", "--set", "data.masks=native",
        "--set", "training.on_too_long=truncate")  # fmt: skip
    assert (folder / "output" / "model.bin").read_text() == "weights"
    assert not (folder / "prepare.py").exists() and not list(folder.parent.glob(".*"))


def test_nothing_is_written_where_one_of_several_targets_is_wrong(cli: Cli, example: Path) -> None:
    edit(example, "targets:\n  trl:", "targets:\n  trl:\n  other: {target: trl, extra: {lr: 1}}")
    assert cli("compile", example).exit_code == 1
    assert not (example.parent / "compiled").exists()


def test_a_full_disk_leaves_the_old_bundle(cli: Cli, example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("compile", example)
    folder = example.parent / "compiled" / "support-triage" / "trl"
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundles, "write_data", full)
    failed = cli("compile", example, "--set", "training.seed=1")
    assert failed.exit_code == 4 and "No space left" in failed.stderr
    assert before == {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    assert [p.name for p in folder.parent.iterdir()] == ["trl"]


def test_plan_tells_people_and_programs(cli: Cli, example: Path) -> None:
    shown = cli("plan", example).stdout
    assert "sft of HuggingFaceTB/SmolLM2-135M-Instruct, LoRA, on 1 x cpu" in shown
    assert "269 to train on" in shown and "training.learning_rate" in shown and "adapter.dropout" not in shown
    assert "adapter.dropout" in cli("plan", example, "--all").stdout
    field = json.loads(cli("plan", example, "--json").stdout)["targets"]["trl"]["fields"]["training.warmup_steps"]
    assert field["value"] == 4 and field["origin"]["kind"] == "derived"


def test_explain_leads_from_an_artifact_to_the_line(cli: Cli, example: Path) -> None:
    found = cli("explain", example, "trl", "learning_rate").stdout
    assert "train.py: SFTConfig.learning_rate = 0.001" in found and f"{example}:16:3" in found
    assert "largest divisor of 4 / 1" in cli("explain", example, "trl", "SFTConfig.per_device_train_batch_size").stdout
    assert "did you mean" in cli("explain", example, "trl", "learning_rat").stderr
    by_path = cli("explain", example, "trl", "training.micro_batch_size").stdout
    assert by_path == cli("explain", example, "trl", "per_device_train_batch_size").stdout
    assert "did you mean `training.seed`" in cli("explain", example, "trl", "training.sed").stderr
    assert "say which target and key" in cli("explain", example).stderr and cli("explain", example).exit_code == 2
    axolotl = ("--set", "targets.other.target=axolotl")
    found = cli("explain", example, "other", "learning_rate", *axolotl).stdout
    assert "config.yaml: learning_rate" in found and "tuneform.yaml:" in found
    assert cli("explain", example, "trl").exit_code == 2 and cli("explain", "TF999").exit_code == 2


@pytest.mark.parametrize("what", [("trl", "nosuch"), ("trl",)])
def test_a_usage_error_is_one_json_document_too(cli: Cli, example: Path, what: tuple[str, ...]) -> None:
    found = cli("explain", example, *what, "--json")
    assert found.exit_code == 2 and json.loads(found.stdout)["error"] and "Usage:" in found.stderr


def test_every_code_is_explained(cli: Cli) -> None:
    for code, entry in codes().items():
        shown = cli("explain", code.lower()).stdout
        assert shown.startswith(f"{code}: {entry.title}") and len(entry.explanation) > 30


def test_the_committed_schema_is_fresh() -> None:
    assert json.loads((ROOT / "tuneform.schema.json").read_text("utf-8")) == json_schema(), "run `make golden`"


def test_every_field_is_described() -> None:
    for name, section in sections().items():
        missing = set(section.model_fields) - set(descriptions(section))
        assert not missing, f"{name}: {missing}"


def plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("file", [*EXAMPLES.glob("*/*.yaml"), *HERE.glob("*/*.yaml")], ids=lambda p: p.parent.name)
def test_the_schema_takes_every_valid_spec(file: Path) -> None:
    jsonschema.validate(plain(Reader(file.read_text("utf-8"), str(file)).read().plain()), json_schema())


@pytest.mark.parametrize(
    "change", [{"lr": 1}, {"method": "dpoo"}, {"training": {"epochs": "3"}}, {"adapter": {"rank": 0}}, {"version": 2}]
)
def test_the_schema_refuses_what_the_language_refuses(change: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**MINIMAL, **change}, json_schema())


def bundle_of(example: Path) -> Path:
    return example.parent / "compiled" / "support-triage" / "trl"


def test_a_file_of_the_user_outlives_a_compile(cli: Cli, example: Path) -> None:
    cli("compile", example)
    own = bundle_of(example) / "data" / "own.txt"
    own.write_text("precious")
    (own.parents[2] / ".trl.old").touch()
    assert cli("compile", example).exit_code == 0
    assert own.read_text() == "precious"


def test_no_data_leaves_the_rows_of_a_bundle_alone(cli: Cli, example: Path) -> None:
    cli("compile", example)
    folder = bundle_of(example)
    before = json.loads((folder / "manifest.json").read_text())["data"]
    assert cli("compile", example, "--no-data").exit_code == 0
    assert json.loads((folder / "manifest.json").read_text())["data"] == before
    assert (folder / "data" / "train.jsonl").is_file() and cli("check", example).exit_code == 0
    cli("compile", example, "--no-data", "--set", "data.format=text", "--set", "data.loss_on=all")
    assert not (folder / "data" / "train.jsonl").exists()  # rows of another shape


def test_check_sees_edited_rows_and_another_way_to_run(cli: Cli, example: Path) -> None:
    cli("compile", example)
    folder = bundle_of(example)
    edit(folder / "data" / "train.jsonl", '"role"', '"rôle"')
    assert "edited by hand since it was compiled: data/train.jsonl" in cli("check", example).stdout
    cli("compile", example)
    edit(folder / "manifest.json", '"train.py"\n    ]', '"other.py"\n    ]')
    changed = cli("check", example)
    assert changed.exit_code == 1 and '-    "other.py"' in changed.stdout


def test_check_says_how_to_write_the_same_anew(cli: Cli, example: Path) -> None:
    folder = example.parent.parent / "my specs"
    shutil.copytree(example.parent, folder)
    asked = [folder / example.name, "-o", folder / "out", "--set", "training.seed=7"]
    found = cli("check", *asked)
    (line,) = [line for line in found.stdout.splitlines() if line.startswith("write it anew with: ")]
    again = shlex.split(line.removeprefix("write it anew with: tuneform "))
    assert found.exit_code == 1 and cli(*again).exit_code == 0
    assert cli("check", *asked).exit_code == 0


def test_a_manifest_with_conflict_markers_is_said_to_be_unreadable(cli: Cli, example: Path) -> None:
    cli("compile", example)
    edit(bundle_of(example) / "manifest.json", "{\n", "<<<<<<< HEAD\n{\n")
    assert "manifest.json cannot be read" in cli("check", example).stdout
    assert cli("compile", example).exit_code == 0 and cli("check", example).exit_code == 0


@pytest.mark.parametrize("facts", ['{"shape": "chat", "rows_of_a_newer_version": 4}', '{"shape": 7}', "[]"])
def test_facts_that_this_version_does_not_know(cli: Cli, example: Path, facts: str) -> None:
    cli("compile", example)
    manifest = json.loads((bundle_of(example) / "manifest.json").read_text())
    (bundle_of(example) / "manifest.json").write_text(json.dumps(manifest | {"facts": json.loads(facts)}))
    (example.parent / "data" / "train.jsonl").unlink()
    found = cli("check", example)
    assert found.exit_code == 0 and "up to date" in found.stdout and found.stderr == ""


def test_rows_that_may_be_skipped_fail_no_command_that_reads_a_few(cli: Cli, example: Path) -> None:
    rows = example.parent / "data" / "train.jsonl"
    rows.write_text("{broken\n" + rows.read_text("utf-8"), encoding="utf-8")
    skip = ["--set", "data.on_bad_row=skip", "--set", "data.format=auto"]
    assert cli("compile", example, *skip).exit_code == 0
    assert cli("compile", example, *skip, "--no-data").exit_code == 0
    assert cli("explain", example, "trl", "learning_rate", *skip).exit_code == 0
    assert cli("compile", example, "--no-data", "--set", "data.format=auto").exit_code == 1


@pytest.mark.parametrize(("content", "words"), [(b"caf\xe9", "not UTF-8 text (byte 4)"), (None, "is no file")])
def test_a_chat_template_that_is_no_text(cli: Cli, example: Path, content: bytes | None, words: str) -> None:
    if content:
        (example.parent / "own.jinja").write_bytes(content)
    edit(example, "model: Hugging", "model:\n  chat_template: ./own.jinja\n  id: Hugging")
    found = cli("compile", example)
    assert found.exit_code == 1 and "TF211" in found.stderr and words in found.stderr


def test_a_reward_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "2+2?", "answer": "4"}\n' * 40)
    spec = tmp_path / "tuneform.yaml"
    spec.write_text(
        "version: 1\nname: x\nmodel: acme/tiny\nmethod: grpo\ndata: {train: rows.jsonl}\n"
        "rewards: [{file: mine.py, function: right}]\ntargets: {trl: }\n"
    )
    for command in ("validate", "compile"):
        found = cli(command, spec)
        assert found.exit_code == 1 and f"{spec}:6:18: error TF211: `mine.py` is no file" in found.stderr
    (tmp_path / "mine.py").write_text("def right(answer, row): return 1.0\n")
    assert cli("compile", spec).exit_code == 0


@pytest.mark.parametrize("command", ["report", "split", "convert"])
def test_commands_on_rows_take_the_formats_of_a_spec(command: str) -> None:
    help_text = CliRunner().invoke(main, ["data", command, "--help"], terminal_width=300).output
    shown = re.search(r"--format \[(.*?)\]", help_text)
    assert shown is not None and tuple(shown[1].split("|")) == get_args(Format)


def test_an_output_that_knows_few_characters(example: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    renamed = ["--set", "model=./modèle", "--set", "targets.trl.accept=[]"]
    for command in (["plan", example, *renamed], ["plan", example, *renamed, "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "tuneform", *map(str, command)], capture_output=True, env=environment
        )
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    fields = json.loads(done.stdout)["targets"]["trl"]["fields"]
    assert fields["model.id"]["value"].endswith("modèle")


def test_a_weight_is_held_against_what_the_spec_trains(cli: Cli, example: Path) -> None:
    rows = example.parent / "data" / "train.jsonl"
    row = json.loads(rows.read_text("utf-8").splitlines()[0])
    row["messages"] += [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!", "weight": 0}]
    rows.write_text(json.dumps(row) + "\n" + rows.read_text("utf-8"), encoding="utf-8")
    assert cli("validate", example).exit_code == 0
    found = cli("validate", example, "--set", "data.loss_on=last_assistant")
    assert (
        found.exit_code == 1 and "train.jsonl:1:1: error TF322: the row gives its last turn weight 0" in found.stderr
    )
