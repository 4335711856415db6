"""`tuneform data FILE...`: what is told, where, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from tuneform.runtime.cli import main
from tuneform.spec.rows import secrets

from .tiny_tokenizer import save

Rows = list[dict[str, Any]]


def chat(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, rows: Rows) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def data(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["data", *arguments])


def told(*arguments: str) -> dict[str, Any]:
    result = data(*arguments, "--json")
    document: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if document["ok"] else 1)
    return document


def problems(*arguments: str) -> list[tuple[str, str, int, int | None]]:
    """Code, level, count and the first line of each kind."""
    found = told(*arguments)["problems"]
    return [(p["code"], p["level"], p["count"], p["first"][0]["line"]) for p in found]


def test_counts_of_a_sound_file() -> None:
    save(Path("model"))
    write("a.jsonl", [chat("a b", "c"), chat("a b c", "d", "e", "f")])
    found = told("a.jsonl", "--tokenizer", "model", "--max-length", "20")
    assert found["ok"] and found["problems"] == [
        {
            "code": "TF350",
            "file": "a.jsonl",
            "level": "note",
            "count": 1,
            "first": [
                {
                    "code": "TF350",
                    "level": "note",
                    "file": "a.jsonl",
                    "line": 2,
                    "row": 2,
                    "message": "the row has 28 tokens, more than max_length 20",
                    "hint": None,
                }
            ],
        }
    ]
    (file,) = found["files"]
    assert (file["rows"], file["rows_unusable"], file["format"], file["shape"]) == (2, 0, "chat", "chat")
    assert file["turns"] == {"assistant": 3, "user": 3}
    assert file["tokens"] == {
        "exact": True,
        "rows": 2,
        "row": {"min": 14, "median": 14, "p95": 28, "max": 28},
        "epoch": 42,
        "trained": 6,
        "masked": 36,
        "histogram": [
            {"from": 10, "below": 15, "rows": 1},
            {"from": 15, "below": 20, "rows": 0},
            {"from": 20, "below": 25, "rows": 0},
            {"from": 25, "below": 30, "rows": 1},
        ],
        "limit": {
            "max_length": 20,
            "rows_over": 1,
            "rows_over_with_nothing_left": 0,
            "if_dropped": {"epoch": 14, "trained": 2},
            "if_cut": {"epoch": 34, "trained": 4},
        },
    }
    assert found["counting"] == {"exact": True, "tokenizer": "model", "estimate": None}


def test_without_a_tokenizer_it_says_that_it_guesses() -> None:
    write("a.jsonl", [chat("a b", "c")])
    found = told("a.jsonl")
    assert found["counting"]["estimate"]["why"] == "no tokenizer is named" and not found["counting"]["exact"]
    assert "tokens are estimated" in data("a.jsonl").stdout
    assert "there is no folder ./nowhere" in data("a.jsonl", "--tokenizer", "./nowhere").stdout


def test_every_problem_is_counted_and_the_first_are_shown() -> None:
    write("a.jsonl", [chat("q", "same")] * 7 + [{"messages": []}, chat("q", "other")])
    assert problems("a.jsonl") == [("TF318", "error", 1, 8), ("TF328", "warning", 6, 2)]
    text = data("a.jsonl", "--problems", "all.jsonl").stdout
    assert text.count("the row repeats line 1\n") == 3 and "and 3 more like these, up to line 7" in text
    listed = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert [found["line"] for found in listed if found["code"] == "TF328"] == [2, 3, 4, 5, 6, 7]
    assert "all of them are in all.jsonl" in text


def test_rows_held_out_that_are_trained_on() -> None:
    write("a.jsonl", [chat("q one", "a"), chat("q two", "b")])
    write("b.jsonl", [chat("q  two", "b\n"), chat("q one", "a"), chat("new", "c")])
    found = problems("a.jsonl", "--eval", "b.jsonl")
    assert found == [("TF355", "warning", 1, 1), ("TF329", "warning", 1, 2)]
    assert (
        "but for white space, the row is trained on: line 2 of a.jsonl" in data("a.jsonl", "--eval", "b.jsonl").stdout
    )


def test_repeated_rows_are_found_across_files_and_sides_are_apart() -> None:
    write("a.jsonl", [chat("q", "a")])
    write("b.jsonl", [chat("q", "a"), chat("q", "b")])
    assert problems("a.jsonl", "b.jsonl") == [("TF328", "warning", 1, 1)]
    assert "line 1 of a.jsonl" in data("a.jsonl", "b.jsonl").stdout


def test_nothing_to_train_and_templates_that_do_not_carry_a_row() -> None:
    save(Path("picky"), "{% for m in messages %}{{ m.role }}{% endfor %}")
    write("a.jsonl", [chat("q", "a")])
    assert problems("a.jsonl", "--tokenizer", "picky") == [("TF357", "error", 1, 1)]


def test_reserved_tokens_of_the_tokenizer_and_of_known_models() -> None:
    save(Path("model"))
    write("a.jsonl", [chat("q", "a"), chat("q <|im_end|> <|eot_id|>", "a")])
    assert problems("a.jsonl") == [("TF359", "warning", 1, 2)]
    text = data("a.jsonl", "--tokenizer", "model").stdout
    assert "reserved tokens stand in the text: `<|im_end|>`\n" in text
    write("t.jsonl", [{"text": "one<|im_end|>"}])
    assert problems("t.jsonl") == [("TF359", "note", 1, 1)]


# Written in two parts, so that no file of ours looks as if it held a secret.
SECRETS = {
    "an AWS access key id": "AKIA" + "QWERTYUIOP234567",
    "a GitHub token": "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a",
    "a Hugging Face token": "hf" + "_QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi",
    "an OpenAI or Anthropic API key": "sk-" + "proj-Qw3rTyU1opA5dFgHjKl2xCvBnM9qWeRtYuIo",
    "a Google API key": "AIza" + "SyQw3rTyU1opA5dFgHjKl2xCvBnM9qWeRtY",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEAxQw3rTyU",
    "a password in an address": "postgres://" + "admin:tr0ub4dor&3@db.internal/x",
    "a Slack token": "xoxb-" + "2345678901-Qw3rTyU1opA5dFgHjKl2",
}


@pytest.mark.parametrize("what", SECRETS)
@pytest.mark.parametrize("around", ["{}", "key:\n{}\nend", "use {}, please", '"{}"'])
def test_secrets_are_found_and_never_shown(what: str, around: str) -> None:
    write("a.jsonl", [chat("q", "a"), chat("my key", around.format(SECRETS[what]))])
    result = data("a.jsonl", "--problems", "all.jsonl")
    assert f"a.jsonl:2: warning TF358: the row holds what looks like {what}\n" in result.stdout
    assert result.exit_code == 1
    assert SECRETS[what][4:20] not in result.stdout + Path("all.jsonl").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "sk-" + "x" * 40,
        "sk-your_" + "api_key_goes_right_here_please_now",
        "a task-" + "force-of-people-who-write-long-hyphenated-words",
        "https://user:password@host/",
        "the hf_" + "hub is a place",
        "-----BEGIN PUBLIC KEY-----\nMIIEpAIBAAKCAQEAxQw3rTyU",
    ],
)
def test_what_is_made_up_or_common_is_no_secret(text: str) -> None:
    assert list(secrets.find(json.dumps(chat("q", text)).encode())) == []


def test_places_in_large_files_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneform.runtime.datareport.checks.BLOCK", 500)
    rows = [chat(f"question {i}", "a") for i in range(50)]
    rows[33] = chat("q", SECRETS["a GitHub token"])
    rows[49] = chat("q", "<|im_end|>")
    write("a.jsonl", rows)
    assert problems("a.jsonl") == [("TF358", "warning", 1, 34), ("TF359", "warning", 1, 50)]


def test_limits_of_services() -> None:
    write("a.jsonl", [chat(f"q{i}", "a") for i in range(9)])
    assert problems("a.jsonl", "--target", "openai") == [("TF348", "warning", 1, None)], "it may be for validation"
    text = data("a.jsonl", "--target", "openai").stdout
    assert "9 rows; openai wants at least 10" in text and "as of 2026-11-22: https://" in text
    assert problems("a.jsonl", "--target", "together") == []
    assert data("a.jsonl", "--target", "opnai").exit_code == 2
    assert told("a.jsonl", "--target", "openai")["limits"][0]["min_rows"] == 10


def test_rows_are_named_by_number_where_lines_tell_nothing() -> None:
    rows = [chat("q", "a"), {"messages": []}, chat("q", "a"), chat("q", "b"), {"messages": []}]
    Path("a.json").write_text(json.dumps(rows))
    parquet.write_table(pyarrow.Table.from_pylist(rows), "a.parquet")
    for name in ("a.json", "a.parquet"):
        told_ = {found["code"]: found for found in told(name)["problems"]}
        assert [(f["line"], f["row"]) for f in told_["TF318"]["first"]] == [(None, 2), (None, 5)]
        (repeated,) = told_["TF328"]["first"]
        assert (repeated["line"], repeated["row"], repeated["message"]) == (None, 3, "the row repeats row 1")
        assert f"{name}, row 5: error TF318" in data(name).stdout


def test_rows_beyond_the_tokens_of_a_service() -> None:
    save(Path("model"))
    rows = [chat("q", "a " * 15_998), *(chat(f"q{i}", "a") for i in range(40))]
    write("a.jsonl", rows)
    limited = ("a.jsonl", "--target", "bedrock-claude", "--tokenizer", "model")
    assert problems(*limited) == [("TF351", "error", 1, 1)]
    write("a.jsonl", [chat("q", "a " * 15_900), *rows[1:]])
    assert problems(*limited) == []


def test_rows_that_a_target_has_no_place_for() -> None:
    rows: Rows = [chat(f"q{i}", "a") for i in range(8)]
    rows[2]["messages"].insert(0, {"role": "user", "content": "hello?"})
    rows[3]["messages"].insert(0, {"role": "assistant", "content": "hello!"})
    rows[4]["messages"].insert(0, {"role": "system", "content": "be kind"})
    rows[6]["messages"][0]["content"] = "User: hi"
    write("a.jsonl", rows)
    found = problems("a.jsonl", "--target", "bedrock-nova")
    assert found == [("TF344", "error", 1, 3), ("TF342", "error", 1, 4), ("TF346", "error", 1, 7)]
    write("t.jsonl", [{"text": "one"}])
    assert problems("t.jsonl", "--target", "openai") == [("TF340", "error", 1, None)]
    assert problems("t.jsonl", "--target", "axolotl") == []


def test_files_that_cannot_be_read_are_told() -> None:
    write("a.jsonl", [chat("q", "a")])
    assert problems("nowhere.jsonl", "a.jsonl") == [("TF301", "error", 1, None)]
    assert data("a.jsonl", "--method", "dpo").exit_code == 1
    assert data("a.jsonl", "--method", "dop").exit_code == 2
    assert data("a.jsonl", "--columns", "x").exit_code == 2
    assert data("a.jsonl", "--problems", "a.jsonl").exit_code == 2


def test_columns_and_several_files_are_summed() -> None:
    write("a.jsonl", [{"question": "a", "answer": "b"}])
    write("b.jsonl", [{"question": "c", "answer": "d"}])
    found = told("a.jsonl", "b.jsonl", "--columns", "prompt=question", "--columns", "completion=answer")
    assert found["total"]["rows"] == 2 and found["total"]["epoch"] == sum(f["tokens"]["epoch"] for f in found["files"])


def test_what_a_terminal_would_act_on_is_not_printed() -> None:
    write("a.jsonl", [{"messages": [{"role": "us\x1b[31mer", "content": "q"}]}])
    assert "\x1b" not in data("a.jsonl").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "a.jsonl"),
        ("a.jsonl", "--json"),
        ("--max-length", "9", "a.jsonl", "--json"),
        ("--json", "--", "a.jsonl"),
    ],
)
def test_options_may_stand_before_the_file(arguments: tuple[str, ...]) -> None:
    write("a.jsonl", [chat("q", "a")])
    result = data(*arguments)
    assert result.exit_code == 0 and json.loads(result.stdout)["files"][0]["file"] == "a.jsonl"


def test_help_is_of_the_group_or_of_the_report() -> None:
    for option in ("-h", "--help"):
        alone, after = data(option), data("--json", option)
        assert alone.exit_code == after.exit_code == 0
        assert "FILE... | COMMAND" in alone.stdout and "convert" in alone.stdout and "--tokenizer" not in alone.stdout
        assert "data report [OPTIONS] FILE..." in after.stdout and "--tokenizer" in after.stdout
    assert data("--nope", "a.jsonl").exit_code == 2
