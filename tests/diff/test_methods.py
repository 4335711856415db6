"""Changes of methods, rewards and hardware: what is said, and what follows from what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.diff.comparing import roots, subject, told
from tests.support import BASES, MINIMAL, put, spec
from tuneform.compilers.changes import Change, Subject
from tuneform.compilers.difference import compare, file_paths
from tuneform.compilers.difference_rewards import described

GRPO = spec(method={"grpo": {}}, rewards=[{"exact_match": "answer"}])
PACKED = BASES["sft-packed"]


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    for path, value in changes.items():
        base = put(base, path.replace("__", "."), value)
    return base


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (GRPO, put(GRPO, "method.grpo.num_generations", 4),
         ["answers for each prompt: 8 -> 4 (halved)", "gradient accumulation: 64 -> 32"]),
        (put(GRPO, "training.batch_size", 1), changed(GRPO, training__batch_size=1, method__grpo__num_generations=2),
         ["answers for each prompt: 8 -> 2 (divided by 4)", "micro batch: 4 -> 2", "gradient accumulation: 2 -> 1"]),
        (GRPO, put(GRPO, "method.grpo.num_iterations", 2),
         ["passes over each batch of answers: 1 -> 2", "optimizer steps: 12 -> 24 (12 more)"]),
        (GRPO, put(GRPO, "method.grpo.epsilon", 0.1),
         ["clipping range epsilon: 0.2 -> 0.1 (halved)", "upper clipping range: 0.2 -> 0.1 (halved)"]),
        (GRPO, put(GRPO, "method.grpo.beta", 0.04), ["GRPO beta: 0 -> 0.04 (a KL term pulls to the reference model)"]),
        (put(GRPO, "method.grpo.beta", 0.04), put(GRPO, "method.grpo.beta", 0.08), ["GRPO beta: 0.04 -> 0.08 (doubled)"]),
        (MINIMAL, GRPO,
         ["method: sft -> grpo (samples answers and reinforces those that score above their group; "
          "before: imitates answers)",
          "learning rate: 2e-4 -> 1e-5 (divided by 20)", "gradient accumulation: 8 -> 64", "rows are: chat -> prompt",
          "optimizer steps: 13 -> 12 (1 fewer)",
          "no longer applies: trained tokens assistant, labels made by auto, packing false, group by length false, micro batch of evaluation 4",
          "applies now: rewards exact_match, answers for each prompt 8, longest answer in tokens 512, "
          "sampling temperature 1 and 12 more"]),
        (BASES["kto"], changed(BASES["kto"], method__kto__beta=0.2, method__kto__undesirable_weight=1.5),
         ["KTO beta: 0.1 -> 0.2 (doubled)", "weight of undesirable answers: 1 -> 1.5 (x 1.5)"]),
        (BASES["dpo"], BASES["dpo-robust"], ["DPO loss: sigmoid -> robust", "applies now: label smoothing 0"]),
        (BASES["dpo"], put(BASES["dpo"], "method.dpo.rpo_alpha", 1.0),
         ["RPO alpha: 0 -> 1 (a next-token loss on the chosen answer is added)"]),
        (put(PACKED, "training.packing", False), PACKED,
         ["packing: false -> true (several rows share a sequence)", "optimizer steps: 13 -> not known",
          "effective warmup steps: 1 -> not known", "applies now: packing strategy bfd"]),
        (PACKED, put(PACKED, "training.packing_strategy", "wrapped"),
         ["packing strategy: bfd -> wrapped (rows are cut anywhere)"]),
        (MINIMAL, BASES["sft-hub"], ["pushed to the hub as: - -> acme/tuned", "applies now: private on the hub true"]),
        (spec(hardware={"count": 2}), BASES["sft-fsdp"],
         ["devices share by: ddp -> fsdp", "applies now: FSDP reshard after forward true, FSDP CPU offload false"]),
        (BASES["sft-fsdp"], BASES["sft-deepspeed"],
         ["devices share by: fsdp -> deepspeed",
          "no longer applies: FSDP reshard after forward true, FSDP CPU offload false",
          "applies now: ZeRO stage 3, ZeRO optimizer offload false, ZeRO parameter offload false"]),
        (MINIMAL, put(MINIMAL, "model.start_from", "./earlier"),
         ["starts from: the base model -> ../../../earlier (training starts from other weights)",
          "tokenizer: acme/tiny -> ../../../earlier (rows become other tokens)"]),
        (MINIMAL, put(MINIMAL, "model.special_tokens", {"eos_token": "<end>"}),
         ["end token: the tokenizer's own -> <end> (texts end in another token)"]),
        (MINIMAL, put(MINIMAL, "training.neftune_noise_alpha", 5.0),
         ["NEFTune alpha: none -> 5 (noise on the embeddings while training)"]),
        (MINIMAL, put(MINIMAL, "training.liger_kernel", True),
         ["Liger kernels: false -> true (the same computation in other kernels)"]),
        (BASES["sft-root"], BASES["sft-stable"],
         ["schedule: inverse_sqrt -> warmup_stable_decay",
          "applies now: decay steps 5, final share of the learning rate 0"]),
    ],
)  # fmt: skip
def test_what_is_said(one: dict[str, Any], two: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    assert told(compare(subject(one, tmp_path), subject(two, tmp_path))) == expected


@pytest.mark.parametrize(
    ("base", "path", "value", "group"),
    [
        (MINIMAL, "model.start_from", "./earlier", "objective"),
        (MINIMAL, "model.special_tokens", {"additional": ["<x>"]}, "objective"),
        (MINIMAL, "model.accept_eula", True, "run"),
        (MINIMAL, "training.neftune_noise_alpha", 5.0, "optimization"),
        (MINIMAL, "training.group_by_length", True, "optimization"),
        (MINIMAL, "training.liger_kernel", True, "run"),
        (MINIMAL, "training.torch_compile", True, "run"),
        (put(PACKED, "training.packing", False), "training.packing", True, "optimization"),
        (PACKED, "training.packing_strategy", "bfd_split", "objective"),
        (GRPO, "method.grpo.num_iterations", 2, "optimization"),
        (GRPO, "method.grpo.loss_type", "grpo", "objective"),
        (GRPO, "logging.completions", True, "run"),
        (GRPO, "rewards.0.weight", 2.0, "objective"),
        (spec(hardware={"count": 2}), "hardware.strategy", "fsdp", "run"),
        (BASES["sft-hub"], "saving.hub_private", False, "run"),
    ],
)
def test_how_much_it_matters(base: dict[str, Any], path: str, value: Any, group: str, tmp_path: Path) -> None:
    found = compare(subject(base, tmp_path), subject(put(base, path, value), tmp_path))
    assert [change.group for change in found.changes] == [group]


# Rewards


def rewards(one: list[Any], two: list[Any], folder: Path, *contents: str) -> Change:
    sides = []
    for found, content in zip((one, two), contents or ("", ""), strict=True):
        side = subject(put(GRPO, "rewards", found), folder)
        digests = dict.fromkeys(file_paths(side.plan), content) if content else {}
        sides.append(Subject(side.plan, side.fates, digests))
    return roots(compare(sides[0], sides[1]))["rewards"]


EXACT, DIGITS = {"exact_match": "answer"}, {"regex": "[0-9]+"}
SCORE = {"file": "score.py", "function": "score"}


@pytest.mark.parametrize(
    ("one", "two", "means"),
    [
        ([EXACT], [EXACT, DIGITS], "regex added"),
        ([EXACT, DIGITS], [DIGITS], "exact_match removed"),
        ([EXACT, DIGITS], [{**EXACT, "weight": 2.0}, DIGITS], "weight of exact_match 1 -> 2"),
        ([EXACT, DIGITS, DIGITS], [{**DIGITS, "weight": 0.5}, EXACT, DIGITS], "weight of regex 1 -> 0.5"),
        ([EXACT], [{"exact_match": {"reference": "gold", "ignore_case": True}}],
         "reference of exact_match answer -> gold; ignore_case of exact_match false -> true"),
        ([DIGITS], [{"regex": {"pattern": "a", "match": "fullmatch"}}],
         "pattern of regex [0-9]+ -> a; match of regex search -> fullmatch"),
        ([{"length": {"min": 1}}], [{"length": {"min": 1, "max": 9}}], "max of length - -> 9"),
        ([{"json_schema": {}}], [{"json_schema": {"type": "array"}}], "json_schema has another schema"),
        ([SCORE], [{"file": "b.py", "function": "score"}], "score is read from ../../../b.py instead of ../../../score.py"),
        ([SCORE], [{"file": "score.py", "function": "fast"}], "fast added; score removed"),
        ([EXACT, DIGITS], [DIGITS, EXACT], "the same rewards in another order"),
    ],
)  # fmt: skip
def test_rewards_are_told_by_what_changed(one: list[Any], two: list[Any], means: str, tmp_path: Path) -> None:
    change = rewards(one, two, tmp_path)
    assert change.means == means
    assert change.group == ("run" if "order" in means else "objective")


def test_the_file_of_a_reward_counts_by_its_content(tmp_path: Path) -> None:
    other = [{"file": "b.py", "function": "score"}]
    assert rewards([SCORE], [SCORE], tmp_path, "1", "2").means == "../../../score.py has other content"
    assert rewards([SCORE], [SCORE], tmp_path, "1", "2").group == "objective"
    moved, replaced = rewards([SCORE], other, tmp_path, "1", "1"), rewards([SCORE], other, tmp_path, "1", "2")
    assert moved.means.endswith("instead of ../../../score.py, with the same content") and moved.group == "run"
    assert replaced.means.endswith(", with other content") and replaced.group == "objective"


def test_a_list_of_rewards_is_shown_by_names(tmp_path: Path) -> None:
    plan = subject(put(GRPO, "rewards", [EXACT, {**DIGITS, "weight": 0.5}, DIGITS, SCORE]), tmp_path).plan
    assert described(plan["rewards"]) == "exact_match, regex (weight 0.5), regex_2, score"


# A section that need not be there


def test_early_stopping_that_comes_is_one_change(tmp_path: Path) -> None:
    one, two = subject(MINIMAL, tmp_path), subject(spec(evaluation={"early_stopping": {"min_delta": 0.1}}), tmp_path)
    (change,) = compare(one, two).changes
    assert (change.path, change.before, change.consequences) == ("evaluation.early_stopping", None, ())
    assert change.after == {"patience": 3, "metric": "loss", "min_delta": 0.1} and change.group == "optimization"
    assert told(compare(one, two)) == [
        "early stopping: - -> patience 3, metric loss, min_delta 0.1 (training may end before its last step)"
    ]
    assert told(compare(two, one)) == [
        "early stopping: patience 3, metric loss, min_delta 0.1 -> - (training goes on to its last step)"
    ]


def test_early_stopping_comes_with_evaluation_where_that_is_new(tmp_path: Path) -> None:
    stopping = {"early_stopping": {"patience": 2}}
    without = {key: value for key, value in MINIMAL["data"].items() if key != "eval"}
    one, two = subject({**MINIMAL, "data": without}, tmp_path), subject(spec(evaluation=stopping), tmp_path)
    found = compare(one, two)
    assert "evaluation.early_stopping" not in roots(found)
    (line,) = [line for line in told(found) if line.startswith("applies now")]
    assert line.startswith("applies now: early stopping patience 2, ")
    other = subject(spec(data={"eval": "a.jsonl"}), tmp_path)
    both = compare(other, subject(spec(data={"eval": "b.jsonl"}, evaluation=stopping), tmp_path))
    assert roots(both).keys() == {"data.eval", "evaluation.early_stopping"}
