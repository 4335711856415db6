"""Advice: each piece's example gives it, its twin does not, `accept:` silences it, and nothing makes it fail."""

from __future__ import annotations

import copy
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spec.examples import ROWS, example
from tests.support import BASES, TODAY, UP, document, errors, spec
from tuneform.compilers.compile import Compiled, compile_target, for_label
from tuneform.runtime.project import open_project
from tuneform.spec.advice.base import REGISTERED, Advice, Seen
from tuneform.spec.advice.check import ADVICE, advise
from tuneform.spec.codes import codes
from tuneform.spec.diagnostics import Level
from tuneform.spec.lower import LEARNING_RATES
from tuneform.spec.plan import DataFacts
from tuneform.spec.rows.shapes import METHODS
from tuneform.spec.rules.base import written

BASE = spec(model={"id": "Qwen/Qwen3-8B"}, data={"train": "train.jsonl", "format": "chat", "eval": {"split": 0.1}})


def told(changes: dict[str, Any], rows: int | None, accept: tuple[str, ...] = ()) -> Compiled:
    """The base with sections replaced, compiled with so many training rows."""
    found = copy.deepcopy(BASE) | changes
    found["targets"] = {"trl": {"accept": list(accept)}}
    with tempfile.TemporaryDirectory() as folder:
        own, problems = for_label(document(found, Path(folder)), "trl")
        assert own.spec is not None and not errors(problems), problems
        facts = DataFacts(None if own.spec.data.format == "auto" else own.spec.data.format, rows, rows)
        return compile_target(own, "trl", facts, TODAY, UP, emit=False)


def given_by(result: Compiled) -> set[str]:
    known = {piece.code for piece in ADVICE}
    return {d.code for d in result.diagnostics if d.code in known}


def by_code(piece: Advice) -> str:
    return piece.code


@pytest.mark.parametrize("piece", ADVICE, ids=by_code)
def test_the_example_gives_the_advice_and_its_twin_does_not(piece: Advice) -> None:
    changes, rows = example(piece, "Example")
    result = told(changes, rows)
    found = [d for d in result.diagnostics if d.code == piece.code]
    assert found and {d.level for d in found} == {piece.level}
    assert all(d.span and d.source and d.hint and d.message for d in found), "each has a place, a reason and a fix"
    assert piece.code not in given_by(told(*example(piece, "Instead")))


@pytest.mark.parametrize("piece", ADVICE, ids=by_code)
def test_an_accepted_code_is_silent(piece: Advice) -> None:
    changes, rows = example(piece, "Example")
    result = told(changes, rows, (piece.code.lower(),))
    levels = [d.level for d in result.diagnostics if d.code == piece.code]
    assert levels == ([Level.NOTE] if piece.level is Level.ERROR else [])
    assert given_by(result) - {piece.code} == given_by(told(changes, rows)) - {piece.code}


@pytest.mark.parametrize("piece", ADVICE, ids=by_code)
def test_advice_is_documented(piece: Advice) -> None:
    assert re.fullmatch(r"TF1[3-5]\d", piece.code)
    text = codes()[piece.code].explanation
    assert "Fix: " in text and "Example" in text and "Instead" in text


def test_each_code_is_registered_once() -> None:
    assert len({piece.code for piece in REGISTERED}) == len(REGISTERED) == len(ADVICE)


def test_a_plain_spec_has_no_advice() -> None:
    assert given_by(told({}, ROWS)) == set()
    assert given_by(told({"model": {"id": "acme/tiny"}}, None)) == set()


@pytest.mark.parametrize("base", BASES)
def test_what_needs_rows_is_silent_without_them(base: str) -> None:
    needs_rows = {piece.code for piece in ADVICE if "training rows:" in piece.explanation} - {"TF140", "TF141"}
    found = {k: v for k, v in BASES[base].items() if k != "targets"}
    assert not needs_rows & given_by(told(found, None))


