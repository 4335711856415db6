"""Damaged files: each problem has its code, at exactly its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneform.runtime import json_array
from tuneform.runtime import rows as rows_module
from tuneform.runtime.data import DataRequest, Source, peek, read_data
from tuneform.spec.diagnostics import Level, render

from .conftest import AT, Read, codes, errors

CHAT = b'{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]}'
PC = b'{"prompt":"2+2=","completion":"4"}'
PAIR = b'{"prompt":"2+2?","chosen":"4","rejected":"5"}'
TEXT = b'{"text":"one"}'


def chat(*turns: Any, **more: Any) -> bytes:
    pairs = [{"role": t[0], "content": t[1]} if isinstance(t, tuple) else t for t in turns]
    return json.dumps({"messages": pairs, **more}).encode()


def called(**function: Any) -> bytes:
    return chat(("user", "hi"), {"role": "assistant", "tool_calls": [{"function": function}]})


LINES: dict[str, tuple[bytes, bytes, str, int | None]] = {
    "cut line": (PC, b'{"prompt": "a", "comp', "TF306", 17),
    "single quotes": (PC, b"{'prompt': 'a'}", "TF306", 2),
    "trailing comma": (TEXT, b'{"text": "a",}', "TF306", None),
    "two objects on a line": (TEXT, b'{"text": "a"} {"text": "b"}', "TF306", 15),
    "a raw tab in a text": (TEXT, b'{"text": "a\tb"}', "TF306", 12),
    "a list": (TEXT, b'["a"]', "TF307", 1),
    "a number": (TEXT, b"  12", "TF307", 3),
    "null": (TEXT, b"null", "TF307", 1),
    "NaN": (TEXT, b'{"text": "NaN", "score": NaN}', "TF308", 26),
    "Infinity": (TEXT, b'{"text": "a", "score": -Infinity}', "TF308", 24),
    "overflow": (TEXT, b'{"text": "a", "score": 1e999}', "TF308", 24),
    "a giant integer": (TEXT, b'{"text": "a", "score": ' + b"9" * 5000 + b"}", "TF308", 24),
    "lone surrogate": (TEXT, b'{"text": "\\\\ud83d \\ud83d\\ude00 \\ud83d"}', "TF309", 32),
    "low surrogate": (TEXT, b'{"text": "\\uDE00"}', "TF309", 11),
    "key twice": (TEXT, b'{"text": "a", "text": "b"}', "TF310", 15),
    "key twice inside": (CHAT, b'{"messages": [{"role": "user", "role": "user", "content": "a"}]}', "TF310", 32),
    "nested too deep": (TEXT, b'{"text": "a", "x": ' + b"[" * 150 + b"]" * 150 + b"}", "TF311", 1),
    "nested bottomless": (TEXT, b"[" * 100_000, "TF311", 1),
    "not UTF-8": (TEXT, b'{"text": "caf\xe9"}', "TF305", 14),
    "UTF-8 cut": (TEXT, '{"text": "é'.encode()[:-1], "TF305", 11),
    "another format": (CHAT, PC, "TF314", 1),
    "conversations in a messages file": (CHAT, b'{"conversations": [{"from": "human", "value": "a"}]}', "TF314", 1),
    "plain texts among conversations": (
        b'{"prompt":[{"role":"user","content":"a"}],"chosen":"b","rejected":"c"}',
        PAIR,
        "TF314",
        1,
    ),
    "missing key": (PC, b'{"prompt": "a"}', "TF315", 1),
    "misspelt key": (PC, b'{"prompt": "a", "complention": "b"}', "TF315", 1),
    "missing content": (CHAT, b'{"messages": [{"role": "user"}]}', "TF315", 15),
    "number for a text": (PC, b'{"prompt": "a", "completion": 4}', "TF316", 31),
    "null for a text": (PC, b'{"prompt": null, "completion": "4"}', "TF316", 12),
    "messages as a text": (CHAT, b'{"messages": "hi"}', "TF316", 14),
    "a turn that is a text": (CHAT, b'{"messages": ["hi"]}', "TF316", 15),
    "an image": (CHAT, chat(("user", [{"type": "image_url"}]), ("assistant", "a")), "TF316", 44),
    "misspelt role": (CHAT, b'{"messages": [{"role": "asistant", "content": "a"}]}', "TF317", 24),
    "foreign role": (CHAT, chat(("user", "a"), ("bot", "b")), "TF317", 58),
    "no messages": (CHAT, b'{"messages": []}', "TF318", 14),
    "no assistant": (CHAT, chat(("system", "a"), ("user", "b")), "TF318", 14),
    "ends with the user": (CHAT, chat(("user", "a"), ("assistant", "b"), ("user", "c")), "TF318", None),
    "tool answer without a call": (CHAT, chat(("user", "a"), ("tool", "b"), ("assistant", "c")), "TF318", 49),
    "two systems": (CHAT, chat(("system", "a"), ("user", "a"), ("assistant", "c"), system="b"), "TF318", None),
    "empty content": (CHAT, chat(("user", "a"), ("assistant", "")), "TF319", 82),
    "white space alone": (PC, b'{"prompt": "a", "completion": " \\n"}', "TF319", 31),
    "empty text": (TEXT, b'{"text": ""}', "TF319", 10),
    "arguments no object": (CHAT, called(name="f", arguments="[1]"), "TF320", None),
    "arguments no JSON": (CHAT, called(name="f", arguments="{a}"), "TF320", None),
    "arguments hide a surrogate": (CHAT, called(name="f", arguments='{"a": "\\ud800"}'), "TF320", None),
    "call without a name": (CHAT, called(arguments={}), "TF315", None),
    "the user calls a tool": (CHAT, chat({"role": "user", "content": "a", "tool_calls": [1]}), "TF320", None),
    "tools no list": (CHAT, chat(("user", "a"), ("assistant", "b"), tools="{"), "TF320", None),
    "weight of a half": (
        CHAT,
        chat(("user", "a"), {"role": "assistant", "content": "b", "weight": 0.5}),
        "TF322",
        None,
    ),
    "all weights zero": (CHAT, chat(("user", "a"), {"role": "assistant", "content": "b", "weight": 0}), "TF322", 14),
    "equal pair": (PAIR, b'{"prompt": "a", "chosen": "b", "rejected": "b"}', "TF321", 44),
    "nothing shared": (
        b'{"prompt":[{"role":"user","content":"a"}],"chosen":"b","rejected":"c"}',
        b'{"chosen": [{"role": "user", "content": "a"}], "rejected": [{"role": "user", "content": "b"}]}',
        "TF321",
        60,
    ),
    "plain pair without a prompt": (PAIR, b'{"chosen": "b", "rejected": "c"}', "TF315", 1),
    "prompt ends with the assistant": (
        b'{"prompt":[{"role":"user","content":"a"}],"chosen":"b","rejected":"c"}',
        b'{"prompt": [{"role": "assistant", "content": "a"}], "chosen": "b", "rejected": "c"}',
        "TF318",
        12,
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_bad_line(read: Read, name: str) -> None:
    good, bad, code, col = LINES[name]
    method = "dpo" if b"chosen" in good else "sft"
    result = read(b"\n".join([good, b"", good, bad, good, bad]), method=method)
    assert errors(result) == [(code, 4), (code, 6)]
    assert not result.rows
    found = next(d for d in result.diagnostics if d.code == code)
    assert found.span and found.span.file.endswith("train.jsonl") and found.path == "data.train"
    assert col is None or found.span.col == col
    assert "Traceback" not in render(found) and len(render(found)) < 1500


@pytest.mark.parametrize("name", LINES)
def test_bad_line_skipped(read: Read, name: str, tmp_path: Path) -> None:
    good, bad, code, _ = LINES[name]
    result = read(
        b"\n".join([good, b"", good, bad, good]), on_bad_row="skip", method="dpo" if b"chosen" in good else "sft"
    )
    assert result.ok and result.facts.rows_train == 3 and result.facts.skipped == 1
    assert [(s.code, s.line, s.row) for s in result.skipped] == [(code, 4, 3)]
    assert "TF327" in codes(result, Level.WARNING)


def test_only_the_first_five_are_shown_but_all_are_counted(read: Read) -> None:
    result = read(b"\n".join([TEXT] + [b'{"text": ""}'] * 12 + [b"{"]))
    assert errors(result) == [("TF319", line) for line in range(2, 7)] + [("TF306", 14), ("TF319", 7)]
    assert "and 7 more in train.jsonl" in result.diagnostics[-1].message
    assert "line 13" in result.diagnostics[-1].message


def test_a_file_of_unknown_columns_is_told_once(read: Read) -> None:
    result = read([{"question": str(i), "answer": "b"} for i in range(9)])
    assert errors(result) == [("TF313", 1), ("TF313", 2)]
    assert "and 8 more" in result.diagnostics[-1].message


def test_array_problems_are_at_their_own_lines(read: Read) -> None:
    rows = '[\n {"text": "a"},\n {\n  "text": ""\n },\n 7,\n {"text": "b", "text": "c"},\n {"text": "d"}\n]\n'
    assert errors(read(rows, "train.json")) == [("TF319", 4), ("TF307", 6), ("TF310", 7)]
    skipped = read(rows, "train.json", on_bad_row="skip")
    assert skipped.facts.rows_train == 2 and [s.row for s in skipped.skipped] == [2, 3, 4]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[\n{"text": "a"}\n{"text": "b"}]', 3),
        ('[\n{"text": "a"},\n]', 3),
        ('[\n{"text": "a"}\n', 3),
        ('[\n{"text": "a"}', 2),
        ('[\n{"text": "a"},\n{"text": ', 3),
        ('[{"text": "a"}]\n\n[]', 3),
        ('[\n{"text": "caf\udce9"}]', 2),
        ("[" * 100_000, 1),
    ],
)
def test_broken_array_is_an_error_even_when_skipping(read: Read, text: str, line: int) -> None:
    for on_bad_row in ("error", "skip"):
        result = read(text.encode(errors="surrogateescape"), "train.json", on_bad_row=on_bad_row)
        assert [place for code, place in errors(result) if code in ("TF305", "TF306", "TF311")] == [line]


def test_long_line(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "LIMIT", 100)
    long = b'{"text": "' + b"a" * 3_000_000 + b'"}'
    assert errors(read(b"\n".join([TEXT, long, TEXT, long]))) == [("TF312", 2), ("TF312", 4)]


def test_long_row_of_an_array(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "LIMIT", 2**21)
    text = b'[\n{"text": "a"},\n{"text": "' + b"a" * 5_000_000 + b'"}]'
    assert errors(read(text, "train.json")) == [("TF312", 3)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_window_of_an_array(read: Read, monkeypatch: pytest.MonkeyPatch, indent: int | None, chunk: int) -> None:
    monkeypatch.setattr(json_array, "CHUNK", chunk)
    rows = [{"text": f"é {i} \u2028 \U0001f600"} for i in range(60)]
    text = json.dumps(rows, indent=indent, ensure_ascii=False)
    assert read(text, "train.json").digests == read(rows).digests
    text = text.replace('"é 40', '"\\ud800').replace('"text": "é 50', '"txt": "')
    result = read(text, "train.json")
    assert [d.code for d in result.diagnostics] == ["TF309", "TF315"]
    for found, mark in zip(result.diagnostics, ["\\ud800", '{"txt"' if indent is None else '{\n  "txt"'], strict=True):
        at = text.index(mark)
        assert found.span and found.span.line == text.count("\n", 0, at) + 1
        assert found.span.col == at - text.rfind("\n", 0, at)


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (b"", "train.jsonl", "TF304", "holds no rows"),
        (b"\n \n", "train.jsonl", "TF304", "holds no rows"),
        (b" [ ] ", "train.json", "TF304", "holds no rows"),
        (b"a,b\n", "train.csv", "TF304", "holds no rows"),
        (b"a,b\n", "train.xlsx", "TF303", "is no kind of data file that is read"),
        (b"\x1f\x8b\x08\x00", "train.jsonl", "TF303", "holds gzip"),
        (b"PAR1....", "train.jsonl", "TF303", "holds Parquet"),
        ("\ufefftext".encode("utf-16-le"), "train.jsonl", "TF303", "UTF-16"),
    ],
)
def test_file_as_a_whole(read: Read, content: bytes, name: str, code: str, words: str) -> None:
    result = read(content, name)
    found = next(d for d in result.diagnostics if d.level is Level.ERROR)
    assert found.code == code and words in found.message and found.span == AT


@pytest.mark.parametrize("name", ["train.jsonl", "train.json", "train.csv"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_other_encodings_are_told_once_with_what_to_do(read: Read, name: str, encoding: str, mark: str) -> None:
    rows = "text,b\na,c\n" * 3 if name == "train.csv" else '{"text": "a"}\n{"text": "b"}\n'
    (problem,) = read((mark + rows).encode(encoding), name).diagnostics
    named = encoding[:6].upper() if mark else encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    assert problem.code == "TF303" and f"holds {named} text, not UTF-8" in problem.message
    assert problem.hint == f"convert it first: iconv -f {named} -t UTF-8"


@pytest.mark.parametrize("on_bad_row", ["error", "skip"])
def test_an_object_over_several_lines_is_told_once(read: Read, on_bad_row: str) -> None:
    whole = json.dumps({"version": 1, "data": [{"text": "one"}, {"text": "two"}]}, indent=2)
    (problem,) = read(whole, "train.json", on_bad_row=on_bad_row).diagnostics
    assert problem.code == "TF303" and "holds one object, not rows" in problem.message
    assert problem.hint == "the file must be a list of rows, or one row a line; lists are in `data` of the object"
    assert read('{"text": "one"}\n{"text": "two"}\n', "train.json").facts.rows_train == 2


def test_every_row_skipped(read: Read) -> None:
    result = read(b"{\n[", on_bad_row="skip")
    assert codes(result, Level.ERROR) == ["TF304"]


@pytest.mark.parametrize(
    ("name", "code", "hint"),
    [
        ("trian.jsonl", "TF301", "did you mean `train.jsonl`?"),
        ("other.json", "TF301", "data files in that folder: train.jsonl"),
        ("nowhere/train.jsonl", "TF301", "its folder `nowhere` does not exist"),
        ("train.jsonl/x.jsonl", "TF301", "does not exist"),
        ("empty", "TF301", "read are .jsonl"),
        ("a\0b.jsonl", "TF302", ""),
    ],
)
def test_file_that_is_not_there(tmp_path: Path, name: str, code: str, hint: str) -> None:
    (tmp_path / "train.jsonl").write_bytes(TEXT)
    (tmp_path / "empty").mkdir()
    result = read_data(DataRequest(train=[Source(tmp_path / name, name or ".")]))
    assert codes(result, Level.ERROR) == [code]
    assert hint in (result.diagnostics[0].hint or "")
    assert peek(Source(tmp_path / name, name or ".")).diagnostics == result.diagnostics


def test_marks_and_blanks_are_told(read: Read) -> None:
    result = read(b"\xef\xbb\xbf" + TEXT + b"\r\n\r\n" + b'{"text": "two", "id": 1}\r\n')
    assert result.ok and result.facts.rows_train == 2
    assert codes(result, Level.NOTE) == ["TF331", "TF332", "TF330"]
    assert result.ignored == {"train.jsonl": ["id"]}


@pytest.mark.parametrize(
    ("line", "method", "words"),
    [
        (CHAT, "pretrain", "method pretrain takes text rows"),
        (PC, "dpo", "method dpo takes preference rows"),
        (PAIR, "sft", "method sft takes chat or prompt_completion or text rows"),
        (CHAT[:-1] + b', "label": true}', "sft", "holds unpaired_preference rows"),
    ],
)
def test_method_and_rows_must_fit(read: Read, line: bytes, method: str, words: str) -> None:
    result = read(b"\n".join([line] * 3), method=method)
    assert codes(result, Level.ERROR) == ["TF323"]
    assert words in result.diagnostics[0].message and result.diagnostics[0].span == AT


def test_named_format_overrides_detection(read: Read) -> None:
    labelled = CHAT[:-1] + b', "label": true}'
    assert read(labelled, format="chat").facts.shape == "chat"
    assert errors(read(CHAT, format="prompt_completion")) == [("TF314", 1)]
    sharegpt = b'{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}'
    assert read(sharegpt, format="chat").facts.rows_train == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"promt": "text"}, "did you mean `prompt`?"),
        ({"text": "body"}, "`columns` names `body`, but no row"),
        ({"tools": "functions"}, "`columns` names `functions`, but no row"),
    ],
)
def test_wrong_columns(read: Read, columns: dict[str, str], words: str) -> None:
    result = read(b"\n".join([TEXT] * 3) if "tools" not in columns else CHAT, columns=columns)
    found = [d for d in result.diagnostics if d.code == "TF325"]
    assert len(found) == 1 and words in found[0].message + (found[0].hint or "")
