"""The fast way of reading gives what the strict one gives, and processes and blocks change nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.runtime import datafiles, repeats, spool, workers
from tuneform.runtime.data import DataRequest, Source, read_data
from tuneform.runtime.places import Places
from tuneform.runtime.readers import lines as lines_module
from tuneform.spec.diagnostics import Level
from tuneform.spec.rows.fastjson import loads_object
from tuneform.spec.rows.strictjson import Flaw, loads

from .conftest import Read, codes, errors

NUMBERS = (
    st.integers() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=True) | st.sampled_from([1e-5, 1e16, -0.0])
)
TEXTS = st.text(max_size=4) | st.sampled_from(['"', '":', "\\", '\\"', "\u2028", "\x85", "\ud800", "\0"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SPACE = st.sampled_from(["", " ", "\t", "  "])


@st.composite
def objects(draw: st.DrawFn, depth: int = 2) -> str:
    """An object as JSON text, written by hand: keys may stand there twice, and spaces anywhere."""
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        nested = depth and draw(st.booleans())
        value = draw(objects(depth - 1)) if nested else json.dumps(draw(VALUES), ensure_ascii=draw(st.booleans()))
        key = json.dumps(draw(st.sampled_from(["a", "b", 'q"', "\\", ""])))
        parts.append(f"{draw(SPACE)}{key}{draw(SPACE)}:{draw(SPACE)}{value}{draw(SPACE)}")
    return "{" + ",".join(parts) + "}"


@settings(max_examples=120, deadline=None)
@given(objects())
def test_fast_is_strict_or_says_nothing(text: str) -> None:
    fast = loads_object(text.encode("utf-8", "surrogatepass"))
    if fast is not None:
        strict = loads(text)
        assert not isinstance(strict, Flaw) and repr(fast) == repr(strict)


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1, "a": 2}',
        '{"a" : 1, "a" : "x"}',
        '{"a":1,"a" :"\\u0022:"}',
        '{"a": "x", "\\u0061": "y"}',
        '{"b": {"a": 1, "a": 2}}',
        '{"b": [{"a": "\\"", "a": "x"}]}',
        '{"a": 18446744073709551616}',
        '{"a": [-9223372036854775809]}',
        '{"a": ' + "[" * 120 + "]" * 120 + "}",
        '{"a": NaN}',
        '{"a": "\\ud800"}',
    ],
)
def test_the_fast_way_leaves_these_alone(line: str) -> None:
    assert loads_object(line.encode()) is None


def test_the_fast_way_takes_what_is_usual() -> None:
    for row in (
        {"a": 'x "y": z', "b": 1.5, "c": None},
        {"m": [{"role": "user", "content": "a\\n: b"}], "k": {"a": [True]}},
    ):
        assert loads_object(json.dumps(row).encode()) == row


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_encoding_is_that_of_the_standard_library(row: dict[str, Any]) -> None:
    try:
        expected = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        for character in "\x85\u2028\u2029":
            expected = expected.replace(character, f"\\u{ord(character):04x}")
        line = expected.encode()
    except ValueError:
        return  # NaN, or half a character: strict reading lets neither in
    assert datafiles.encode(row) == line


ROWS = [{"instruction": f"row {i}", "input": "", "output": 'said: "yes"'} for i in range(500)]
ODD = {
    40: "",
    41: "{",
    90: '{"instruction": "a", "output": ""}',
    91: '{"instruction": "a", "instruction": "a"}',
    300: "  ",
}


def odd_lines() -> bytes:
    return "\n".join(ODD.get(i, json.dumps(row)) for i, row in enumerate(ROWS)).encode()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, memory and shares so small that a short file has many of them."""
    monkeypatch.setattr(lines_module, "BLOCK", 512)
    monkeypatch.setattr(spool, "BLOCK", 700)
    monkeypatch.setattr(spool, "_IN_MEMORY", 1500)
    monkeypatch.setattr(repeats, "_AT_ONCE", 60)
    monkeypatch.setattr(workers, "WORTH", 0)


def outcome(path: Path, count: int = 1, **more: Any) -> tuple[Any, ...]:
    told: list[tuple[int, int, int]] = []
    request = DataRequest([Source(path, "a.jsonl")], **more)
    result = read_data(request, lambda *at: told.append(at), count)
    assert told == sorted(told) and told[-1] == (told[-1][0], path.stat().st_size, path.stat().st_size)
    return result.digests, result.diagnostics, result.skipped, result.facts


