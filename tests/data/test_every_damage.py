"""Damaged copies of files of every form, in every container: each damage is told at its line, and nothing else is."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.pages.rows import ROWS
from tuneform.runtime import rows as rows_module
from tuneform.runtime.loaded import Loaded, Source
from tuneform.runtime.problems import Place, Problems
from tuneform.runtime.raw import Raw
from tuneform.runtime.sources import SourceReading
from tuneform.spec.diagnostics import Level
from tuneform.spec.rows.rowcheck import RowError
from tuneform.spec.rows.shapes import SHAPES, methods_for
from tuneform.spec.rows.strictjson import Flaw

from .damage import CELLS, FORMS, KINDS, cells_of, damaged, kinds_for, written

SHARED = Path(__file__).parents[3] / "shared"
CONTAINERS = ("jsonl", "json", "csv", "parquet", "jsonl.gz", "jsonl.zst", "json.gz", "csv.zst")
NO_TABLE = ("converse", "gemini", "OpenAI")  # forms of services, which are lines alone

Row = dict[str, Any]
Where = tuple[int, int, str]


def fixtures() -> dict[str, list[Row]]:
    """Rows of each form that differ from each other, with texts that need care."""
    asked = {"from": "human", "value": "2+2?"}
    made: dict[str, Row] = {
        **ROWS,
        "sharegpt": {"conversations": [asked, {"from": "gpt", "value": "4"}], "tools": "[]"},
        "preference of turns": {
            "conversations": [asked],
            "chosen": {"from": "gpt", "value": "4"},
            "rejected": {"from": "gpt", "value": "5"},
        },
        "preference of OpenAI": {
            "input": {"messages": [{"role": "user", "content": "2+2?"}]},
            "preferred_output": [{"role": "assistant", "content": "4"}],
            "non_preferred_output": [{"role": "assistant", "content": "5"}],
        },
        "unpaired_preference": {**ROWS["chat"], "label": True},
        "prompt_completion by columns": {"question": "2+2?", "answer": "4"},
        "prompt": {"messages": [{"role": "user", "content": "2+2?"}], "answer": "4"},
    }
    return {name: [_numbered(made[name], i) for i in range(90)] for name in FORMS}


def _numbered(row: Row, number: int) -> Row:
    text = json.dumps(row).replace("2+2?", f'{number}+2, “é”\\nor \\"3\\"?').replace("Two and", f"{number} and")
    found: Row = json.loads(text)
    return found


FILES = {  # file -> its form
    "data/alpaca_en_demo.json": "instruction",
    "data/dpo_en_demo.json": "preference of turns",
    "data/glaive_toolcall_en_demo.json": "sharegpt",
    "data/gsm8k_train_1500.jsonl": "prompt_completion by columns",
    "data/kto_en_demo.json": "unpaired_preference",
    **{
        f"facts/samples/data/{name}.jsonl": form
        for name, form in {
            "bedrock_claude3haiku": "chat",
            "bedrock_converse": "converse",
            "bedrock_prompt_completion": "prompt_completion",
            "bedrock_rft": "prompt",
            "chat_openai": "chat",
            "chat_openai_azure_bom": "chat",
            "chat_openai_tools": "chat",
            "chat_openai_weight": "chat",
            "completion_together": "prompt_completion",
            "dpo_openai": "preference of OpenAI",
            "nova_dpo_sagemaker": "converse_preference",
            "rft_openai": "prompt",
            "sagemaker_dpo": "preference",
            "text_together": "text",
            "vertex_gemini_pref": "gemini_preference",
            "vertex_gemini_rft": "gemini_prompt",
            "vertex_gemini_sft": "gemini",
        }.items()
    },
}


class Told(Problems):
    """Every problem, with the line and the number of its row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Where] = []
        self.whole: list[str] = []

    def row(self, place: Place, raw: Raw, problem: RowError | Flaw) -> None:
        self.rows.append((raw.line, raw.index, problem.code))
        super().row(place, raw, problem)

    def source(
        self, place: Place, code: str, level: Level, message: str, hint: str | None = None, line: int | None = None
    ) -> None:
        if level is Level.ERROR:
            self.whole.append(code)


@dataclass
class Case:
    """A damaged file, and everything that must be told of it."""

    data: bytes
    expected: list[Where]
    bad: set[int]
    names: dict[int, str] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)


def read(path: Path, form: str) -> tuple[Loaded, Told]:
    told = Told()
    method = methods_for(SHAPES[form.split()[0]])[0]
    source = Source(path, path.name, columns=FORMS[form].columns)
    return SourceReading(source, Place("", path.name, path.name), method, False, told).run(), told


