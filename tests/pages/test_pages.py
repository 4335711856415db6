"""The pages of docs/ are what the code gives now, complete, and without dead links."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import yaml

from tests.pages import ROOT, codes, finder, language, rows
from tests.pages.markdown import anchor
from tests.pages.write import PAGES
from tests.support import is_valid
from tuneform.spec import language as spec_language
from tuneform.spec.codes import codes as all_codes
from tuneform.spec.data import Format
from tuneform.spec.load import for_target, load
from tuneform.spec.rows import shapes
from tuneform.spec.schema import sections
from tuneform.spec.spec import Spec

DOCS = ROOT / "docs"
WRITTEN = sorted(DOCS.glob("*.md"))


@cache
def made(name: str) -> str:
    return PAGES[name]()


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(file: Path) -> list[str]:
    return [
        anchor(line.lstrip("# ")) for line in without_code(file.read_text("utf-8")).splitlines() if line[:1] == "#"
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == made(name), "run `make docs`, and read the diff"


@pytest.mark.parametrize("name", PAGES)
def test_headings_have_fragments_of_their_own(name: str) -> None:
    found = anchors(DOCS / name)
    assert len(found) == len(set(found)) > 5


@pytest.mark.parametrize("file", WRITTEN, ids=lambda p: p.name)
def test_links_lead_somewhere(file: Path) -> None:
    text = re.sub(r"`[^`\n]*`(?!\])", "", without_code(file.read_text("utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        path, _, fragment = target.partition("#")
        linked = (file.parent / path).resolve() if path else file
        assert linked.exists(), target
        assert not fragment or fragment in anchors(linked), target


@pytest.mark.parametrize("name", PAGES)
def test_tables_are_whole(name: str) -> None:
    """Every line of a table has as many cells as its head."""
    wide = 0
    for line in without_code(made(name)).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        wide = (wide or cells) if cells else 0
        assert cells in (0, wide), line


def test_every_field_has_its_line() -> None:
    parts = {part.section: part for part in language.parts()}
    assert len(parts) == len(sections())
    for section, part in parts.items():
        start = made("language.md").index(f" {part.heading}\n")
        own = re.split(r"^#", made("language.md")[start:], maxsplit=1, flags=re.MULTILINE)[0]
        for field in section.model_fields:
            assert f"| `{field}` |" in own or f"{part.path}.{field}" == "data.eval.sources", f"{part.path}.{field}"


def test_every_code_has_its_section_with_an_example() -> None:
    for name, entry in all_codes().items():
        own = made("codes.md").partition(f"\n### {name}: ")[2].partition("\n### ")[0]
        assert own.startswith(entry.title), name
        assert "```" in own or name in WITHOUT_EXAMPLE, name


# What cannot be shown in a few lines of a spec.
WITHOUT_EXAMPLE = {"TF006", "TF008", "TF014", "TF201", "TF210"}


def test_the_smallest_spec_has_what_is_needed_and_no_more(tmp_path: Path) -> None:
    found = yaml.safe_load(language.SMALLEST)
    assert set(found) == {name for name, info in Spec.model_fields.items() if info.is_required()}
    assert is_valid(found, tmp_path)


def test_set_has_the_place_that_the_page_says(tmp_path: Path) -> None:
    file = tmp_path / "tuneform.yaml"
    file.write_text(
        f"{language.SMALLEST}    set: {{training.seed: 3}}\n  other: {{target: trl}}\ntraining: {{seed: 1}}\n"
    )
    document = load(str(file), ["training.seed=2"])
    seeds = {label: for_target(document, label).spec for label in ("trl", "other")}
    assert [own.training.seed for own in seeds.values() if own] == [2, 2]
    seeds = {label: for_target(load(str(file)), label).spec for label in ("trl", "other")}
    assert [own.training.seed for own in seeds.values() if own] == [3, 1]


def test_a_code_stands_in_one_group() -> None:
    titles = [title for title, _ in codes.GROUPS]
    assert {codes.group(name) for name in all_codes()} == set(titles)


def test_the_finder_and_the_units_name_fields() -> None:
    known = language.known_paths()
    for what, paths in finder.FINDER.items():
        assert set(paths) <= known, what
    numbers = {leaf.path for leaf in spec_language.leaves() if re.search("int|float", str(leaf.annotation))}
    assert set(finder.UNITS) <= numbers


def test_the_rows_on_the_page_are_rows() -> None:
    assert {*rows.ROWS, "auto"} == set(get_args(Format))
    for name, row in rows.ROWS.items():
        assert shapes.convert(row, name), name
        assert name == "prompt" or shapes.detect(row).format == name
