"""The example of each method is valid, and compiles for every target that does the method."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.language import EXAMPLES
from tests.support import errors
from tuneform.compilers import registry
from tuneform.runtime.project import open_project
from tuneform.spec.diagnostics import Diagnostic
from tuneform.spec.method import Method

FILES = sorted(EXAMPLES.glob("*.yaml"))


def compiled(file: Path, target: str) -> list[Diagnostic]:
    """What is said of a spec for a target; its rows are read."""
    project = open_project(file, [target], [f"targets.{target}.target={target}"], reading="all")
    assert errors(project.diagnostics) or project.targets[0].compiled.bundle is not None
    return list(project.diagnostics)


def test_every_method_has_one() -> None:
    assert [file.stem for file in FILES] == sorted(Method.model_fields)


@pytest.mark.parametrize("target", registry.names())
@pytest.mark.parametrize("file", FILES, ids=lambda p: p.stem)
def test_it_compiles_for_every_target_that_does_the_method(file: Path, target: str) -> None:
    found = compiled(file, target)
    if file.stem in registry.get(target).methods:
        assert errors(found) == []
    else:
        assert [d.code for d in errors(found)] == ["TF204"]


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.stem)
def test_nothing_is_to_be_said_of_it_as_it_stands(file: Path) -> None:
    done = any(file.stem in registry.get(target).methods for target in registry.names())
    found = open_project(file, reading="all").diagnostics
    assert [d.code for d in found] == ([] if done else ["TF204"])
    assert ("TF204" in file.read_text("utf-8")) != done
