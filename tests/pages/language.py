"""docs/language.md: every section and field of the language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuneform.compilers import registry
from tuneform.spec.fields import ENV, Section
from tuneform.spec.language import leaves, literals, marked_paths, section_of
from tuneform.spec.method import ALIASES, Method
from tuneform.spec.rows.shapes import METHODS
from tuneform.spec.schema import descriptions, json_schema
from tuneform.spec.spec import Spec

from . import ROOT, rows
from .finder import FINDER, UNITS
from .markdown import code, link, page, prose, table
from .types_in_words import Node, default_words, words

SMALLEST = """
version: 1
name: support-bot
model: HuggingFaceTB/SmolLM2-135M-Instruct
method: sft
data: {train: data/train.jsonl}
targets:
  trl:
"""
EXAMPLES = ROOT / "examples" / "methods"
EXAMPLES_TITLE = "One example for each method"

INTRO = """
A spec is one YAML file, `tuneform.yaml`. These keys are needed; everything else has a default, and no default is
hidden: `tuneform plan` shows each value with its origin.
"""

EDITORS = """
This page is made from the models that check a spec, so it is complete. An unknown key is an error, with the nearest
one that there is. An editor completes and checks with the JSON Schema of the language: `tuneform schema >
tuneform.schema.json`, and as the first line of the spec `# yaml-language-server: $schema=./tuneform.schema.json`.
"""

WRITING = """
- YAML is read as YAML 1.2 reads it: `2e-4` is a number, `no` is a text.
- **Types are not converted**: `epochs: "3"` is an error. A whole number will do where a number is asked for.
- **Paths** are relative to the file that names them. A model, tokenizer or hub id that begins with `./`, `../` or `/`
  is a folder.
- **`extends: ../base.yaml`** takes over another spec: mappings are merged, lists replaced, and `null` removes a key.
- **A target's `set: {training.seed: 7}`** changes the spec for that target: a mapping is merged, `null` removes a key.
  A stage's own block wins over it; `set: {stages.dpo.training.seed: 7}` changes that block.
- **`--set training.learning_rate=1e-5`** on the command line changes the spec for one call. It comes last: it wins over
  the file, what that extends, a target's `set:` and a stage's block.
