"""`tuneform data convert` as its user meets it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tuneform.runtime.cli import main
from tuneform.spec.codes import codes
from tuneform.spec.wire.codes import CODES

SAID = {"role": "user", "content": "2+2?"}
FOUR = {"role": "assistant", "content": "4"}
ROWS = [{"messages": [SAID, FOUR]}] * 12
TURNS = [SAID, {**FOUR, "weight": 0}, SAID, FOUR]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, rows: list[Any]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["data", "convert", *arguments])


def test_several_files_become_one_in_their_order() -> None:
    other = [{"messages": [SAID, {**FOUR, "content": "vier"}]}]
    done = run(write("b.jsonl", other), write("a.jsonl", ROWS), "--to", "openai", "-o", "out/train.jsonl")
    assert done.exit_code == 0, done.output
    assert done.stdout == "out/train.jsonl: 13 rows for sft on OpenAI, 1,082 bytes\n"
    lines = Path("out/train.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == other[0] and len(lines) == 13
    assert os.listdir("out") == ["train.jsonl"]


def test_azure_has_a_byte_order_mark_and_together_none() -> None:
    write("a.jsonl", ROWS)
    assert run("a.jsonl", "--to", "azure", "-o", "azure.jsonl").exit_code == 0
    assert run("azure.jsonl", "--to", "together", "-o", "together.jsonl").exit_code == 0
    azure, together = Path("azure.jsonl").read_bytes(), Path("together.jsonl").read_bytes()
    assert azure == b"\xef\xbb\xbf" + together and together.startswith(b'{"messages"')


def test_what_a_form_cannot_say_is_told_with_its_line_and_nothing_is_written() -> None:
    write("a.jsonl", [ROWS[0], {"messages": TURNS}, *[{"messages": TURNS}] * 9])
    Path("out.jsonl").write_text("older", encoding="utf-8")
    done = run("a.jsonl", "--to", "vertex-gemini", "-o", "out.jsonl")
    assert done.exit_code == 1 and done.stdout == ""
    assert "a.jsonl:2:1: error TF341: `messages[1].weight` takes the turn out of training" in done.stderr
    assert "a.jsonl:7:1: error TF341: and 5 more rows that vertex-gemini cannot say so, up to line 11" in done.stderr
    assert done.stderr.count("error TF341") == 6 and done.stderr.endswith("nothing was written\n")
    assert Path("out.jsonl").read_text(encoding="utf-8") == "older" and sorted(os.listdir()) == [
        "a.jsonl",
        "out.jsonl",
    ]


def test_an_expansion_is_told_with_the_rows_it_was_taken_for() -> None:
    write("a.jsonl", [ROWS[0], {"messages": TURNS}, {"messages": [*TURNS, SAID, FOUR]}])
    done = run("a.jsonl", "--to", "vertex-gemini", "-o", "out.jsonl", "--expand", "split-turns", "--json")
    assert done.exit_code == 0, done.output
    assert "a.jsonl:2:1: note TF349: 2 rows take `split-turns`: one row for each trained turn" in done.stderr
    said = json.loads(done.stdout)
    assert said["expanded"] == {"split-turns": {"rows": 2, "first": ["a.jsonl:2", "a.jsonl:3"]}}
    assert (said["rows_read"], said["rows_written"], said["shape"], said["methods"]) == (3, 4, "chat", ["sft"])
    written = Path("out.jsonl").read_bytes()
    assert said["written"] == {
        "path": "out.jsonl",
        "bytes": len(written),
        "sha256": hashlib.sha256(written).hexdigest(),
    }
    assert said["limits"][0]["max_tokens"] == 131072 and said["limits"][0]["as_of"] == "2026-11-22"


def test_bad_rows_can_be_skipped_and_are_counted() -> None:
    Path("a.jsonl").write_text(
        "not JSON\n" + "".join(json.dumps(r) + "\n" for r in [{"messages": TURNS}, *ROWS]), "utf-8"
    )
    done = run("a.jsonl", "--to", "bedrock-nova", "-o", "out.jsonl", "--on-bad-row", "skip", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert [(row["line"], row["row"], row["code"]) for row in said["skipped"]] == [(1, 1, "TF306"), (2, 2, "TF341")]
    assert said["rows_written"] == 12 and {d["level"] for d in said["diagnostics"]} == {"warning"}
    assert "bundle" not in done.stderr
    every = run(
        write("b.jsonl", [{"messages": TURNS}] * 3), "--to", "bedrock-nova", "-o", "o.jsonl", "--on-bad-row", "skip"
    )
    assert every.exit_code == 1 and "no row is left for bedrock-nova" in every.stderr and not Path("o.jsonl").exists()


def test_rows_on_one_line_are_named_by_number() -> None:
    Path("a.json").write_text(json.dumps([ROWS[0], *[{"messages": TURNS}] * 9, {"messages": "?"}]))
    refused = run("a.json", "--to", "openai", "-o", "out.jsonl", "--on-bad-row", "skip", "--json")
    assert "1 TF316, first at row 11: " in refused.stderr and "listed" not in refused.stderr
    many = run("a.json", "--to", "vertex-gemini", "-o", "out.jsonl", "--on-bad-row", "skip")
    assert "a.json: row 2: warning TF341" in many.stderr
    assert (
        "a.json: row 3: warning TF341: and 8 more rows that vertex-gemini cannot say so, up to row 10" in many.stderr
    )
    split = run(
        "a.json", "--to", "vertex-gemini", "-o", "out.jsonl", "--on-bad-row", "skip", "--expand", "split-turns"
    )
    assert "a.json: row 2: note TF349: 9 rows take" in split.stderr
    assert "a.json: row 2, a.json: row 3, " in split.stderr


def test_too_few_rows_are_a_warning_and_too_many_bytes_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.jsonl", ROWS)
    few = run("a.jsonl", "--to", "bedrock-claude", "-o", "few.jsonl")
    assert few.exit_code == 0 and Path("few.jsonl").exists()
    assert "warning TF348: few.jsonl: 12 rows; bedrock-claude wants at least 32" in few.stderr
    assert "as of 2026-11-22: https://docs.aws.amazon.com/" in few.stderr
    many = run(
        write("b.jsonl", [{"prompt": [SAID], "answer": "4"}] * 5001),
        "--to",
        "vertex-gemini",
        "--method",
        "rft",
        "-o",
        "many.jsonl",
    )
    assert (
        many.exit_code == 1
        and "error TF348: many.jsonl: 5,001 rows" in many.stderr
        and not Path("many.jsonl").exists()
    )


def test_columns_format_and_method() -> None:
    write("q.jsonl", [{"question": "2+2?", "answer": "4", "level": 1}] * 12)
    done = run(
        "q.jsonl",
        "--to",
        "bedrock-text",
        "-o",
        "out.jsonl",
        "--columns",
        "prompt=question",
        "--columns",
        "completion=answer",
    )
    assert done.exit_code == 0 and "columns of `q.jsonl` that are not used: `level`" in done.stderr
    rewarded = run(
        "q.jsonl",
        "--to",
        "openai",
        "-o",
        "rft.jsonl",
        "--columns",
        "prompt=question",
        "--method",
        "rft",
        "--expand",
        "as-chat",
    )
    assert rewarded.exit_code == 0, rewarded.output
    assert json.loads(Path("rft.jsonl").read_text("utf-8").splitlines()[0]) == {
        "messages": [SAID],
        "answer": "4",
        "level": 1,
    }
    unfit = run("q.jsonl", "--to", "openai", "-o", "x.jsonl", "--columns", "prompt=question", "--method", "grpo")
    assert unfit.exit_code == 1 and "error TF340" in unfit.stderr and "is for grpo" in unfit.stderr


def test_prompts_without_a_method_are_told_how_to_be_read() -> None:
    write("p.jsonl", [{"messages": [SAID], "reference_answer": 4}] * 100)
    lost = run("p.jsonl", "--to", "bedrock-nova", "-o", "o.jsonl")
    assert lost.exit_code == 1 and "say so: --method rft" in lost.stderr
    assert "--method" not in run("p.jsonl", "--to", "bedrock-llama", "-o", "o.jsonl").stderr
    assert run("p.jsonl", "--to", "bedrock-nova", "-o", "o.jsonl", "--method", "rft").exit_code == 0


def test_folders_and_patterns_are_read_as_the_report_reads_them() -> None:
    Path("rows").mkdir()
    other = [{"messages": [SAID, {**FOUR, "content": "vier"}]}]
    write("rows/b.jsonl", other), write("rows/a.jsonl", ROWS), write("rows/notes.md", [])
    for read in ("rows", "rows/*.jsonl"):
        done = run(read, "--to", "openai", "-o", "out.jsonl")
        assert done.exit_code == 0, done.output
        lines = Path("out.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 13 and json.loads(lines[12]) == other[0]
        assert ("`notes.md`" in done.stderr) == (read == "rows")
        mine = run(read, "--to", "openai", "-o", "rows/b.jsonl")
        assert mine.exit_code == 2 and "is one of the files to read" in mine.stderr
    none = run("none/*.jsonl", "--to", "openai", "-o", "o.jsonl")
    assert (
        none.exit_code == 1
        and "TF301" in none.stderr
        and "the pattern `none/*.jsonl` finds no data file" in none.stderr
    )


def test_files_of_two_shapes_are_no_file_of_rows() -> None:
    one, two = write("a.jsonl", ROWS), write("b.jsonl", [{"text": "t"}])
    done = run(one, two, "--to", "together", "-o", "out.jsonl")
    assert (
        done.exit_code == 1
        and "TF324" in done.stderr
        and "`b.jsonl` holds text rows, but `a.jsonl` holds chat rows" in done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.jsonl", "--to", "bedrok-nova", "-o", "o.jsonl"), "did you mean `bedrock-nova`?"),
        (("a.jsonl", "--to", "openai", "-o", "a.jsonl"), "is one of the files to read"),
        (("a.jsonl", "--to", "openai", "-o", "o.jsonl", "--columns", "prompt"), "is not FIELD=COLUMN"),
        (("a.jsonl", "--to", "openai", "-o", "o.jsonl", "--method", "ppo"), "did you mean `dpo`"),
        (("a.jsonl", "--to", "openai", "-o", "o.jsonl", "--expand", "merge"), "`merge` is none of"),
        (("a.jsonl", "--to", "sagemaker", "-o", "o", "--expand", "all-turns", "--expand", "split-turns"), "opposite"),
        (("--to", "openai", "-o", "o.jsonl"), "Missing argument"),
    ],
)
def test_usage(arguments: tuple[str, ...], message: str) -> None:
    write("a.jsonl", ROWS)
    done = run(*arguments)
    assert done.exit_code == 2 and message in " ".join(done.stderr.split())


def test_files_that_are_not_there_are_told() -> None:
    done = run("nowhere.jsonl", "--to", "openai", "-o", "o.jsonl")
    assert done.exit_code == 1 and "TF301" in done.stderr and "nothing was written" in done.stderr


def test_a_folder_that_cannot_be_written_to_is_told() -> None:
    write("a.jsonl", ROWS)
    done = run("a.jsonl", "--to", "openai", "-o", "a.jsonl/out.jsonl")
    assert done.exit_code == 4 and "a.jsonl" in done.stderr and "Traceback" not in done.output


def test_codes_are_explained_and_used() -> None:
    assert CODES.keys() <= codes().keys()
    folders = Path(str(__file__)).parents[2]
    text = "".join(
        p.read_text("utf-8")
        for name in ("spec/wire", "runtime")
        for p in (folders / name).glob("*.py")
        if p.name != "codes.py"
    )
    assert all(f'"{code}"' in text for code in CODES)
