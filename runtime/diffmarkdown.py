"""A comparison as Markdown, for the description or a comment of a pull request.

Text of a spec stands in code spans only, where nothing is markup, a link or a mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..compilers.changes import Change
from ..compilers.difference_paths import RANK
from .comparison import Pair, Report
from .difftext import (
    both_sided,
    came_and_went,
    count,
    diagnostic,
    listed,
    origins_only,
    printable,
    several,
    shown,
    summary,
    visible,
)

WHERE = {"objective": "**what is trained**", "optimization": "optimization", "run": "run only"}
_OWN_WORDS = re.compile(r"[A-Za-z0-9 ,.;:()'-]*")


def as_markdown(report: Report, artifacts: bool) -> str:
    """The whole report. `artifacts` adds the diff of the bundles' files."""
    before, after = report.before, report.after
    where = f" of {code(before.shown)}" if before.label else ""
    blocks = [f"**{code(before.name)} → {code(after.name)}**{where}: {summary(report)}."]
    for pair in report.pairs:
        blocks += _pair(report, pair, artifacts)
    listed = [f"- new target {code(label)}" for label in report.added]
    listed += [f"- target {code(label)} is gone" for label in report.removed]
    listed += [f"- new warning {code(diagnostic(d))}" for d in report.raised]
    listed += [f"- warning gone: {code(diagnostic(d))}" for d in report.gone]
    blocks += ["\n".join(listed)] if listed else []
    blocks += [f"Note: {code(note)}" for note in report.notes]
    return "\n\n".join(blocks)


def _pair(report: Report, pair: Pair, artifacts: bool) -> Iterator[str]:
    if several(report):
        state = "" if pair.different else ": no difference"
        yield f"{'Stage' if report.before.label else 'Target'} {', '.join(map(code, pair.labels))}{state}"
    found = pair.difference
    rows = [row for group in RANK for c in found.changes if c.group == group for row in _rows(c)]
    if rows:
        yield "\n".join(["| changes | field | before | after | which means |", "|---|---|---|---|---|", *rows])
    if found.fates:
        head = ["| field | fidelity before | fidelity after | why |", "|---|---|---|---|"]
        yield "\n".join(
            [*head, *(_row(code(f.path), f.before or "-", f.after or "-", _text(f.reason)) for f in found.fates)]
        )
    if only := origins_only(found):
        yield _text(f"{only}.") if _OWN_WORDS.fullmatch(only) else code(only)
    if pair.files and (artifacts or not found.changes):
        yield "\n".join(f"- {code(count(f))}" for f in pair.files)
    if artifacts:
        yield from (fenced(f.diff) for f in pair.files)


def _rows(change: Change) -> Iterator[str]:
    yield _row(
        WHERE[change.group], _field(change), _value(change, "before"), _value(change, "after"), _text(change.means)
    )
    for below in both_sided(change):
        also = f"also by {listed(map(code, below.causes[1:]))}" if below.causes[1:] else ""
        told = "; ".join(part for part in (_text(below.means), also) if part)
        yield _row("", f"↳ {_field(below)}", _value(below, "before"), _value(below, "after"), told)
    for words, found in came_and_went(change):
        yield _row("", f"↳ {words}", "", "", listed(f"{_text(name)} {code(value)}" for name, value in found))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _field(change: Change) -> str:
    return code(change.path) if change.title == change.path else f"{_text(change.title)} {code(change.path)}"


def _value(change: Change, side: str) -> str:
    found = shown(change, side)
    return "-" if found == "-" else code(found)


def _text(words: str) -> str:
    """Our own words as they are; anything that could be markup as code."""
    return words if _OWN_WORDS.fullmatch(words) and "www." not in words.lower() else code(words)


def code(text: str) -> str:
    """Text as a code span that is also safe in a cell of a table."""
    text = visible(text, 400)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    stripped = text.strip(" ") and text[0] == text[-1] == " "  # what Markdown takes off such a span
    pad = " " if longest or not text or stripped else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def fenced(text: str) -> str:
    """A block of code, whatever is in it."""
    text = printable(text)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    return f"{fence}diff\n{text.rstrip(chr(10))}\n{fence}"
