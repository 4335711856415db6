"""Markdown for a pull request: text of a spec stays text in it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support import spec
from tuneform.runtime.cli import main
from tuneform.runtime.diffmarkdown import code, fenced

HOSTILE = [
    "a | b", "a\\|b", "\\", "`", "``a``", "` | `", "<script>alert(1)</script>", "<img src=x>", "[x](https://e.org)",
    "https://e.org", "www.e.org", "@someone", "#1", "**bold**", "~~x~~", "![i](u)", "| --- |", "# head", "- [ ] x",
    "&lt;b&gt;", "\u202eabc", "a`|`b", "`a", "b`", "  ", "$x$", ":smile:", "<!-- -->", "[^1]", "a\\", "\\`|\\`",
]  # fmt: skip
INNER = {"text", "code_inline", "strong_open", "strong_close", "softbreak"}


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def markdown(first: str, second: str, folder: Path) -> str:
    for name, text in (("a.yaml", first), ("b.yaml", second)):
        found = spec(model={"id": "acme/tiny", "revision": text}, tracking={"wandb": {"project": text}})
        found["targets"] = {"trl": {"extra": {"hub_revision": text}}}
        (folder / name).write_text(json.dumps(found), encoding="utf-8")
    os.chdir(folder)
    result = CliRunner().invoke(main, ["diff", "a.yaml", "b.yaml", "--format", "markdown"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_is_code_and_nothing_else(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tokens = parsed(markdown("plain", text, tmp_path))
    inner = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inner} <= INNER
    visible = "".join(c if c.isprintable() else "�" for c in text)
    held = [child.content for child in inner if child.type == "code_inline"]
    assert held.count(visible) == 3, "model.revision, tracking.wandb.project and the native key"
    cells = [sum(t.type in ("td_open", "th_open") for t in row) for row in _rows(tokens)]
    assert cells == [5] * 4 and "html_block" not in {token.type for token in tokens}


def _rows(tokens: list[Token]) -> list[list[Token]]:
    starts = [i for i, token in enumerate(tokens) if token.type == "tr_open"]
    ends = [i for i, token in enumerate(tokens) if token.type == "tr_close"]
    return [tokens[start:end] for start, end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("text", [*HOSTILE, "a\nb\n\n# c", "x" * 1000])
def test_code_is_one_span_on_one_line(text: str) -> None:
    (paragraph,) = [t for t in parsed(f"| a |\n|---|\n| {code(text)} |") if t.type == "inline" and t.content != "a"]
    (span,) = list(paragraph.children or [])
    assert span.type == "code_inline" and len(span.content) <= 400
    assert "\n" not in code(text)


@pytest.mark.parametrize("text", ["```", "````\nx", "~~~", "-```` `", ""])
def test_a_diff_does_not_leave_its_block(text: str) -> None:
    (block,) = parsed(fenced(f"{text}\n<b>"))
    assert block.type == "fence" and "<b>" in block.content


def test_the_table_is_for_reviewers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = markdown("one", "two", tmp_path)
    assert text.startswith("**`a.yaml` → `b.yaml`**: what is trained changes.\n\n| changes | field | before |")
    row = "| **what is trained** | model revision `model.revision` | `one` | `two` | other weights"
    assert row in text and re.search(r"\| run only \| `W&B project` `tracking.wandb.project` \|", text)
