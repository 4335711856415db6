"""What a plan takes from counted tokens, and that no artifact does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tuneform.runtime.cli import main

from .tiny_tokenizer import save

SPEC = """\
version: 1
name: t
model: {model}
method: sft
data: {{train: a.jsonl, format: chat, on_bad_row: {bad}}}
training: {{epochs: 3, batch_size: 4, max_length: 20, on_too_long: {fate}, learning_rate: 1e-4}}
hardware: {{device: cpu}}
targets: {{trl: {{accept: [TF130, TF131, TF132, TF143]}}}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve rows of 12 to 34 tokens: seven of them over 20."""
    monkeypatch.chdir(tmp_path)
    save(Path("model"))
    turns = [[("user", "a"), ("assistant", " ".join("b" * (i + 1)))] for i in range(12)]
    rows = [{"messages": [{"role": role, "content": text} for role, text in chat]} for chat in turns]
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def plan(model: str = "./model", fate: str = "drop", bad: str = "error") -> dict[str, Any]:
    Path("t.yaml").write_text(SPEC.format(model=model, fate=fate, bad=bad))
    result = CliRunner().invoke(main, ["plan", "t.yaml", "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)["targets"]["trl"]
    return found


def steps(found: dict[str, Any]) -> tuple[int, str]:
    field = found["fields"]["training.total_steps"]
    return field["value"], field["origin"]["how"]


def test_exact_tokens_tell_the_steps_after_drops() -> None:
    found = plan()
    tokens = found["facts"]["tokens"]
    assert (tokens["exact"], tokens["rows_dropped"], tokens["rows_cut"]) == (True, 7, 0)
    assert (tokens["longest"], tokens["tokens_train"]) == (34, 12 + 14 + 16 + 18 + 20)
    assert tokens["trained_tokens"] == 2 + 4 + 6 + 8 + 10
    assert steps(found) == (6, "3 x 2 steps for 5 rows; 7 of 12 are dropped")


def test_rows_that_are_cut_stay() -> None:
    found = plan(fate="truncate")
    tokens = found["facts"]["tokens"]
    assert (tokens["rows_dropped"], tokens["rows_cut"], tokens["tokens_train"]) == (0, 7, 12 + 14 + 16 + 18 + 8 * 20)
    assert steps(found) == (9, "3 x 3 steps for 12 rows")


def test_estimates_change_no_steps() -> None:
    found = plan("acme/not-here")
    assert not found["facts"]["tokens"]["exact"] and found["facts"]["tokens"]["rows_dropped"] == 0
    assert steps(found)[0] == 9 and "fewer where long rows are dropped" in steps(found)[1]


def test_rows_that_the_template_does_not_carry() -> None:
    save(Path("model"), "{% for m in messages %}{{ m.role }}{% endfor %}")
    assert plan()["facts"]["tokens"]["rows_unfit"] == 12
    text = CliRunner().invoke(main, ["plan", "t.yaml"]).stdout
    assert "12 rows without anything that can be trained" in text


def test_the_plan_says_so() -> None:
    plan()
    text = CliRunner().invoke(main, ["plan", "t.yaml"]).stdout
    assert "tokens: 80 an epoch, 30 trained; the longest row has 34; 7 rows dropped" in text
    assert "counted with the tokenizer of ./model" in text


def test_artifacts_are_the_same_with_and_without_a_tokenizer() -> None:
    plan()
    assert CliRunner().invoke(main, ["compile", "t.yaml", "-o", "one"]).exit_code == 0
    for file in Path("model").iterdir():
        file.unlink()
    assert CliRunner().invoke(main, ["compile", "t.yaml", "-o", "two"]).exit_code == 0
    one, two = (
        {str(p.relative_to(d)): p.read_bytes() for p in d.rglob("*") if p.is_file()}
        for d in (Path("one"), Path("two"))
    )
    assert one == two and b"tokens" not in one["t/trl/manifest.json"]