@pytest.mark.parametrize("more", [{}, {"on_bad_row": "skip"}, {"on_bad_row": "skip", "split": 0.3}])
def test_blocks_and_processes_change_nothing(
    tmp_path: Path, more: dict[str, Any], small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(odd_lines() + b"\n" + json.dumps(ROWS[7]).encode())
    tiny, parallel = outcome(path, 1, **more), outcome(path, 2, **more)
    monkeypatch.undo()
    assert tiny == parallel == outcome(path, 1, **more)
    problems = [(d.code, d.span.line) for d in tiny[1] if d.level is Level.ERROR and d.span]
    assert problems == ([] if more else [("TF306", 42), ("TF319", 91), ("TF310", 92)])
    if more:
        assert [(s.line, s.row) for s in tiny[2]] == [(42, 41), (91, 90), (92, 91)]
        assert "line 501 is a.jsonl:8" in str(tiny[1])


def test_repeats_and_leaks_in_shares(tmp_path: Path, small: None) -> None:
    rng = random.Random(3)
    texts = [f"{rng.randint(0, 150)}" for _ in range(400)]
    paths = [tmp_path / name for name in ("a.jsonl", "b.jsonl", "held.jsonl")]
    parts = (texts[:250], texts[250:], [str(i) for i in range(100, 200)])
    for path, part in zip(paths, parts, strict=True):
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in part))
    sources = [Source(path, path.name) for path in paths]
    found = [d.message for d in read_data(DataRequest(sources[:2], sources[2:])).diagnostics]
    first: dict[str, str] = {}
    expected: dict[str, list[str]] = {"a": [], "b": [], "held": []}
    for name, part in zip("ab", parts[:2], strict=True):
        for line, text in enumerate(part, 1):
            if text in first:
                expected[name].append(f"line {line} is {first[text]}")
            first.setdefault(text, f"{name}.jsonl:{line}")
    expected["held"] = [f"line {i + 1} is {first[t]}" for i, t in enumerate(parts[2]) if t in first]
    for (name, pairs), message in zip(expected.items(), found, strict=True):
        assert message.startswith(f"{len(pairs)} rows of `{name}.jsonl`")
        assert message.endswith(f": {', '.join(pairs[:5])} and {len(pairs) - 5} more")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.booleans()), max_size=12))
def test_places_are_those_that_were_added(steps: list[tuple[int, int, bool]]) -> None:
    places, line, index = Places(), 0, 0
    expected: list[tuple[int, int]] = []
    for gap, count, same_line in steps:
        line, index = line + (0 if same_line and expected else gap + 1), index + 1 + gap
        places.add(line, index, count)
        expected += [(line + i, index + i) for i in range(count)]
        line, index = line + count - 1, index + count - 1
    assert [(places.line(i), places.index(i)) for i in range(places.count)] == expected


def test_one_line_of_100_mb(read: Read) -> None:
    result = read(b'{"text": "a"}\n{"text": "' + b"a" * 100_000_000 + b'"}\n{"text": "b"}', on_bad_row="skip")
    assert [(s.code, s.line) for s in result.skipped] == [("TF312", 2)] and result.facts.rows_train == 2


HOSTILE: list[Callable[[random.Random], bytes]] = [
    lambda rng: rng.randbytes(rng.randint(0, 300)),
    lambda rng: b"\0" * rng.randint(1, 300),
    lambda rng: b"[" * rng.randint(1, 3000),
    lambda rng: b'{"a":' * rng.randint(1, 3000),
    lambda rng: b'{"text": "\\ud83d", "x": [NaN, 1e999, ' + b"9" * rng.randint(1, 900) + b"]}",
    lambda rng: json.dumps(ROWS[:3]).encode()[: rng.randint(0, 200)],
    lambda rng: b'"' * rng.randint(1, 50) + b"\r\r\n,,,\n" + rng.randbytes(9),
]
SUFFIXES = [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".jsonl.gz", ".json.zst", ".csv.gz"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("seed", range(12))
def test_hostile_bytes_are_errors_and_no_crash(tmp_path: Path, suffix: str, seed: int) -> None:
    rng = random.Random(f"{suffix}{seed}")
    good = rng.choice(
        [b"", json.dumps(ROWS[0]).encode() + b"\n", b"instruction,output\na,b\n", b"PAR1", b"\x1f\x8b\x08"]
    )
    path = tmp_path / f"a{suffix}"
    path.write_bytes(good + rng.choice(HOSTILE)(rng) + b"\n" + rng.choice(HOSTILE)(rng))
    for on_bad_row in ("error", "skip"):
        result = read_data(DataRequest([Source(path, path.name)], on_bad_row=on_bad_row))
        assert result.ok == bool(result.rows)
        assert result.ok or codes(result, Level.ERROR)


def test_an_array_on_one_line_gives_rows(read: Read) -> None:
    result = read('[{"text": "a"}, {"text": ""}, {"text": "b"}]', "a.json")
    assert errors(result) == [("TF319", 1)] and str(result.diagnostics[0].span).endswith("a.json: row 2")
