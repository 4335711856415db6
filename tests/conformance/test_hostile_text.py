"""Text of a spec stays text, whatever it says: proven by parsing the artifacts back."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_origin

import pytest
import yaml

from tests.support import BASES, EVERYWHERE, TODAY, UP, bases, document, errors, is_valid, put, put_somewhere
from tuneform.compilers import registry
from tuneform.compilers.compile import compile_target, for_label
from tuneform.compilers.python_code import filled, literal
from tuneform.spec.language import Leaf, branches, leaves
from tuneform.spec.load import Document
from tuneform.spec.plan import DataFacts
from tuneform.spec.rows.shapes import METHODS

HOSTILE = [
    "\"; import os; os.system('x') #",
    "'''", '"""', "\\", "\\\"", "a\"b'c", "{{ 7 * 7 }}", "{% raw %}", "{# x #}", "$(touch x)", "`touch x`",
    "a\tb", "!!python/object:os.system", "&a *b", "- x: y", "# no comment", "%s %d {0} {x}",
    "</script><script>", "\u202eabc", "é🙂", "x" * 300, "--flag", "$HOME", "$$", "$",
]  # fmt: skip
MANY_LINES = ["a\nb", "a\r\nimport os", "a\u2028b", "a\x85b", "a\x00b", "a\x0bb"]


def texts(leaf: Leaf) -> bool:
    return any(kind is str or (get_origin(kind) is tuple and str in branches(get_args(kind)[0]))
               for kind in branches(leaf.annotation))  # fmt: skip


REFUSED = {"extends", "training.warmup", "evaluation.every", "saving.every"}  # takes no free text
NO_TARGET = "rewards[].grader."  # services run these, and none is a target yet
LEAVES = [leaf for leaf in leaves() if texts(leaf) and "<label>" not in leaf.path
          and not leaf.path.startswith(NO_TARGET)]  # fmt: skip


def skeleton(source: str) -> str:
    """A script with every constant taken out: what is left is code."""

    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            return ast.copy_location(ast.Constant(value=0), node)

    return ast.dump(Blank().visit(ast.parse(source)))


def constants(source: str) -> set[Any]:
    return {n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)}


QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PARSED = ("train.py", "rewards.py", "plugin.py", "config.yaml")  # what is made of the spec's values


def scripts(found: dict[str, Any] | None, folder: Path, name: str = "trl") -> dict[str, str] | None:
    """The files of a bundle that are made of the spec's values; None for a spec that is refused."""
    return written(document(found, folder), name) if found is not None else None


def written(whole: Document, name: str) -> dict[str, str] | None:
    """The same of a spec that is loaded."""
    own, problems = for_label(whole, name) if whole.spec else (whole, [])
    if own.spec is None or errors(problems):
        return None
    result = compile_target(own, name, DataFacts(METHODS[own.spec.method.name][0]), TODAY, UP)
    if result.bundle is None:
        return None
    return {f.path: f.text for f in result.bundle.files if f.path in PARSED}


def code(files: dict[str, str]) -> dict[str, str]:
    """What of the files is no text of the spec: the same whatever the text is."""
    shapes = {path: skeleton(text) for path, text in files.items() if path.endswith(".py")}
    if "config.yaml" in files:
        events = list(yaml.parse(files["config.yaml"], Loader=QUICK))
        assert not any(isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) for event in events)
        shapes["config.yaml"] = repr(shape(yaml.load(files["config.yaml"], Loader=QUICK)))
    return shapes


def shape(value: Any) -> Any:
    """A YAML document with every text taken out."""
    if isinstance(value, dict):
        return {key: shape(v) for key, v in value.items()}
    return [shape(v) for v in value] if isinstance(value, list) else type(value).__name__


def texts_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {text for key, v in value.items() for text in texts_in(key) | texts_in(v)}
    return {text for v in value for text in texts_in(v)} if isinstance(value, list) else {str(value)}


