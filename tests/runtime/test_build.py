"""A bundle for a run, with rows of the hub in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tuneform.runtime import build, envs, hub
from tuneform.runtime.envs import Environment, Say
from tuneform.spec.data import Source
from tuneform.spec.diagnostics import Level, SpecError

SPEC = """\
version: 1
name: hub
model: acme/tiny
method: sft
data: {train: {id: acme/rows, format: prompt_completion}}
training: {batch_size: 4}
targets: {trl: }
"""


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that the hub gives."""
    found: list[str] = []

    def ensure(requirements: Path, say: Say) -> Environment:
        return Environment(Path(sys.executable), requirements)

    def fetch(python: Path, source: Source, out: Path) -> None:
        out.write_text("".join(f"{line}\n" for line in found), encoding="utf-8")

    monkeypatch.setattr(envs, "ensure", ensure)
    monkeypatch.setattr(hub, "fetch", fetch)
    return found


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "tuneform.yaml"
    file.write_text(SPEC)
    return file


def test_the_bundle_is_compiled_with_what_the_rows_say(rows: list[str], spec: Path, tmp_path: Path) -> None:
    rows += [json.dumps({"prompt": str(n), "completion": "x"}) for n in range(40)]
    (manifest,) = build.build_bundles(spec, None, lambda stage: tmp_path / "out" / "bundle").manifests
    assert manifest["pending"] == [] and manifest["run"]["total_steps"] == 10
    assert manifest["facts"]["rows_train"] == 40 == manifest["data"]["data/train.jsonl"]["rows"]


def test_a_bad_row_of_the_hub_is_named_by_its_dataset(rows: list[str], spec: Path, tmp_path: Path) -> None:
    rows += ['{"prompt": "a", "completion": "b"}', '{"prompt": "a"}']
    with pytest.raises(SpecError) as error:
        build.build_bundles(spec, None, lambda stage: tmp_path / "out" / "bundle")
    (problem,) = [d for d in error.value.diagnostics if d.level is Level.ERROR]
    assert str(problem.span).startswith("acme/rows:2:") and problem.code == "TF315"


def test_a_later_stage_alone_has_nothing_to_start_from(cli: Callable[..., Result], runs: Path, spec: Path) -> None:
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    (spec.parent / "rows.jsonl").write_text(f"{json.dumps(row)}\n" * 8)
    spec.write_text(
        "version: 1\nname: x\nmodel: acme/tiny\ndata: {train: rows.jsonl}\ntargets: {trl: }\n"
        "stages:\n  one: {method: sft}\n  two: {method: sft, training: {epochs: 2}}\n"
    )
    found = cli("run", str(spec), "-t", "trl/two")
    assert found.exit_code == 1 and ":8:3: error TF210: stage `two` starts from the result of `one`" in found.stderr
    assert "run all stages with `-t trl`" in found.stderr and not runs.exists()
