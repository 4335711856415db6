"""docs/codes.md: what every code means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from tuneform.spec.advice.check import ADVICE
from tuneform.spec.codes import Code, codes
from tuneform.spec.rules.check import RULES

from . import ROOT
from .markdown import link, page, prose, table

FAILURES = ROOT / "tests" / "failures"

INTRO = """
Every problem that Tuneform tells of has a code. `tuneform explain TF104` prints what stands here. A code keeps its
meaning: it is never given to another problem.

An **error** stops; a **warning** does not, unless `--strict` is given; a **note** only tells. A loss on a target is
agreed to by the field's path and advice by its code, both in the target's block:
`accept: [training.seed, TF131]`.
"""

GROUPS = (
    ("Reading the file", "What keeps a text from being read as a spec."),
    ("Fields", "A field alone: missing, unknown, of another type, or out of range."),
    ("Rules over several fields", "Each field is right, and together they are not."),
    ("Advice", "What is allowed and commonly goes wrong; agreed to by its code."),
    ("Targets", "What a target cannot do, or does otherwise."),
    ("Data", "What is wrong with files and rows, told with the line."),
)


def group(name: str) -> str:
    """The title of the group that a code is in."""
    if name in {piece.code for piece in ADVICE}:
        return "Advice"
    if name in {rule.code for rule in RULES}:
        return "Rules over several fields"
    return {"0": "Reading the file", "1": "Fields", "2": "Targets", "3": "Data"}[name[2]]


def levels() -> dict[str, str]:
    """The level of each rule and piece of advice; those of other codes depend on where they are found."""
    return {rule.code: rule.level.value for rule in RULES} | {piece.code: piece.level.value for piece in ADVICE}


def render() -> str:
    return page("Codes", INTRO, _contents(), *_groups())


def _contents() -> str:
    return "\n".join(f"- {link(title, title)}: {about}" for title, about in GROUPS)


def _groups() -> Iterator[str]:
    known = levels()
    for title, about in GROUPS:
        found = {name: entry for name, entry in codes().items() if group(name) == title}
        yield f"## {title}\n\n{about}"
        yield table(("code", "title"), [(link(n, _heading(n, c)), prose(c.title)) for n, c in found.items()])
        for name, entry in found.items():
            yield _entry(name, entry, known.get(name, ""))


def _heading(name: str, entry: Code) -> str:
    return f"{name}: {entry.title}"


def _entry(name: str, entry: Code, level: str) -> str:
    text = [f"### {_heading(name, entry)}"]
    if level:
        text.append(f"Level: {level}.")
    text.append("\n\n".join(_block(block) for block in _blocks(entry.explanation)))
    if entry.example:
        text.append(f"For example:\n\n```yaml\n{entry.example}\n```")
    if shown := messages().get(name):
        text.append(f"It looks like this:\n\n```text\n{shown}\n```")
    return "\n\n".join(text)


@cache
def messages() -> dict[str, str]:
    """Code -> the shortest of its messages in tests/failures, where each is proven to be what a user sees."""
    found: dict[str, str] = {}
    for file in sorted(FAILURES.glob("*.txt")):
        text = file.read_text(encoding="utf-8").replace(f"{file.stem}.yaml", "tuneform.yaml")
        for message in re.split(r"\n(?=\S)", text.strip()):
            told = re.match(r"\S+: \w+ (TF\d+): ", message)
            if told and len(message) < len(found.get(told[1], message + " ")):
                found[told[1]] = message
    return found


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs, and indented blocks whole."""
    yield from re.split(r"\n\n(?! {4})|(?<=\S)\n\n(?= {4})", text.rstrip())


def _block(text: str) -> str:
    lines = text.splitlines()
    if lines and all(line.startswith("    ") or not line.strip() for line in lines):
        kind = "yaml" if re.match(r" {4}[a-z_]+:", text) else "json" if re.match(r' {4}[\[{"]', text) else "text"
        return f"```{kind}\n" + "\n".join(line[4:] for line in lines) + "\n```"
    return re.sub(r"^(Fix|Source|Example|Instead)(?=[:,])", r"**\1**", prose(text))