def held(files: dict[str, str]) -> set[str]:
    """Every text that the files hold, read back."""
    found = {str(value) for path, text in files.items() if path.endswith(".py") for value in constants(text)}
    return found | (texts_in(yaml.load(files["config.yaml"], Loader=QUICK)) if "config.yaml" in files else set())


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.path)
def test_hostile_text_is_refused_or_stays_a_constant(leaf: Leaf, tmp_path: Path) -> None:
    many = any(get_origin(kind) is tuple for kind in branches(leaf.annotation))
    left = set(registry.names())
    for base in EVERYWHERE.values():
        harmless = put_somewhere(base, leaf.path, ["word"] if many else "word")
        if harmless is None or not left:
            continue
        with_word, without = document(harmless, tmp_path), document(base, tmp_path)
        plain = {name: files for name in left if (files := written(with_word, name))}
        expected = {name: code(files) for name, files in plain.items()}
        untouched = {name: written(without, name) for name in plain}
        for text in [*HOSTILE, *MANY_LINES] if plain else ():
            whole = document(put_somewhere(base, leaf.path, [text] if many else text) or {}, tmp_path)
            for name in expected:
                if (files := written(whole, name)) is not None:
                    stays_text(text, files, expected[name])
                    copied = leaf.path in ("model.chat_template", "rewards[].file")
                    if plain[name] != untouched[name] and not copied:  # the bundle carries this field
                        assert any(text in value for value in held(files)), (name, text)
        left -= plain.keys()
    assert leaf.path in REFUSED or "trl" not in left, "no base spec takes this leaf"


def stays_text(text: str, files: dict[str, str], expected: dict[str, str]) -> None:
    """The code is what it is with a harmless word."""
    if "train.py" in files:
        header = [line[2:] for line in files["train.py"].splitlines() if line.startswith("# ")]
        tomllib.loads("\n".join(header[1 : header.index("///")]))
    assert code(files) == expected, text


@pytest.mark.parametrize("text", [*HOSTILE, *MANY_LINES, "\x7f\x80"])
def test_a_literal_reads_back_as_itself(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert len(literal(text).splitlines()) == 1
    assert ast.literal_eval(literal([text, {text: text}])) == [text, {text: text}]
    assert eval(str(filled(text))) == text
    assert eval(str(filled(f"{text} ${{A}}")), {"os": SimpleNamespace(environ={"A": text})}) == f"{text} {text}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "1"),
        ("$${A}", "${A}"),
        ("$${A}/${A}", "${A}/1"),
        ("${A}/$${A}/${A}", "1/${A}/1"),
        ("${A}${B}", "12"),
        ("$$${A}", "$${A}"),
        ("$A {B} ${} ${1} ${é}", "$A {B} ${} ${1} ${é}"),
        ("", ""),
    ],
)
def test_places_are_filled_and_escapes_are_text(text: str, value: str) -> None:
    assert eval(str(filled(text)), {"os": SimpleNamespace(environ={"A": "1", "B": "2"})}) == value


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("path", ["tracking.wandb.project", "tracking.mlflow.uri", "saving.hub_model_id"])
def test_an_escape_is_text_in_every_artifact(path: str, name: str, tmp_path: Path) -> None:
    base = {**bases(name)["sft-tracked"], "saving": {"hub_model_id": "acme/x"}}
    files = scripts(put(base, path, "x-$${USER}"), tmp_path, name)
    assert files is not None and "x-${USER}" in held(files) and "x-$${USER}" not in held(files)


@pytest.mark.parametrize("text", MANY_LINES)
def test_fields_of_one_line_take_one_line(text: str, tmp_path: Path) -> None:
    assert not is_valid(put(BASES["sft-lora"], "model.revision", text), tmp_path)


def test_extra_values_stay_data(tmp_path: Path) -> None:
    for name in registry.names():
        for text in HOSTILE:
            files = scripts(
                put(bases(name)["sft-lora"], f"targets.{name}.extra", {"hub_revision": text}), tmp_path, name
            )
            assert files is not None and text in held(files)
