"""`extends`, `--set` and `set:`: what is merged, in which order, and where paths lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import TODAY, UP
from tuneform.compilers.compile import compile_target, for_label
from tuneform.spec.diagnostics import Diagnostic
from tuneform.spec.load import Document, for_target, load
from tuneform.spec.plan import DataFacts, Plan

BASE = """\
version: 1
name: base
model: acme/tiny
method: dpo
adapter: {rank: 8, target_modules: [a, b]}
data: {train: rows.jsonl, format: preference}
training: {optimizer: adafactor, seed: 1}
targets: {trl: }
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def plan(file: Path, *sets: str, label: str = "trl") -> Plan:
    whole = load(str(file), sets)
    assert whole.spec is not None, whole.diagnostics
    own, problems = for_label(whole, label)
    assert not problems, problems
    result = compile_target(own, label, DataFacts("preference", 100), TODAY, UP)
    assert result.plan is not None, result.diagnostics
    return result.plan


def problems(document: Document) -> list[tuple[str, str]]:
    return [(d.code, d.message) for d in document.diagnostics]


def test_mappings_merge_lists_are_replaced_and_null_removes(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", BASE)
    child = (
        "extends: base.yaml\nname: child\nadapter: {target_modules: [c], rank: }\ntraining: {optimizer: {eps: 1e-6}}"
    )
    child = child.replace("{eps: 1e-6}", "adamw_torch")
    found = plan(write(tmp_path, "child.yaml", child))
    assert (found["name"], found["adapter.target_modules"]) == ("child", ("c",))
    assert found["adapter.rank"] == 16 and found.origin("adapter.rank").kind == "default"
    assert found["training.seed"] == 1 and found["training.optimizer.name"] == "adamw_torch"


def test_a_key_may_stand_beside_a_shorthand(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", BASE)
    child = "extends: base.yaml\nmodel: {revision: abc}\nmethod: {dpo: {beta: 0.3}}"
    found = plan(write(tmp_path, "child.yaml", child), "training.scheduler.name=linear", "model.dtype=float16")
    assert (found["model.id"], found["model.revision"], found["model.dtype"]) == ("acme/tiny", "abc", "float16")
    assert (found["method.dpo.beta"], found["training.scheduler.name"]) == (0.3, "linear")


def test_parents_go_from_left_to_right_and_set_comes_last(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", BASE)
    write(tmp_path, "b.yaml", "training: {seed: 2, max_length: 64}")
    child = write(tmp_path, "c.yaml", "extends: [a.yaml, b.yaml]\ntraining: {max_length: 96}")
    assert (plan(child)["training.seed"], plan(child)["training.max_length"]) == (2, 96)
    assert plan(child, "training.max_length=128", "training.max_length=32")["training.max_length"] == 32


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    write(tmp_path, "shared/base.yaml", BASE.replace("acme/tiny", "./models/tiny"))
    child = write(tmp_path, "work/spec.yaml", "extends: ../shared/base.yaml\ndata: {test: own.jsonl}")
    found = plan(child)
    assert found["model.id"] == "../../../../shared/models/tiny"
    assert found["data.train"][0]["path"] == "../../../../shared/rows.jsonl"
    assert found["data.test"][0]["path"] == "../../../own.jsonl"


def test_a_path_of_set_is_relative_to_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "work/spec.yaml", BASE)
    monkeypatch.chdir(tmp_path)
    assert plan(Path("work/spec.yaml"), "model.id=./models/x")["model.id"] == "../../../../models/x"


@pytest.mark.parametrize("text", ["training.seed", "=3", ".seed=3", "a..b=1", ""])
def test_set_without_a_path_or_value_is_told(text: str, tmp_path: Path) -> None:
    found = load(str(write(tmp_path, "s.yaml", BASE)), [text]).diagnostics
    assert [d.code for d in found] == ["TF014"]


def test_set_takes_any_yaml_value_and_its_problems_have_a_place(tmp_path: Path) -> None:
    file = write(tmp_path, "s.yaml", BASE)
    assert plan(file, "training.optimizer={name: adamw_torch, betas: [0.8, 0.9]}")["training.optimizer.betas"] == (
        0.8,
        0.9,
    )
    (problem,) = load(str(file), ["training.seed=x"]).diagnostics
    assert str(problem.span) == "--set training.seed=x:1:1"
    assert [d.code for d in load(str(file), ["training.seed=[1"]).diagnostics] == ["TF003"]
    assert [d.code for d in load(str(file), ["training.sed=1"]).diagnostics] == ["TF104"]


def test_set_of_nothing_removes(tmp_path: Path) -> None:
    assert plan(write(tmp_path, "s.yaml", BASE), "training.seed=")["training.seed"] == 42


def test_null_in_a_targets_set_deletes_the_key(tmp_path: Path) -> None:
    block = "{trl: , all: {target: trl, set: {training.max_steps: null, adapter.rank: , model.revision: }}}"
    text = BASE.replace("seed: 1", "seed: 1, max_steps: 50").replace("{trl: }", block)
    file = write(tmp_path, "s.yaml", text)
    assert plan(file)["training.max_steps"] == 50 and "training.epochs" not in plan(file)
    own = plan(file, label="all")
    assert own["training.max_steps"] is None and own["training.epochs"] == 1 and own["training.seed"] == 1
    assert (own["adapter.rank"], own.origin("adapter.rank").kind, own["model.revision"]) == (16, "default", None)
    swapped = text.replace("training.max_steps: null", "training.max_steps: null, training.epochs: 3")
    assert plan(write(tmp_path, "t.yaml", swapped), label="all")["training.epochs"] == 3


@pytest.mark.parametrize("empty", ["", "null", "~"])
def test_null_on_the_command_line_deletes_the_key(empty: str, tmp_path: Path) -> None:
    text = BASE.replace("seed: 1", "max_steps: 50, scheduler: linear")
    file = write(tmp_path, "s.yaml", text.replace("{trl: }", "{trl: , b: {target: trl, set: {training.seed: 9}}}"))
    found = plan(file, f"training.max_steps={empty}", f"training.scheduler.name={empty}")
    assert found["training.max_steps"] is None and found["training.scheduler.name"] == "cosine"
    assert plan(file, f"targets.b.set={empty}", label="b")["training.seed"] == 42
    whole = load(str(file), [f"targets.b={empty}"]).spec
    assert whole and list(whole.targets) == ["trl"]
    assert [d.path for d in load(str(file), [f"model={empty}"]).diagnostics] == ["model"]


def test_a_comment_is_no_value(tmp_path: Path) -> None:
    found = load(str(write(tmp_path, "s.yaml", BASE)), ["training.seed=#1"]).diagnostics
    assert [d.code for d in found] == ["TF004"]


def test_null_where_nothing_is_changes_nothing(tmp_path: Path) -> None:
    text = BASE.replace("format: preference", "format: preference, eval: {split: 0.1}")
    file = write(tmp_path, "s.yaml", text)
    assert dict(plan(file, "evaluation.early_stopping.patience=", "tracking.wandb.project=")) == dict(plan(file))
    block = "{trl: {set: {evaluation.early_stopping.patience: }}}"
    assert dict(plan(write(tmp_path, "t.yaml", text.replace("{trl: }", block)))) == dict(plan(file))


def test_a_choice_may_stand_without_settings(tmp_path: Path) -> None:
    file = write(tmp_path, "s.yaml", BASE.replace("{trl: }", "{trl: {set: {tracking: {wandb: }}}}"))
    assert plan(file)["tracking"] == ("wandb",)
    plain = write(tmp_path, "t.yaml", BASE)
    assert plan(plain, "tracking.mlflow=")["tracking"] == ("mlflow",)
    assert plan(plain, "targets.other.target=trl", "targets.trl=", label="other")["training.seed"] == 1


@pytest.mark.parametrize("key", ["training.sed", "trainin.seed", "training.seed.x", "data.train.pth", "rewards.lenth"])
def test_null_for_a_key_that_there_is_not_is_told(key: str, tmp_path: Path) -> None:
    assert [d.code for d in load(str(write(tmp_path, "s.yaml", BASE)), [f"{key}="]).diagnostics] != []
    whole = load(str(write(tmp_path, "t.yaml", BASE.replace("{trl: }", f"{{trl: {{set: {{{key}: null}}}}}}"))))
    assert whole.spec and for_label(whole, "trl")[1] != []


def test_an_unknown_key_without_a_value_is_told(tmp_path: Path) -> None:
    found = load(str(write(tmp_path, "s.yaml", BASE.replace("seed: 1", "sed: , epochs: ")))).diagnostics
    assert [(d.code, d.path) for d in found] == [("TF104", "training.sed")]
    text = BASE.replace("train: rows.jsonl", "train: {path: a, pth: }, eval: {path: b, split: , weight: }")
    found = load(str(write(tmp_path, "t.yaml", text))).diagnostics
    assert [(d.code, d.path) for d in found] == [("TF104", "data.train.pth")]


def test_set_of_a_target_is_for_that_target_alone(tmp_path: Path) -> None:
    block = "targets:\n  trl:\n  cheap: {target: trl, set: {training.seed: 9, adapter: {type: full, rank: , target_modules: }}}"
    file = write(tmp_path, "s.yaml", BASE.replace("targets: {trl: }", block))
    assert plan(file)["training.seed"] == 1 and plan(file)["adapter.type"] == "lora"
    assert plan(file, label="cheap")["training.seed"] == 9 and plan(file, label="cheap")["adapter.type"] == "full"


def test_the_file_of_a_problem_is_the_one_that_holds_it(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", BASE.replace("seed: 1", "seed: one"))
    child = write(tmp_path, "child.yaml", "extends: base.yaml\nname: Bad Name\n")
    found: list[Diagnostic] = load(str(child)).diagnostics
    assert [(Path(d.span.file).name, d.span.line) for d in found if d.span] == [("base.yaml", 7), ("child.yaml", 2)]
    assert all(d.source for d in found)


def test_escaped_placeholders_are_text(tmp_path: Path) -> None:
    found = plan(write(tmp_path, "s.yaml", BASE), "model.revision=$${x}", "tracking.wandb.project=a-${TEAM}-$${b}")
    assert found["model.revision"] == "${x}" and found["tracking.wandb.project"] == "a-${TEAM}-$${b}"


def test_a_chain_of_extends_ends(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "extends: b.yaml")
    write(tmp_path, "b.yaml", "extends: ./a.yaml")
    assert problems(load(str(tmp_path / "a.yaml")))[0][0] == "TF013"


def test_a_targets_set_and_extra_take_placeholders_as_their_places_do(tmp_path: Path) -> None:
    block = 'targets: {trl: {set: {tracking.wandb.project: "${TEAM}"}, extra: {hub_revision: "$${x}"}}}'
    found = plan(write(tmp_path, "s.yaml", BASE.replace("targets: {trl: }", block)))
    assert found["tracking.wandb.project"] == "${TEAM}" and found.extra["hub_revision"] == "${x}"


def test_set_on_the_command_line_comes_last(tmp_path: Path) -> None:
    text = BASE.replace("{trl: }", "{trl: {set: {training.seed: 5, stages.b.training.seed: 6}}}")
    text = text.replace(
        "version: 1", "version: 1\nstages: {a: {training: {seed: 7}}, b: {training: {epochs: 2}}, c: }"
    )
    file = str(write(tmp_path, "s.yaml", text))
    document = load(file)
    seeds = [for_target(document, "trl", stage).spec for stage in document.stages]
    assert [own.training.seed for own in seeds if own] == [7, 6, 5]
    document = load(file, ["training.seed=8", "stages.c.training.epochs=3"])
    found = [for_target(document, "trl", stage).spec for stage in document.stages]
    assert [(own.training.seed, own.training.epochs) for own in found if own] == [(8, 1.0), (8, 2.0), (8, 3.0)]


def test_a_mapping_in_a_set_is_merged(tmp_path: Path) -> None:
    text = BASE.replace("{trl: }", "{trl: {set: {training: {seed: 5}}}}").replace("seed: 1", "seed: 1, epochs: 3")
    own = for_target(load(str(write(tmp_path, "s.yaml", text))), "trl").spec
    assert own is not None and (own.training.seed, own.training.epochs) == (5, 3.0)


def test_null_is_a_value_for_native_keys_and_in_a_json_schema(tmp_path: Path) -> None:
    text = BASE.replace("{trl: }", "{trl: {extra: {optim_args: null, data_seed: 3}}}")
    document = load(str(write(tmp_path, "s.yaml", text)))
    assert document.spec is not None and document.spec.targets["trl"].extra == {"optim_args": None, "data_seed": 3}
    text = BASE.replace("method: dpo", "method: grpo\nrewards: [{json_schema: {const: null}}]")
    document = load(str(write(tmp_path, "t.yaml", text)))
    assert document.spec is not None and document.spec.rewards[0].json_schema == {"const": None}
