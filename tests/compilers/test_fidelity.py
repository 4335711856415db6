"""What a target cannot carry is told, by level, and `accept:` agrees to it. A target of the tests' own lacks a lot."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from tests.support import TODAY, UP, document, put, spec
from tuneform.compilers import registry
from tuneform.compilers.compile import Compiled, compile_target, for_label
from tuneform.compilers.trainers.trl import Trl
from tuneform.spec.diagnostics import Level
from tuneform.spec.plan import DataFacts
from tuneform.spec.rows.shapes import METHODS


class Narrow(Trl):
    """TRL without a weight decay of its own, and without dpo."""

    name = "narrow"
    methods = ("sft",)
    unsupported: ClassVar[dict[str, str]] = {"training.weight_decay": "it is fixed there"}

    def groups(self, plan):  # type: ignore[no-untyped-def]
        found = super().groups(plan)
        return {k: [s for s in v if s.key not in ("weight_decay", "seed")] for k, v in found.items()}


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "names", lambda: ("narrow",))
    monkeypatch.setattr(registry, "get", lambda name: Narrow())


def told(found: dict[str, object], folder: Path) -> Compiled:
    whole = document(put(found, "targets", {"narrow": found["targets"]}), folder)
    own, problems = for_label(whole, "narrow")
    assert not problems
    assert own.spec is not None
    shape = METHODS[own.spec.method.name][0]
    return compile_target(own, "narrow", DataFacts(shape, 400), TODAY, UP)


def narrow_spec(block: dict[str, object], **changes: object) -> dict[str, object]:
    return {**spec(**changes), "targets": block}


@pytest.mark.usefixtures("narrow")
def test_a_lost_field_that_the_user_set_is_a_warning(tmp_path: Path) -> None:
    result = told(narrow_spec({}, training={"weight_decay": 0.1, "seed": 7}), tmp_path)
    found = {d.path: d for d in result.diagnostics}
    assert found["training.weight_decay"].level is Level.WARNING and found["training.weight_decay"].code == "TF201"
    assert "it is fixed there" in found["training.weight_decay"].message
    assert found["training.seed"].code == "TF201", "a field that a target forgot is told, too"
    assert result.bundle is not None


@pytest.mark.usefixtures("narrow")
def test_a_default_that_is_lost_is_no_warning(tmp_path: Path) -> None:
    result = told(narrow_spec({}), tmp_path)
    assert result.diagnostics == ()
    assert {f.path for f in result.fates if f.fidelity == "unsupported"} == {"training.weight_decay", "training.seed"}


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("accept", ["training.weight_decay", "training"])
def test_an_agreed_loss_is_a_note(accept: str, tmp_path: Path) -> None:
    result = told(narrow_spec({"accept": [accept]}, training={"weight_decay": 0.1}), tmp_path)
    assert [d.level for d in result.diagnostics] == [Level.NOTE]


@pytest.mark.usefixtures("narrow")
def test_a_method_that_a_target_lacks_is_an_error(tmp_path: Path) -> None:
    result = told(narrow_spec({}, method={"dpo": {}}), tmp_path)
    assert [(d.code, d.level) for d in result.diagnostics] == [("TF204", Level.ERROR)] and result.bundle is None