- **Not set** below means that the field is absent and nothing is done. A default in words is settled when the plan is
  made; `tuneform plan` shows what it came to.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the language: where it stands first, and where else."""

    section: type[Section]
    path: str
    also: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        return code(self.path) if self.path else "Top level"

    @property
    def is_top(self) -> bool:
        return "." not in self.path.replace(".<label>", "")


def parts() -> list[Part]:
    """Every section once, in the order of the language."""
    found: dict[type[Section], list[str]] = {}
    for section, path in _walk(Spec, ""):
        found.setdefault(section, []).append(path)
    return [Part(section, paths[0], tuple(paths[1:])) for section, paths in found.items()]


def _walk(section: type[Section], path: str) -> Iterator[tuple[type[Section], str]]:
    yield section, path
    for name, info in section.model_fields.items():
        held, how = section_of(info.annotation)
        if held is not None:
            yield from _walk(held, _join(path, name) + (how if how == "[]" else f".{how}" if how else ""))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def render() -> str:
    schema, known = json_schema(null=False), parts()
    headings = {part.section: part.heading for part in known}
    body = [_part(part, schema, headings) for part in known]
    contents = _contents(known)
    return page(
        "The language", INTRO, f"```yaml{SMALLEST}```", EDITORS, contents, "## Where do I set ...", _finder(known), "## How it is written", WRITING.rstrip() + _placeholders(),
        "## Shorthands", _shorthands(known), *body, f"## {rows.TITLE}", rows.section(), f"## {EXAMPLES_TITLE}", *_examples(),
    )  # fmt: skip


def _contents(known: list[Part]) -> str:
    lines = [f"- {link(title, title)}" for title in ("Where do I set ...", "How it is written", "Shorthands")]
    for part in known:
        if part.is_top:
            lines.append(f"- {link(part.heading, part.heading)}")
        else:
            above = ": " if ": " not in lines[-1] else ", "
            lines[-1] += above + link(code(part.path.partition(".")[2]), part.heading)
    lines.append(f"- {link(rows.TITLE, rows.TITLE)}")
    examples = ", ".join(link(name, f"Example: {name}") for name in Method.model_fields)
    return "\n".join([*lines, f"- {link(EXAMPLES_TITLE, EXAMPLES_TITLE)}: {examples}"])


def _finder(known: list[Part]) -> str:
    by_path = {path: part.heading for part in known for path in (part.path, *part.also)}

    def home(path: str) -> str:
        own = by_path.get(path) or by_path.get(f"{path}[]") or by_path[path.rpartition(".")[0]]
        return link(code(path), own)

    return table(("to set", "look at"), [(what, ", ".join(map(home, paths))) for what, paths in FINDER.items()])


def _placeholders() -> str:
    names = ", ".join(code(path) for path in sorted(marked_paths(ENV)))
    return (
        f"\n- **`${{NAME}}`** is filled from the environment when a job starts, and only in {names} and a target's own "
        "options made for it. Anywhere else it is an error; `$${NAME}` is the text `${NAME}`."
    )


def _shorthands(known: list[Part]) -> str:
    found = {
        "`data.train: rows.jsonl`": "`data.train: [{path: rows.jsonl}]`; one source may stand without its list",
        "`data.eval: rows.jsonl`": "rows of their own, as in `data.train`; `{split: 0.1}` holds rows out instead",
        "`tracking: [wandb, mlflow]`": "`tracking: {wandb: {}, mlflow: {}}`",
        "`targets: {trl: }`": "`targets: {trl: {target: trl}}`; the label names the target, and its block is empty",
        **{f"`method: {short}`": f"`method: {name}`" for short, name in ALIASES.items()},
    }
    for part in known:
        path, key = part.path.removesuffix("[]"), part.section.shorthand
        if part.section.choices:
            word = "dpo" if part.section is Method else next(iter(part.section.model_fields))
            found[f"`{path}: {word}`"] = f"`{path}: {{{word}: {{}}}}`"
        elif key:
            value = _sample(part.section, key)
            found.setdefault(f"`{path}: {value}`", f"`{path}: {{{key}: {value}}}`")
    return table(("short", "is"), found.items())


SAMPLES = {
    "id": "owner/name",
    "path": "rows.jsonl",
    "reference": "answer",
    "pattern": '"[0-9]+"',
    "arn": "arn:aws:lambda:...",
}


def _sample(section: type[Section], key: str) -> str:
    info = section.model_fields[key]
    return SAMPLES.get(key) or str(info.default if info.default is not None else literals(info.annotation)[0])


def _part(part: Part, schema: Node, headings: dict[type[Section], str]) -> str:
    level = "##" if part.is_top else "###"
    text = [f"{level} {part.heading}", prose(" ".join((part.section.__doc__ or "").split()))]
    if part.also:
        text.append(f"The same for {', '.join(code(path.replace('.sources[]', '')) for path in part.also)}.")
    lines = list(_rows(part, schema, headings))
    text.append(table(("field", "takes", "default", "meaning"), lines) if lines else "It has no fields of its own.")
    if part.section is Method:
        text.append(f"A method takes certain {link('rows', rows.TITLE)}:")
        takes = [(code(name), ", ".join(map(code, METHODS[name]))) for name in Method.model_fields]
        text.append(table(("method", "shape of its rows"), takes))
    return "\n\n".join(text)


def _rows(part: Part, schema: Node, headings: dict[type[Section], str]) -> Iterator[tuple[str, str, str, str]]:
    found = _properties(schema if part.section is Spec else schema["$defs"][part.section.__name__])
    texts = descriptions(part.section)
    for field, info in part.section.model_fields.items():
        node, path = found.get(field), _join(part.path, field)
        held, how = section_of(info.annotation)
        if held is not None:
            takes = _holds(how, node) + link(headings[held], headings[held])
        else:
            takes = words(found[field], path, UNITS.get(path, ""))
        if info.is_required():
            default = "**required**"
        elif held is not None:
            default = "" if info.default is not None or part.section.choices else "not set"
        else:
            default = default_words(found[field])
        name = code(field) if node is not None else "(the value itself)"
        yield name, takes, default, prose(texts[field])


def _holds(how: str, node: Node | None) -> str:
    if how == "<label>":
        return "labels, each with "
    if how == "[]":
        return "one or a list of " if node is None or "anyOf" in node else "a list of "
    return ""


def _properties(definition: Node) -> dict[str, Any]:
    found = dict(definition.get("properties", {}))
    for branch in definition.get("anyOf", ()):
        found |= _properties(branch)
    return found


def _examples() -> Iterator[str]:
    yield (
        "Real files, in [examples/methods](../examples/methods); a test compiles each for every target that does its "
        "method."
    )
    for name, section in zip(Method.model_fields, _methods(), strict=True):
        targets = [target for target in registry.names() if name in registry.get(target).methods]
        done = f"Targets that do it: {', '.join(map(code, targets))}." if targets else "No target does it yet (TF204)."
        text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
        about = prose(" ".join((section.__doc__ or "").split()))
        where = f"[examples/methods/{name}.yaml](../examples/methods/{name}.yaml)"
        yield f"### Example: {name}\n\n{about} {done}\n\n{where}:\n\n```yaml\n{text}```"


def _methods() -> Iterator[type[Section]]:
    for info in Method.model_fields.values():
        held, _ = section_of(info.annotation)
        assert held is not None
        yield held


def known_paths() -> set[str]:
    """Every path that a page may name: sections and leaves."""
    own = {path for part in parts() for path in (part.path, *part.also)}
    return {leaf.path for leaf in leaves()} | own | {path.removesuffix("[]") for path in own} - {""}