@pytest.mark.parametrize("method", ["sft", "pretrain", "dpo"])
@pytest.mark.parametrize("kind", ["lora", "qlora", "full"])
def test_default_learning_rates_and_what_lies_near_are_fine(method: str, kind: str) -> None:
    lora, full = LEARNING_RATES[method]
    usual = full if kind == "full" else lora
    data = {"train": "train.jsonl", "format": METHODS[method][0], "eval": {"split": 0.1}}
    for rate in (usual / 4, usual, usual * 4):
        changes = {"method": {method: {}}, "adapter": kind, "data": data, "training": {"learning_rate": rate}}
        assert "TF134" not in given_by(told(changes, ROWS)), rate


def test_small_models_take_high_rates() -> None:
    training = {"learning_rate": 1e-3}
    small = {"model": "HuggingFaceTB/SmolLM2-135M-Instruct", "adapter": "full", "training": training}
    assert "TF134" not in given_by(told(small, ROWS))
    assert "TF134" in given_by(told(small | {"model": "Qwen/Qwen3-8B"}, ROWS))


COMMIT = "c1899de289a04d12100db370d81485cdf75e47ca"


@pytest.mark.parametrize(
    ("revision", "row_revision", "paths"),
    [
        (None, None, []),
        (COMMIT, COMMIT, []),
        (COMMIT, None, ["data.train[0].revision"]),
        (None, COMMIT, ["model.revision"]),
        ("main", None, ["model.revision"]),
        ("v1", "main", ["data.train[0].revision", "model.revision"]),
    ],
)
def test_revisions(revision: str | None, row_revision: str | None, paths: list[str]) -> None:
    source = {"id": "acme/rows", **({"revision": row_revision} if row_revision else {})}
    data = {"train": source, "format": "chat", "eval": {"split": 0.1}}
    model = {"id": "acme/tiny", **({"revision": revision} if revision else {})}
    found = told({"model": model, "data": data}, ROWS).diagnostics
    assert sorted(d.path for d in found if d.code == "TF136") == paths


@pytest.mark.parametrize(
    "name", ["Qwen/Qwen3-8B-Base", "meta-llama/Llama-3.1-8B-Instruct", "google/gemma-3-4b-it", "./x"]
)
def test_models_that_may_have_a_template(name: str) -> None:
    assert "TF138" not in given_by(told({"model": name}, ROWS))


@pytest.mark.parametrize("name", ["mistralai/Mistral-7B-v0.3", "google/gemma-3-4b-pt", "acme/thing-7b-base"])
def test_base_models(name: str) -> None:
    assert "TF138" in given_by(told({"model": name}, ROWS))
    assert "TF138" not in given_by(told({"model": {"id": name, "tokenizer": "acme/chatty"}}, ROWS))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "acme/x-70b", "adapter": "full", "hardware": {"gpu": "H100", "count": 8}}, "TF151"),
        ({"model": "acme/x-70b", "adapter": "qlora", "hardware": {"gpu": "H100"}}, None),
        ({"model": "acme/x-8b", "hardware": {"gpu": "RTX 4090"}}, None),
        ({"model": "acme/x-14b", "hardware": {"gpu": "RTX 4090"}}, "TF152"),
        ({"model": "acme/large", "adapter": "full", "hardware": {"gpu": "T4"}}, None),
        ({"model": "acme/x-70b", "adapter": "full", "hardware": {"device": "cpu"}}, None),
    ],
)
def test_what_fits(changes: dict[str, Any], code: str | None) -> None:
    assert given_by(told(changes, ROWS)) & {"TF151", "TF152"} == ({code} if code else set())


def test_two_targets_that_agree_are_told_once(tmp_path: Path) -> None:
    file = tmp_path / "tuneform.yaml"
    targets = {"trl": {}, "again": {"target": "trl"}}
    document({**BASE, "data": {"train": "a.jsonl", "format": "chat"}, "targets": targets}, tmp_path)
    found = open_project(file, reading="none").diagnostics
    assert [d.code for d in found].count("TF130") == 1
    document(
        {**BASE, "data": {"train": "a.jsonl", "format": "chat"}, "targets": {"trl": {"accept": ["TF130"]}}}, tmp_path
    )
    assert open_project(file, reading="none").diagnostics == []


