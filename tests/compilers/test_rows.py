"""Rows that a method does not take, and tokens that they do not have, are told before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import TODAY, UP, compiled, document, errors, spec
from tuneform.compilers import registry
from tuneform.compilers.compile import Compiled, compile_target, for_label
from tuneform.compilers.rendering import render
from tuneform.spec.data import TRAINABLE
from tuneform.spec.diagnostics import Level
from tuneform.spec.plan import DataFacts
from tuneform.spec.rows.shapes import METHODS

WORDS = sorted({word for words in TRAINABLE.values() for word in words})


def of_shape(shape: str, folder: Path, label: str = "trl", **changes: Any) -> Compiled:
    whole = document(spec(**changes, targets={label: {}}), folder)
    own, problems = for_label(whole, label)
    assert own.spec is not None and not errors(problems)
    return compile_target(own, label, DataFacts(shape, rows_train=400, rows_eval=40), TODAY, UP)


@pytest.mark.parametrize("label", registry.names())
@pytest.mark.parametrize("shape", TRAINABLE)
@pytest.mark.parametrize("word", WORDS)
def test_loss_on_fits_the_rows_or_is_refused(word: str, shape: str, label: str, tmp_path: Path) -> None:
    result = of_shape(shape, tmp_path, label, data={"loss_on": word})
    found = [(d.code, d.path) for d in errors(result.diagnostics)]
    assert found == ([] if word in TRAINABLE[shape] else [("TF116", "data.loss_on")])
    assert (result.bundle is None) == bool(found)


@pytest.mark.parametrize("shape", TRAINABLE)
def test_a_script_knows_the_words_that_its_rows_take(shape: str) -> None:
    text = render("prepare.py.j2", method="sft", shape=shape)
    assert f"loss_on: str,  # {' | '.join(TRAINABLE[shape])}\n" in text
    assert all(f'"{word}": ' in text for word in TRAINABLE[shape])


@pytest.mark.parametrize("shape", sorted({shape for shapes in METHODS.values() for shape in shapes}))
@pytest.mark.parametrize("method", ["sft", "pretrain", "dpo", "kto", "orpo"])
def test_rows_that_a_method_does_not_take_are_an_error(method: str, shape: str, tmp_path: Path) -> None:
    result = of_shape(shape, tmp_path, method={method: {}})
    codes = [d.code for d in errors(result.diagnostics)]
    assert codes == ([] if shape in METHODS[method] else ["TF323"])


@pytest.mark.parametrize("method", ["sft", "pretrain", "dpo", "kto", "orpo"])
def test_native_masks_cut_long_rows_as_the_hint_says(method: str, tmp_path: Path) -> None:
    shape = METHODS[method][0]
    refused = of_shape(shape, tmp_path, method={method: {}}, data={"masks": "native"})
    assert [(d.code, d.path) for d in errors(refused.diagnostics)] == [("TF205", "training.on_too_long")]
    result = of_shape(
        shape, tmp_path, method={method: {}}, data={"masks": "native"}, training={"on_too_long": "truncate"}
    )
    assert [d for d in result.diagnostics if d.path == "training.on_too_long"] == [] and result.bundle is not None
    script = next(file.text for file in result.bundle.files if file.path == "train.py")
    assert script.count("max_length=2048") == 1
    assert ('truncation_mode="keep_start"' in script) == (method not in ("kto", "orpo"))


@pytest.mark.parametrize("accept", ["data.masks", "data"])
def test_what_a_target_does_otherwise_can_be_agreed(accept: str, tmp_path: Path) -> None:
    base = spec(data={"masks": "native"}, training={"on_too_long": "truncate"})
    levels = []
    for block in ({}, {"accept": [accept]}):
        result = compiled({**base, "targets": {"trl": block}}, tmp_path)[1]
        levels += [(d.level, d.hint is None) for d in result.diagnostics if d.code == "TF202"]
    assert levels == [(Level.WARNING, False), (Level.NOTE, True)]


def test_an_error_is_never_agreed(tmp_path: Path) -> None:
    base = spec(data={"masks": "native"}, targets={"trl": {"accept": ["training", "data.masks"]}})
    assert [d.code for d in errors(compiled(base, tmp_path)[1].diagnostics)] == ["TF205"]
