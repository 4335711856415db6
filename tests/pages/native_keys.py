"""docs/native-keys.md: where each key of a trainer or service is in the language."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.compilers import registry

from .account import GROUPS, SOURCES, Decision, decisions, keys, title, wanted
from .markdown import code, link, page, prose, table

NAMES = {
    "trl": "TRL",
    "axolotl": "Axolotl",
    "unsloth": "Unsloth",
    "llamafactory": "LLaMA-Factory",
    "openai": "OpenAI and Azure OpenAI",
    "together": "Together",
    "vertex": "Vertex AI",
    "bedrock": "Amazon Bedrock",
    "sagemaker-serverless": "Amazon SageMaker, serverless",
    "fireworks": "Fireworks",
}
INTRO = """
Coming from another tool, or wondering whether a setting is there: this page has every key of each trainer and service
that Tuneform compiles for or learnt from, and says what becomes of it. A test fails when a key has no decision, or
when the home that is named is no path of the language.

| fate | meaning |
| --- | --- |
| a path | the field of the [language](language.md) that rules it |
| option | an option of the target's own block, since it says where and not what |
| Tuneform | written by Tuneform itself: a constant, or a part of the bundle |
| `extra:` | no field; a target's `extra:` carries it as it is, checked against the target's own schema |
| out | out of scope, with the reason |
| wanted | people tune it and the language has no field for it yet; [what it would be](#fields-that-are-wanted) stands at the end. Until then a trainer takes it by `extra:` |
"""
FATES = {"options": "option", "written": "Tuneform", "extra": "`extra:`", "out": "out", "wanted": "wanted"}
WANTED = "Fields that are wanted"


def render() -> str:
    return page("Native keys", INTRO, _contents(), *[_source(source) for source in SOURCES], _wanted())


def _contents() -> str:
    head = ("source", "keys", "field", "option", "Tuneform", "`extra:`", "out", "wanted")
    rows = [(link(NAMES[source], NAMES[source]), *map(str, _counts(source))) for source in SOURCES]
    return table(head, rows)


def _counts(source: str) -> Iterator[int]:
    found = [decision.group for decision in decisions(source).values()]
    yield len(found)
    yield from (found.count(group) for group in GROUPS)


def _source(source: str) -> str:
    state = "a target" if source in registry.names() else "no target yet, so this is where its keys belong"
    types = keys(source)
    rows = [(code(key), code(types[key]) if types[key] else "", *_fate(d)) for key, d in sorted(_all(source).items())]
    head = ("key", "its type", "fate", "")
    return f"## {NAMES[source]}\n\nKeys of {title(source)}; {state}.\n\n{table(head, rows)}"


def _all(source: str) -> dict[str, Decision]:
    found = decisions(source)
    return {key: found[key] for key in keys(source)}


def _fate(decision: Decision) -> tuple[str, str]:
    note = prose(decision.note)
    if decision.group == "homes":
        return ", ".join(map(code, decision.paths)), note
    if decision.group == "wanted":
        return f"wanted: {code(decision.paths[0])}", note
    return FATES[decision.group], "; ".join(part for part in (prose(decision.reason), note) if part)


def _wanted() -> str:
    asked: dict[str, dict[str, str]] = {}
    for source in SOURCES:
        for key, decision in decisions(source).items():
            if decision.group == "wanted":
                asked.setdefault(decision.paths[0], {}).setdefault(NAMES[source], code(key))
    head = ("field", "type", "default", "meaning", "for example")
    rows = [
        (code(path), prose(field["type"]), prose(field["default"]), prose(field["text"]), _examples(asked[path]))
        for path, field in wanted().items()
    ]
    return f"## {WANTED}\n\n{table(head, rows)}"


def _examples(asked: dict[str, str]) -> str:
    return "; ".join(f"{source} {key}" for source, key in asked.items())