FACTS = st.builds(
    DataFacts,
    st.sampled_from([None, "chat", "text", "preference", "prompt_completion"]),
    *[st.none() | st.sampled_from([0, 1, 9, 99, 100, 1_000, 10_001, 10**9])] * 4,
)
SECTIONS: dict[str, st.SearchStrategy[Any]] = {
    "model": st.builds(
        lambda name, more: {"id": name, **more},
        st.sampled_from(
            ["acme/tiny", "./local-7b", "a/x-0.5b", "a/x-8x22B", "a/x-405b", "a/x-1m", "gpt2", "a/y-base"]
        ),
        st.sampled_from(
            [{}, {"revision": "main"}, {"revision": COMMIT}, {"trust_remote_code": True}, {"dtype": "float16"}]
        ),
    ),
    "adapter": st.sampled_from(
        [{"type": "lora", "modules_to_save": ["lm_head"]}, {"type": "qlora"}, {"type": "full"}]
    ),
    "training": st.fixed_dictionaries(
        {},
        optional={
            "max_length": st.sampled_from([8, 63, 64, 10**6]),
            "batch_size": st.sampled_from([64, 1024]),
            "learning_rate": st.sampled_from([1e-12, 1e-6, 2e-4, 1.0]),
            "warmup": st.sampled_from([0, 1, 10**6, "0%", "100%"]),
            "optimizer": st.sampled_from(["adafactor", "adamw_8bit", "paged_adamw_8bit"]),
            "gradient_checkpointing": st.booleans(),
        },
    )
    | st.sampled_from([{"epochs": 1e-9}, {"epochs": 1e6}, {"max_steps": 1}, {"max_steps": 10**9, "warmup": 5}]),
    "evaluation": st.sampled_from(
        [{}, {"every": 1}, {"every": 10**9}, {"every": 3, "early_stopping": {"patience": 1}}]
    ),
    "logging": st.sampled_from([{}, {"every": 1}, {"every": 10**9}]),
    "hardware": st.builds(
        lambda gpu, count: {"count": count, **({"gpu": gpu} if gpu else {})},
        st.sampled_from([None, "H100", "nothing", "A100 0GB", "gpu", "é", "9GB"])
        | st.text("aH10 -GB", min_size=1, max_size=9),
        st.sampled_from([1, 8]),
    ),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(BASES)), st.fixed_dictionaries({}, optional=SECTIONS), FACTS)
def test_no_valid_spec_and_no_facts_make_advice_fail(base: str, changes: dict[str, Any], facts: DataFacts) -> None:
    with tempfile.TemporaryDirectory() as folder:
        own, problems = for_label(document({**BASES[base], **changes}, Path(folder)), "trl")
        if own.spec is None or errors(problems):
            return
        readable = replace(facts, shape=METHODS[own.spec.method.name][0])  # other rows are refused when read
        plan = compile_target(own, "trl", readable, TODAY, UP, emit=False).plan
    assert plan is not None
    for told in advise(Seen(own.spec, written(own.spec), facts, plan)):
        assert told.message and told.hint and "None" not in told.message


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("TF1310", "did you mean `TF131`?"),
        ("TF104", "a loss on a target"),
        ("TF", "TF130 to TF152"),
        ("tf202", "field's path"),
    ],
)
def test_codes_that_cannot_be_accepted(word: str, hint: str) -> None:
    found = [d for d in told({}, ROWS, (word,)).diagnostics if d.code == "TF209"]
    assert [d.level for d in found] == [Level.ERROR] and hint in (found[0].hint or "")


@pytest.mark.parametrize(("order", "after", "given"), [(("sft", "dpo"), None, False), (("dpo", "sft"), "dpo", True)])
def test_a_next_stage_is_advised_only_behind_the_last(
    order: tuple[str, str], after: str | None, given: bool, tmp_path: Path
) -> None:
    blocks = {"sft": {"method": "sft"}, "dpo": {"method": "dpo", "data": {"format": "preference"}}}
    found = {k: v for k, v in BASE.items() if k != "method"} | {"stages": {name: blocks[name] for name in order}}
    own, _ = for_label(document(found, tmp_path), "trl", "sft")
    result = compile_target(own, "trl", DataFacts("chat", 25_000), TODAY, UP, emit=False, after=after)
    assert ("TF133" in given_by(result)) == given
