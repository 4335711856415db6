"""Two plans compared: what is told, as what, and that nothing is left out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_no_field_lost import LEAVES, others, why_not
from tests.diff.comparing import differing, roots, subject, told
from tests.support import BASES, MINIMAL, compiled, is_valid, put, put_somewhere, spec
from tuneform.compilers.changes import Change, Difference, RowChange, Subject
from tuneform.compilers.difference import compare, same
from tuneform.compilers.difference_paths import FOLLOWS, GROUPS, SECTIONS, longest
from tuneform.compilers.difference_words import EMPTY, WORDS
from tuneform.compilers.filechanges import changed_files
from tuneform.compilers.settings import Fate
from tuneform.runtime.difftext import fate
from tuneform.spec.language import Leaf, leaves
from tuneform.spec.plan import Origin, Plan, Value


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Subject]:
    folder = tmp_path_factory.mktemp("bases")
    return {name: subject(base, folder) for name, base in BASES.items()}


@pytest.mark.parametrize("name", BASES)
def test_a_spec_does_not_differ_from_itself(name: str, tmp_path: Path) -> None:
    one, two = subject(BASES[name], tmp_path), subject(BASES[name], tmp_path)
    assert compare(one, two) == Difference()


def mentioned(difference: Difference) -> list[str]:
    """Every path that a difference speaks of, as often as it does."""

    def walk(changes: Iterable[Change]) -> Iterable[str]:
        for change in changes:
            yield from change.paths
            yield from walk(change.consequences)

    return list(walk(difference.changes))


def test_every_difference_is_mentioned_once(bases: dict[str, Subject]) -> None:
    for one, two in permutations(bases, 2):
        found = compare(bases[one], bases[two])
        paths = mentioned(found)
        assert set(paths) == differing(bases[one].plan, bases[two].plan), (one, two)
        assert len(paths) == len(set(paths)), (one, two)
        for change in found.changes:
            assert all(below.causes[0] == change.path for below in change.consequences)
            assert {cause for below in change.consequences for cause in below.causes} <= roots(found).keys()


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.path)
def test_a_changed_leaf_is_told_as_the_cause(leaf: Leaf, bases: dict[str, Subject], tmp_path: Path) -> None:
    for name, base in BASES.items():
        one = bases[name]
        for value in others(leaf):
            changed = put_somewhere(base, leaf.path, value)
            if changed is None or not is_valid(changed, tmp_path):
                continue
            two = subject(changed, tmp_path)
            found = compare(one, two)
            assert set(mentioned(found)) == differing(one.plan, two.plan)
            if found.changes:
                path = leaf.path.replace("data.eval.sources", "data.eval").split("[]")[0]
                (change,) = found.changes
                assert path == change.path or path.startswith(f"{change.path}."), "its section came with it"
                return
    assert why_not(leaf.path) or leaf.path == "evaluation.early_stopping.metric"


def test_the_tables_name_paths_that_there_are(bases: dict[str, Subject]) -> None:
    known = {"target", "rows.train", "rows.eval", "rows.test"} | {leaf.path.replace("[]", "") for leaf in leaves()}
    known |= SECTIONS | {path for base in bases.values() for path in base.plan}
    named = {*WORDS, *EMPTY, *GROUPS, *FOLLOWS, *(cause for causes in FOLLOWS.values() for cause in causes)}
    missing = [p for p in named if not (any(k.startswith(p) for k in known) if p.endswith(".") else p in known)]
    assert missing == []


def test_every_path_has_words(bases: dict[str, Subject]) -> None:
    assert {path for base in bases.values() for path in base.plan} - WORDS.keys() == set()
    titles = [words[0] for path, words in WORDS.items() if not path.startswith("method.rft.")]
    assert sorted(titles) == sorted(set(titles)), "two fields are not called the same"


def test_the_longest_entry_counts() -> None:
    table = {"a.": 1, "a.b.": 2, "a.b.c": 3}
    assert [longest(table, p) for p in ("a.x", "a.b.x", "a.b.c", "a.b.c.d", "x")] == [1, 2, 3, 2, None]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"training.batch_size": 32}, {"training.batch_size": 64},
         ["global batch: 32 -> 64 (doubled)", "gradient accumulation: 8 -> 16",
          "optimizer steps: 13 -> 7 (6 fewer)"]),
        ({"training.learning_rate": 2e-4}, {"training.learning_rate": 1e-4}, ["learning rate: 2e-4 -> 1e-4 (halved)"]),
        ({"training.learning_rate": 1e-3}, {"training.learning_rate": 1e-4},
         ["learning rate: 0.001 -> 1e-4 (divided by 10)"]),
        ({"training.learning_rate": 2e-4}, {"training.learning_rate": 3e-4}, ["learning rate: 2e-4 -> 3e-4 (x 1.5)"]),
        ({"training.epochs": 1}, {"training.epochs": 3},
         ["epochs: 1 -> 3", "optimizer steps: 13 -> 39 (26 more)", "effective warmup steps: 1 -> 2"]),
        ({"training.epochs": 2}, {"training.max_steps": 26},
         ["steps to train: by epochs -> 26", "no longer applies: epochs 2"]),
        ({"training.warmup": 8}, {"training.warmup": 4}, ["warmup: 8 -> 4", "effective warmup steps: 8 -> 4"]),
        ({"training.warmup": 1}, {"training.warmup": "3%"}, ["warmup: 1 -> 3% (the effective warmup stays at 1)"]),
        ({"adapter.rank": 16}, {"adapter.rank": 64},
         ["LoRA rank: 16 -> 64 (trainable parameters x 4, updates are scaled by 0.5 instead of 2)"]),
        ({"adapter.rank": 16}, {"adapter.rank": 64, "adapter.modules_to_save": ["lm_head"]},
         ["LoRA rank: 16 -> 64 (weights of the adapter's matrices x 4, updates are scaled by 0.5 instead of 2)",
          "modules trained in full: none -> lm_head (other weights are trained)"]),
        ({"adapter.rank": 16, "adapter.alpha": 16}, {"adapter.rank": 32, "adapter.alpha": 32},
         ["LoRA rank: 16 -> 32 (trainable parameters x 2)", "LoRA alpha: 16 -> 32"]),
        ({"adapter.use_rslora": False}, {"adapter.use_rslora": True},
         ["rsLoRA: false -> true (updates are scaled by 8 instead of 2)"]),
        ({"adapter.type": "lora"}, {"adapter.type": "full"},
         ["adapter: lora -> full (every weight is trained)", "weights stored as: bfloat16 -> float32",
          "learning rate: 2e-4 -> 2e-5 (divided by 10)",
          "no longer applies: LoRA rank 16, LoRA alpha 32, LoRA dropout 0, LoRA modules all-linear and 5 more"]),
        ({"data.loss_on": "assistant"}, {"data.loss_on": "all"}, ["trained tokens: assistant -> all"]),
        ({"model.id": "acme/tiny"}, {"model.id": "acme/small"},
         ["base model: acme/tiny -> acme/small (training starts from other weights)",
          "tokenizer: acme/tiny -> acme/small (rows become other tokens)"]),
        ({"hardware.device": "cuda"}, {"hardware.device": "cpu"},
         ["device: cuda -> cpu", "weights stored as: bfloat16 -> float32", "arithmetic: bf16 -> fp32"]),
        ({"training.max_length": 128}, {"training.max_length": 256},
         ["longest row in tokens: 128 -> 256 (rows longer than 256 tokens are dropped)"]),
        ({"training.seed": 1}, {"training.seed": 2}, ["seed: 1 -> 2 (another random start and order of rows)"]),
        ({"evaluation.every": 10}, {"evaluation.every": 20}, ["evaluation every: 10 -> 20", "checkpoint every: 10 -> 20"]),
        ({}, {"targets.trl.extra": {"neftune_noise_alpha": 5.0}},
         ["extra.neftune_noise_alpha: - -> 5 (a native key, passed on as it is)"]),
        ({}, {"method": {"dpo": {"beta": 0.2}}, "training.learning_rate": 2e-4},
         ["method: sft -> dpo (prefers one answer to another; before: imitates answers)", "rows are: chat -> preference",
          "no longer applies: trained tokens assistant, packing false",
          "applies now: DPO beta 0.2, DPO loss sigmoid, RPO alpha 0, DPO reference computed beforehand false"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_is_said(before: dict[str, Any], after: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    sides = []
    for change in (before, after):
        found = MINIMAL
        for path, value in change.items():
            found = put(found, path, value)
        sides.append(subject(found, tmp_path))
    lines = told(compare(sides[0], sides[1]))
    assert lines == expected


def test_a_consequence_of_two_changes_says_so(tmp_path: Path) -> None:
    two = put(put(MINIMAL, "training.batch_size", 64), "training.epochs", 4)
    (below,) = [
        c for c in roots(compare(subject(MINIMAL, tmp_path), subject(two, tmp_path)))["training.epochs"].consequences
        if c.path == "training.total_steps"
    ]  # fmt: skip
    assert below.causes == ("training.epochs", "training.batch_size")


@pytest.mark.parametrize(
    ("path", "value", "group"),
    [
        ("data.loss_on", "all", "objective"),
        ("training.max_length", 99, "objective"),
        ("model.trust_remote_code", True, "objective"),
        ("training.batch_size", 64, "optimization"),
        ("adapter.rank", 8, "optimization"),
        ("hardware.device", "cpu", "optimization"),  # because the arithmetic follows
        ("training.micro_batch_size", 1, "run"),
        ("hardware.count", 2, "run"),
        ("logging.every", 1, "run"),
        ("evaluation.every", 7, "run"),
    ],
)
def test_how_much_it_matters(path: str, value: Any, group: str, tmp_path: Path) -> None:
    found = compare(subject(MINIMAL, tmp_path), subject(put(MINIMAL, path, value), tmp_path))
    assert roots(found)[path].group == group
    assert found.touches("objective") == (group == "objective")


def test_evaluation_matters_where_it_chooses(tmp_path: Path) -> None:
    one = spec(evaluation={"every": 10}, saving={"best": True})
    found = compare(subject(one, tmp_path), subject(put(one, "evaluation.every", 20), tmp_path))
    assert roots(found)["evaluation.every"].group == "optimization"


def test_other_words_for_the_same_thing_are_only_counted(tmp_path: Path) -> None:
    said = put(put(MINIMAL, "training.seed", 42), "training.micro_batch_size", 4)
    found = compare(subject(MINIMAL, tmp_path), subject(said, tmp_path))
    assert not found.changes and found.origins_only == ("training.micro_batch_size", "training.seed")


def test_rows_are_compared_by_what_they_are(tmp_path: Path) -> None:
    one, two = subject(MINIMAL, tmp_path), subject(put(MINIMAL, "data.train", "other.jsonl"), tmp_path)
    unknown = roots(compare(one, two))["data.train"]
    assert unknown.group == "objective" and unknown.means == "their rows were not compared"
    equal = roots(compare(one, two, {"train": RowChange(9, 9, 0, 0)}))["data.train"]
    assert equal.group == "run" and equal.means == "the rows are the same"
    other = roots(compare(one, two, {"train": RowChange(9, 10, 3, 2)}))["data.train"]
    assert other.group == "objective" and other.consequences[0].means == "3 added, 2 removed"
    moved = roots(compare(one, one, {"train": RowChange(9, 9, 0, 0, True)}))["rows.train"]
    assert moved.group == "optimization" and moved.means == "the same rows in another order"


def test_a_format_that_changes_nothing_is_told_under_the_format(tmp_path: Path) -> None:
    rows = {"train": RowChange(9, 9, 0, 0)}
    found = compare(subject(MINIMAL, tmp_path), subject(put(MINIMAL, "data.format", "chat"), tmp_path), rows)
    (change,) = found.changes
    assert change.path == "data.format" and change.group == "run"
    assert [below.path for below in change.consequences] == ["data.train"]


def test_the_content_of_a_file_counts_not_its_name(tmp_path: Path) -> None:
    one = subject(put(MINIMAL, "model.chat_template", "./a.jinja"), tmp_path).plan
    two = subject(put(MINIMAL, "model.chat_template", "./b.jinja"), tmp_path).plan
    path = "model.chat_template"
    edited = roots(compare(Subject(one, (), {path: "1"}), Subject(one, (), {path: "2"})))[path]
    assert edited.group == "objective" and edited.means == "the file has other content"
    renamed = roots(compare(Subject(one, (), {path: "1"}), Subject(two, (), {path: "1"})))[path]
    assert renamed.group == "run" and renamed.means == "the content is the same"


def made(**values: Any) -> Plan:
    found = {
        p.replace("__", "."): v if isinstance(v, Value) else Value(v, Origin("spec", p)) for p, v in values.items()
    }
    return Plan(found, "any", "any", {})


def test_fields_that_nobody_has_heard_of_are_told_by_their_path() -> None:
    one = made(rewards__weight=1, training__new_field=(1, 2))
    two = made(rewards__weight=2.5, training__new_field=(1, 3))
    found = compare(Subject(one), Subject(two))
    assert told(found) == ["rewards.weight: 1 -> 2.5", "training.new_field: 1, 2 -> 1, 3"]
    assert [change.group for change in found.changes] == ["objective", "optimization"]


def test_a_new_derivation_follows_from_the_paths_that_it_names() -> None:
    def derived(value: int) -> Value:
        return Value(value, Origin("derived", "new.total", "new.count x new.size"))

    one, two = made(new__count=1, new__total=derived(3)), made(new__count=2, new__total=derived(6))
    assert told(compare(Subject(one), Subject(two))) == ["new.count: 1 -> 2", "new.total: 3 -> 6"]
    assert list(roots(compare(Subject(one), Subject(two)))) == ["new.count"]
    alone = compare(Subject(made(new__total=derived(3))), Subject(made(new__total=derived(4))))
    assert list(roots(alone)) == ["new.total"]


def test_true_is_not_one() -> None:
    assert not same({"a": (True,)}, {"a": (1,)}) and same({"a": (1,)}, {"a": [1.0]}) and not same((1,), (1, 2))


def test_what_a_target_newly_loses_is_told() -> None:
    plan = made(training__packing=True)
    kept, lost = Fate("training.packing", "exact"), Fate("training.packing", "unsupported", reason="it cannot")
    found = compare(Subject(plan, (kept,)), Subject(plan, (lost,)))
    assert [fate(f) for f in found.fates] == ["packing: exact -> unsupported (it cannot)"]
    assert found.touches("optimization") and not found.touches("objective")
    assert [fate(f) for f in compare(Subject(plan, (lost,)), Subject(plan, (kept,))).fates] == [
        "packing: unsupported -> exact (it cannot)"
    ]
    assert compare(Subject(plan, (lost,)), Subject(plan, (lost,))) == Difference()
    assert compare(Subject(plan, (kept,)), Subject(plan, (Fate("training.packing", "derived"),))) == Difference()


def test_a_value_that_no_side_carries_is_not_training() -> None:
    lost = (Fate("data.curriculum", "unsupported", reason="it cannot"),)
    one, two = Subject(made(data__curriculum=1), lost), Subject(made(data__curriculum=2), lost)
    (change,) = compare(one, two).changes
    assert change.group == "run" and change.means == "the target carries it on neither side"
    (carried,) = compare(one, Subject(made(data__curriculum=2))).changes
    assert carried.group == "objective"


def test_options_of_a_target_are_told() -> None:
    plan = made(training__seed=1)
    found = compare(Subject(plan, options={"size": "a"}), Subject(plan, options={"size": "b", "more": True}))
    assert told(found) == [
        "option.size: a -> b (an option of the target)",
        "option.more: - -> true (an option of the target)",
    ]


def test_the_files_of_two_bundles(tmp_path: Path) -> None:
    _, one = compiled(MINIMAL, tmp_path)
    _, two = compiled(put(MINIMAL, "training.seed", 7), tmp_path)
    assert one.bundle and two.bundle and changed_files(one.bundle, one.bundle) == ()
    (change,) = changed_files(one.bundle, two.bundle)
    assert (change.path, change.added, change.removed) == ("train.py", 1, 1)
    assert "-        seed=42," in change.diff and "+        seed=7," in change.diff