def case_of(rows: list[Row], form: str, container: str, seed: int) -> Case:
    """A copy with each kind of damage that fits, on a row drawn for it; the first row says what the rest is."""
    rng, bare = random.Random(seed), container.partition(".")[0]
    kinds = [*kinds_for(form, bare, rows[0]), *(CELLS if bare == "csv" else ())]
    rows = rows * -(-2 * len(kinds) // len(rows))  # enough to have sound rows between
    places = dict(zip(rng.sample(range(1, len(rows)), len(kinds)), kinds, strict=True))
    found: list[Row | bytes] = [*rows]
    codes = dict[int, str]()
    for place, name in places.items():
        if name in KINDS and (made := damaged(name, form, rows[place])):
            codes[place], found[place] = made
    names = list(dict.fromkeys(key for row in found if isinstance(row, dict) for key in row))
    for place, name in places.items():
        if name in CELLS:
            code, spoil = CELLS[name]
            codes[place], found[place] = code, spoil(cells_of(rows[place], names))
    file = written(found, container, frozenset(rng.sample(range(1, len(rows)), 5)))
    expected = [(file.lines[i], i + 1, codes[i]) for i in sorted(codes)]
    return Case(file.data, expected, set(codes), places, file.lines)


def check(rows: list[Row], form: str, container: str, folder: Path, seed: int) -> int:
    """Damage, read and compare; gives the number of kinds."""
    case = case_of(rows, form, container, seed)
    path = folder / f"rows.{container}"
    path.write_bytes(case.data)
    loaded, told = read(path, form)
    by_row = {row: (code, case.names[row - 1]) for _, row, code in case.expected}
    assert {row: (code, case.names.get(row - 1)) for _, row, code in told.rows} == by_row
    assert len(told.rows) == len(case.expected) and told.whole == []
    whole = canonical(rows, form, folder)
    kept = [i for i in range(len(case.ends)) if i not in case.bad]
    assert list(loaded.lines()) == [whole[i % len(rows)] for i in kept]
    assert [loaded.places.index(j) for j in range(len(kept))] == [i + 1 for i in kept]
    if container != "parquet":  # which has rows alone
        check_lines(case, loaded, told, kept)
    return len(case.expected)


def check_lines(case: Case, loaded: Loaded, told: Told, kept: list[int]) -> None:
    """Each problem is at the line of its row, what is shown stands within the row, and sound rows are where they were."""
    assert told.rows == case.expected
    assert [loaded.places.line(j) for j in range(len(kept))] == [case.ends[i] for i in kept]
    for found in told.found:
        assert found.span is not None
        row = max(i for i, line in enumerate(case.ends) if line <= found.span.line)
        assert row in case.bad


def canonical(rows: list[Row], form: str, folder: Path) -> list[bytes]:
    """What sound rows are read as."""
    sound = folder / f"{form}-{len(rows)}.jsonl"
    if not sound.exists():
        sound.write_bytes(written([*rows], "jsonl").data)
    loaded, told = read(sound, form)
    assert told.rows == [] and told.whole == []
    return list(loaded.lines())


def fits(form: str, container: str, row: Row) -> bool:
    if not container.startswith(("csv", "parquet")):
        return True
    beside = form == "prompt" and any(isinstance(value, dict) for value in row.values())  # a text in a table
    return not beside and not any(word in form for word in NO_TABLE)


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "LIMIT", 200_000)


def test_there_are_kinds_enough_and_each_form_has_its_share() -> None:
    assert len(KINDS) + len(CELLS) > 60
    made = fixtures()
    assert all(len(kinds_for(form, "jsonl", made[form][0])) >= 25 for form in FORMS)
    used = {what for form in FORMS for what in kinds_for(form, "jsonl", made[form][0])}
    assert used == set(KINDS)


@pytest.mark.parametrize("container", CONTAINERS)
def test_small_files(container: str, tmp_path: Path) -> None:
    for form, rows in fixtures().items():
        if fits(form, container, rows[0]):
            told = check(rows, form, container, tmp_path, seed=len(form))
            least = {"csv": 4, "parquet": 1, "json": 14}.get(container.partition(".")[0], 25)
            assert told >= least, form


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not on this machine")
@pytest.mark.parametrize("name", FILES)
def test_real_files(name: str, tmp_path: Path) -> None:
    form = FILES[name]
    text = (SHARED / name).read_text("utf-8-sig")
    rows = json.loads(text) if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]
    for container in ("jsonl", "json", "csv", "parquet", "jsonl.zst"):
        if fits(form, container, rows[0]):
            whole = container in ("jsonl", "json")
            told = check(rows if whole else rows[:120], form, container, tmp_path, seed=7)
            assert told >= (25 if container.startswith("jsonl") else 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_list_that_breaks_ends_at_its_line(form: str, tmp_path: Path) -> None:
    rows: list[Row | bytes] = [*fixtures()[form][:9]]
    rows[3], rows[6] = b"null", b'{"note": tru}'
    file = written(rows, "json")
    path = tmp_path / "a.json"
    path.write_bytes(file.data)
    _, told = read(path, form)
    assert told.rows == [(file.lines[3], 4, "TF307"), (file.lines[6], 7, "TF306")]


def test_a_packed_file_is_told_where_it_breaks(tmp_path: Path) -> None:
    rng = random.Random(5)
    rows: list[Row | bytes] = [{"text": rng.randbytes(900).hex()} for _ in range(300)]
    rows[4] = {"text": ""}
    data = written(rows, "jsonl.gz").data
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(data[: len(data) // 2])
    _, told = read(path, "text")
    assert told.rows[0] == (5, 5, "TF319") and told.whole == ["TF335"]
    assert gzip.decompress(data).count(b"\n") == 300
