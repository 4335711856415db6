"""YAML 1.2 as the spec's own reader takes it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.spec.load import load
from tuneform.spec.yaml_reader import MAX_BYTES, Reader, YamlError, decode, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-4", 2e-4), ("1e5", 1e5), ("1E5", 1e5), (".5", 0.5), ("5.", 5.0), ("-3", -3), ("+3", 3), ("0o10", 8),
        ("010", 10), ("0x1F", 31), ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"), ("null", None), ("~", None), ("", None),
        ("1_000", "1_000"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("0b11", "0b11"), ("3%", "3%"),
        (".inf", float("inf")), ("-.INF", float("-inf")), ("1.2.3", "1.2.3"), ("e5", "e5"), ("-", "-"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value and type(found) is type(value)


def test_every_node_has_its_place() -> None:
    root = Reader("a:\n  - b: 'x y'\n    c: 3\n", "f").read()
    assert isinstance(root.value, dict)
    items = root.value["a"].value
    assert isinstance(items, list) and isinstance(items[0].value, dict)
    entry = items[0].value["c"]
    assert str(entry.span) == "f:3:8" and str(entry.key_span) == "f:3:5"
    assert items[0].value["b"].span.end_col - items[0].value["b"].span.col == 5
    assert root.plain() == {"a": ({"b": "x y", "c": 3},)}


def bomb(levels: int) -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for i in range(levels):
        one, two = chr(97 + i), chr(98 + i)
        lines.append(f"{two}: &{two} [{', '.join([f'*{one}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (bomb(9), "TF008"), ("[" * 100_000, "TF008"), ("a: " * 3, "TF003"), ("a: &a\n  b: *a", "TF003"),
        ("{" * 5000, "TF009"), ("a: [1, 2", "TF003"), ("? ? ? a", "TF009"), ("&a *a", "TF003"), ("a\n" * 3 + ":", "TF003"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem_with_a_code(text: str, code: str) -> None:
    began = time.monotonic()
    with pytest.raises(YamlError) as caught:
        Reader(text, "f").read()
    assert caught.value.code == code and time.monotonic() - began < 5


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    (problem,) = load(str(file)).diagnostics
    assert problem.code == "TF006" and "1,048,577" in problem.message


def test_a_number_of_many_digits_is_told() -> None:
    reader = Reader(f"a: {'9' * 5000}", "f")
    assert reader.read() is not None and reader.found[0].code == "TF003"


def test_both_parsers_of_pyyaml_give_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, 'x', {b: no}]\nc: &x {d: 2e-4}\ne: *x\nf: |\n  text\n"
    fast = Reader(text, "f").read().plain()
    monkeypatch.setattr("tuneform.spec.yaml_reader._PARSER", yaml.SafeLoader)
    assert Reader(text, "f").read().plain() == fast


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_tree_or_a_problem(data: bytes) -> None:
    try:
        Reader(decode(data, "f"), "f").read()
    except YamlError as error:
        assert error.code.startswith("TF0") and error.span.line >= 1


SPEC = (Path(__file__).parent.parent / "golden" / "tracked" / "tuneform.yaml").read_bytes()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mutated_spec_gives_diagnostics_and_never_a_traceback(data: st.DataObject) -> None:
    from tests.support import check_bytes

    text = bytearray(SPEC)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        how = data.draw(st.sampled_from(["replace", "insert", "delete", "double"]))
        piece = data.draw(st.sampled_from([b"\x00", b"\xff", b"{", b"]", b":", b"- ", b"\n", b"\t", b"&a ", b"*a", b"!!x ", b"'", b'"', b"0", b"-1e999", b"null", b"[]", b"${X}"]))  # fmt: skip
        end = at + data.draw(st.integers(0, 12))
        text[at : end if how in ("replace", "delete") else at] = {
            "replace": piece, "insert": piece, "delete": b"", "double": bytes(text[at:end])
        }[how]  # fmt: skip
        if not text:
            break
    for found in check_bytes(bytes(text)):
        assert found.code.startswith("TF") and found.message
