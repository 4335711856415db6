"""Imports point one way, and a compile imports nothing heavy."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.support import MINIMAL

ROOT = Path(__file__).parent.parent
MAY = {"spec": {"spec"}, "compilers": {"spec", "compilers"}, "runtime": {"spec", "compilers", "runtime", ""}}
HEAVY = ("torch", "transformers", "datasets", "trl", "peft", "numpy", "boto3", "openai")


def imports(file: Path, folder: str) -> Iterator[tuple[int, str]]:
    """Line and top-level folder of each relative import; an absolute import of a folder of ours is "absolute"."""
    depth = len(file.relative_to(ROOT / folder).parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            inside = node.level <= depth
            yield node.lineno, folder if inside else (node.module or "").split(".")[0]
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            if any(name.split(".")[0] in (*MAY, "tuneform", "templates") for name in names):
                yield node.lineno, "absolute"


@pytest.mark.parametrize("folder", MAY)
def test_imports_point_one_way(folder: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {what or 'the facade'}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for line, what in imports(file, folder)
        if what not in MAY[folder]
    ]
    assert wrong == []


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_help_imports_click_alone() -> None:
    loaded = modules_after("from click.testing import CliRunner; from tuneform.runtime.cli import main\n"
                           "assert CliRunner().invoke(main, ['--help']).exit_code == 0")  # fmt: skip
    assert not {"pydantic", "yaml", "jinja2", "rich", "tuneform.spec.spec"} & loaded


def test_a_compile_imports_nothing_heavy(tmp_path: Path) -> None:
    spec = ROOT / "examples" / "support-triage" / "tuneform.yaml"
    arguments = ["compile", str(spec), "-o", str(tmp_path)]
    loaded = modules_after("from click.testing import CliRunner; from tuneform.runtime.cli import main\n"
                           f"r = CliRunner().invoke(main, {arguments!r}); assert r.exit_code == 0, r.output")  # fmt: skip
    assert not {*HEAVY, "jsonschema", "rich"} & loaded


def test_the_facade_is_lazy() -> None:
    assert not {"pydantic", "click"} & modules_after("import tuneform; tuneform.__version__")


def test_the_facade_offers_what_it_names(tmp_path: Path) -> None:
    import tuneform

    assert all(getattr(tuneform, name) for name in tuneform.__all__)


def test_a_spec_is_lowered_with_names_of_the_facade(tmp_path: Path) -> None:
    import tuneform

    file = tmp_path / "tuneform.yaml"
    file.write_text(json.dumps(MINIMAL))
    document = tuneform.load(str(file))
    assert isinstance(document, tuneform.Document)
    context = tuneform.Context("trl", "trl", tuneform.DataFacts("chat"), date(2026, 11, 1), "1.16.0", ".")
    plan = tuneform.lower(document, context)
    assert plan["model.id"] == "acme/tiny"
    spec = ROOT / "examples" / "support-triage" / "tuneform.yaml"
    folders = tuneform.compile(spec, out=tmp_path)
    assert (folders["trl"] / "train.py").is_file()
    with pytest.raises(AttributeError):
        _ = tuneform.nothing
    with pytest.raises(tuneform.SpecError, match="TF001"):
        tuneform.compile(tmp_path / "nowhere.yaml")
