"""`tuneform diff` as its user meets it, over a real repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tuneform.runtime.cli import main

Cli = Callable[..., Result]
BASE = """version: 1
name: job
model: {id: acme/tiny, chat_template: chat.jinja}
method: sft
data: {train: rows.jsonl, eval: {split: 0.2}, format: chat}
training: {batch_size: 8, epochs: 2}
targets:
  trl:
  other: {target: trl, set: {training.learning_rate: 1e-5}}
"""
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def rows(first: int, last: int) -> str:
    found = []
    for number in range(first, last):
        turns = [("user", f"question {number}"), ("assistant", f"answer {number}")]
        found.append(json.dumps({"messages": [{"role": role, "content": text} for role, text in turns]}))
    return "".join(f"{line}\n" for line in found)


def git(*words: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def commit() -> None:
    git("add", "-A")
    git("commit", "--quiet", "-m", "state")


@pytest.fixture
def cli() -> Cli:
    return lambda *args: CliRunner().invoke(main, ["diff", *map(str, args)], catch_exceptions=False)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit: `job/tuneform.yaml` extends `base/base.yaml`, which has rows and a template."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()
    (tmp_path / "job").mkdir()
    (tmp_path / "base" / "base.yaml").write_text(BASE)
    (tmp_path / "base" / "chat.jinja").write_text("{{ messages }}\n")
    (tmp_path / "base" / "rows.jsonl").write_text(rows(0, 40))
    (tmp_path / "job" / "tuneform.yaml").write_text("extends: ../base/base.yaml\ntraining: {learning_rate: 2e-4}\n")
    git("init", "--quiet")
    commit()
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def document(result: Result) -> dict[str, Any]:
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


SPEC = "job/tuneform.yaml"


def test_an_untouched_file_does_not_differ(cli: Cli, repo: Path) -> None:
    found = cli(SPEC, "--exit-code")
    assert (found.exit_code, found.stdout) == (0, "HEAD:job/tuneform.yaml -> job/tuneform.yaml: no difference\n")
    same = document(cli(SPEC, "--json"))
    assert not same["different"] and same["same_objective"] and same["targets"][0]["labels"] == ["trl", "other"]


def test_a_parent_its_template_and_its_rows_are_read_as_they_were(cli: Cli, repo: Path) -> None:
    edit(repo / "base" / "base.yaml", "batch_size: 8", "batch_size: 4")
    (repo / "base" / "chat.jinja").write_text("{{ messages | trim }}\n")
    (repo / "base" / "rows.jsonl").write_text(rows(5, 60))
    shown = cli(SPEC).stdout
    assert "chat template ../base/chat.jinja (the file has other content)" in shown
    assert "training rows: 35 -> 45 (15 added, 5 removed)" in shown and "evaluation rows: 5 -> 10 (5 added)" in shown
    assert "global batch: 8 -> 4 (halved)" in shown and "what is trained changes" in shown
    commit()
    between = document(cli("HEAD~1:job/tuneform.yaml", "HEAD:job/tuneform.yaml", "--json"))
    assert between["before"]["commit"] != between["after"]["commit"]
    paths = {change["path"] for change in between["targets"][0]["changes"]}
    assert paths == {"model.chat_template", "rows.train", "rows.eval", "training.batch_size"}
    (repo / "base" / "base.yaml").unlink()
    assert "global batch: 8 -> 4" in cli("HEAD~1:job/tuneform.yaml", "HEAD:job/tuneform.yaml").stdout


def test_a_folder_below_the_top(cli: Cli, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(repo / SPEC, "2e-4", "1e-4")
    monkeypatch.chdir(repo / "job")
    for asked in (["tuneform.yaml"], ["HEAD:./tuneform.yaml"], ["HEAD:job/tuneform.yaml", "tuneform.yaml"]):
        assert "learning rate: 2e-4 -> 1e-4 (halved)" in cli(*asked).stdout
    missed = cli("HEAD:tuneform.yaml")
    assert missed.exit_code == 2 and "did you mean `HEAD:./tuneform.yaml`?" in missed.stderr


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("nowhere:job/tuneform.yaml", "git knows no revision `nowhere`"),
        ("HEAD~9:job/tuneform.yaml", "git knows no revision `HEAD~9`"),
        ("--output=x:job/tuneform.yaml", "git knows no revision `--output=x`"),
        ("HEAD:job/other.yaml", "there is no file `job/other.yaml` in `HEAD`"),
        ("HEAD:../../x.yaml", "there is no file `../../x.yaml` in `HEAD`"),
        ("HEAD:job", "there is no file `job` in `HEAD`"),
        (":job/tuneform.yaml", "a revision is missing before `:`"),
        ("new.yaml", "there is no file `new.yaml` in `HEAD`"),
    ],
)
def test_what_git_does_not_have_is_one_sentence(asked: str, sentence: str, cli: Cli, repo: Path) -> None:
    (repo / "new.yaml").write_text(BASE)
    found = cli("--", asked)
    assert (found.exit_code, found.stdout, found.stderr) == (2, "", f"error: {sentence}\n")
    as_json = cli("--json", "--", asked)
    assert as_json.exit_code == 2 and document(as_json)["error"] == sentence


def test_without_a_repository_or_without_git(cli: Cli, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(repo / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repo.parent))
    outside = cli(SPEC)
    assert outside.exit_code == 2 and outside.stderr.count("\n") == 1 and "is in no git repository" in outside.stderr
    assert cli(SPEC, SPEC).exit_code == 0
    monkeypatch.setenv("PATH", "")
    assert "git, which is not installed" in cli(SPEC).stderr


def test_untracked_rows_are_those_of_today_and_it_is_said(cli: Cli, repo: Path) -> None:
    git("rm", "--quiet", "--cached", "base/rows.jsonl")
    (repo / ".gitignore").write_text("rows.jsonl\n")
    commit()
    found = cli(SPEC)
    assert "no difference" in found.stdout
    assert "base/rows.jsonl is not in git: for HEAD:job/tuneform.yaml, too, it is read as it is now" in found.stdout
    before = cli("HEAD~1:job/tuneform.yaml", SPEC).stdout
    assert "no difference" in before and "not in git" not in before


def test_rows_behind_a_link(cli: Cli, repo: Path) -> None:
    (repo / "base" / "rows.jsonl").rename(repo / "base" / "a blob.jsonl")
    (repo / "base" / "rows.jsonl").symlink_to("a blob.jsonl")
    commit()
    (repo / "base" / "a blob.jsonl").write_text(rows(0, 41))
    assert "training rows: 35 -> 36 (1 added)" in cli(SPEC).stdout
    outside = repo.parent / f"{repo.name}.jsonl"
    outside.write_text(rows(0, 41))
    (repo / "base" / "rows.jsonl").unlink()
    (repo / "base" / "rows.jsonl").symlink_to(outside)
    commit()
    found = cli(SPEC).stdout
    assert "no difference" in found and "base/rows.jsonl is not in git" in found
    assert "there is no file `a blob` in `HEAD`" in cli("HEAD:a blob").stderr


def test_rows_that_came_later_were_not_there(cli: Cli, repo: Path) -> None:
    git("rm", "--quiet", "--cached", "base/rows.jsonl")
    git("commit", "--quiet", "-m", "without rows")
    edit(repo / "base" / "base.yaml", ", format: chat", "")
    commit()
    found = cli("HEAD~1:job/tuneform.yaml", "HEAD:job/tuneform.yaml")
    assert "the rows of HEAD~1:job/tuneform.yaml are not there, so a change in them is not seen" in found.stdout
    assert "optimizer steps: not known -> 10" in found.stdout and "row format: chat -> auto" in found.stdout


def test_errors_say_which_revision_they_are_in(cli: Cli, repo: Path) -> None:
    edit(repo / "base" / "base.yaml", "batch_size", "batch_sise")
    now = cli(SPEC)
    assert now.exit_code == 1 and "base/base.yaml:6:12: error TF104" in now.stderr and now.stdout == ""
    commit()
    edit(repo / "base" / "base.yaml", "batch_sise", "batch_size")
    then = cli(SPEC)
    assert then.exit_code == 1 and "HEAD:base/base.yaml:6:12: error TF104" in then.stderr
    (repo / "base" / "rows.jsonl").write_text("{\n")
    commit()
    edit(repo / SPEC, "2e-4", "1e-4")
    assert "HEAD:base/rows.jsonl:1:" in cli("HEAD:job/tuneform.yaml", SPEC).stderr


def test_targets_that_came_and_went(cli: Cli, repo: Path) -> None:
    edit(repo / "base" / "base.yaml", "  other: {target: trl,", "  third: {target: trl,")
    edit(repo / "base" / "base.yaml", "epochs: 2", "epochs: 3")
    shown = cli(SPEC).stdout
    assert "\ntargets\n  + third\n  - other\n" in shown and "\ntarget trl\n" in shown
    found = document(cli(SPEC, "--json"))
    assert (found["targets_added"], found["targets_removed"]) == (["third"], ["other"])
    only = document(cli(SPEC, "-t", "other", "--json"))
    assert (only["targets_added"], only["targets_removed"], only["targets"]) == ([], ["other"], [])
    assert only["same_objective"] is None and cli(SPEC, "-t", "other", "--exit-code").exit_code == 1
    assert cli(SPEC, "-t", "nothing").exit_code == 1 and "TF210" in cli(SPEC, "-t", "nothing").stderr


def test_two_targets_of_one_spec(cli: Cli, repo: Path) -> None:
    found = cli(SPEC, "-t", "trl", "-t", "other")
    expected = (
        "trl -> other (job/tuneform.yaml): they train the same thing, and optimize it otherwise; 1 warning is new"
    )
    assert found.stdout.startswith(f"{expected}\n")
    assert "\n  + TF134: 1e-5 is a learning rate for tuning" in found.stdout
    assert "learning rate: 2e-4 -> 1e-5 (divided by 20)" in found.stdout
    assert "in the same way" in cli(SPEC, "-t", "trl", "-t", "trl").stdout
    changed = document(cli(SPEC, "-t", "trl", "-t", "other", "--set", "data.loss_on=all", "--json"))
    assert changed["same_objective"] is False and changed["after"]["target"] == "other"
    at_head = cli("HEAD:job/tuneform.yaml", "-t", "trl", "-t", "other").stdout
    assert "trl -> other (HEAD:job/tuneform.yaml)" in at_head
    assert cli(SPEC, "-t", "trl", "-t", "nothing").exit_code == 1
    assert cli(SPEC, "-t", "a", "-t", "b", "-t", "c").exit_code == 2


def test_set_is_for_the_right_hand_side(cli: Cli, repo: Path) -> None:
    shown = cli(SPEC, "--set", "training.batch_size=16", "-t", "trl").stdout
    assert "global batch: 8 -> 16 (doubled)" in shown
    revision = cli(SPEC, "HEAD:job/tuneform.yaml", "--set", "data.train=base/rows.jsonl", "-t", "trl")
    assert "no difference" in revision.stdout


def test_warnings_that_are_new_or_gone(cli: Cli, repo: Path) -> None:
    new = cli(SPEC, "--set", "training.packing=true", "-t", "trl").stdout
    assert "; 1 warning is new" in new and "\nwarnings\n  + TF202: packed rows see each other" in new
    edit(repo / "base" / "base.yaml", "epochs: 2", "epochs: 2, packing: true")
    commit()
    edit(repo / "base" / "base.yaml", ", packing: true", "")
    assert "\nwarnings\n  - TF202: packed rows see each other" in cli(SPEC).stdout


def test_a_line_that_moved_is_no_new_warning(cli: Cli, repo: Path) -> None:
    edit(repo / "base" / "base.yaml", "epochs: 2", "epochs: 2, packing: true")
    commit()
    edit(repo / "base" / "base.yaml", "version: 1\n", "\n\nversion: 1\n")
    assert "no difference" in cli(SPEC).stdout


def test_rows_in_two_sets_are_the_same_warning_on_both_sides(cli: Cli, repo: Path) -> None:
    (repo / "base" / "test.jsonl").write_text(rows(0, 3))
    edit(repo / "base" / "base.yaml", "format: chat", "format: chat, test: test.jsonl")
    commit()
    assert "no difference" in cli(SPEC).stdout


def test_artifacts(cli: Cli, repo: Path) -> None:
    edit(repo / SPEC, "2e-4", "1e-4")
    plain, full = cli(SPEC, "-t", "trl").stdout, cli(SPEC, "-t", "trl", "--artifacts").stdout
    assert "train.py" not in plain and "train.py: +1 -1 lines" in full
    assert "\n-        learning_rate=2e-4,\n+        learning_rate=1e-4,\n" in full
    (file,) = document(cli(SPEC, "-t", "trl", "--json"))["targets"][0]["artifacts"]
    assert file == {"path": "train.py", "added": 1, "removed": 1}
    assert "diff" in document(cli(SPEC, "-t", "trl", "--json", "--artifacts"))["targets"][0]["artifacts"][0]


def test_equal_values_in_other_words(cli: Cli, repo: Path) -> None:
    edit(repo / SPEC, "{learning_rate: 2e-4}", "{learning_rate: 0.0002, seed: 42}")
    shown = cli(SPEC, "--exit-code")
    assert shown.exit_code == 0 and "no difference" in shown.stdout
    assert "1 value is written on one side only and equal on both: training.seed" in shown.stdout


def test_json_keys(cli: Cli, repo: Path) -> None:
    edit(repo / SPEC, "2e-4", "1e-4, batch_size: 16")
    found = document(cli("--format", "json", SPEC, "-t", "trl"))
    assert list(found) == [
        "before", "after", "different", "same_objective", "same_optimization", "summary", "targets", "targets_added",
        "targets_removed", "warnings_raised", "warnings_gone", "notes",
    ]  # fmt: skip
    (target,) = found["targets"]
    assert list(target) == ["labels", "different", "changes", "fidelity", "origins_only", "artifacts"]
    change = target["changes"][0]
    assert (change["path"], change["before"], change["after"]) == ("training.batch_size", 8, 16)
    assert list(change) == [
        "path", "title", "group", "before", "after", "applies", "means", "origins", "consequences"
    ]  # fmt: skip
    assert all(below["causes"] == ["training.batch_size"] for below in change["consequences"])
    assert found["same_objective"] and not found["same_optimization"]


def test_a_secret_in_a_value_is_covered(cli: Cli, repo: Path) -> None:
    address = "tracking.mlflow.uri=https://me:hunter22@example.org"
    for form in ("text", "markdown", "json"):
        shown = cli(SPEC, "--set", address, "--format", form).stdout
        assert "hunter22" not in shown and "[redacted]" in shown
