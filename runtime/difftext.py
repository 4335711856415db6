"""A comparison for people at a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..compilers.changes import Change, Difference, FateChange
from ..compilers.difference_paths import RANK, SECTIONS
from ..compilers.difference_rewards import described
from ..compilers.difference_words import EMPTY, HEADINGS, title
from ..compilers.filechanges import FileChange
from ..compilers.python_code import literal
from ..spec.diagnostics import Diagnostic
from .comparison import Pair, Report
from .redact import redact

LONGEST = 120
SEVERAL = 4


def as_text(report: Report, artifacts: bool) -> str:
    """The whole report. `artifacts` adds the diff of the bundles' files."""
    lines = [f"{heading(report)}: {summary(report)}"]
    for pair in report.pairs:
        lines += _pair(report, pair, artifacts)
    lines += _section("targets", [f"+ {label}" for label in report.added] + [f"- {label}" for label in report.removed])
    raised = [f"+ {diagnostic(d)}" for d in report.raised] + [f"- {diagnostic(d)}" for d in report.gone]
    lines += _section("warnings", raised)
    lines += [f"\nnote: {visible(note, 400)}" for note in report.notes]
    return "\n".join(lines)


def heading(report: Report) -> str:
    """What is compared."""
    before, after = report.before, report.after
    where = f" ({visible(before.shown)})" if before.label else ""
    return f"{visible(before.name)} -> {visible(after.name)}{where}"


def summary(report: Report) -> str:
    """The sentence that matters most."""
    number = len(report.raised)
    warned = f"; {number} {'warning is' if number == 1 else 'warnings are'} new" if number else ""
    return _verdict(report) + warned


def _verdict(report: Report) -> str:
    if report.before.label:
        return "they do not train the same thing" if report.other_stages else _verdict_of_two(report)
    if not report.different:
        return "no difference"
    found = [p.difference for p in report.pairs]
    if report.other_stages or any(d.touches("objective") for d in found):
        return "what is trained changes"
    if any(d.touches("optimization") for d in found):
        return "the same thing is trained, and optimized otherwise"
    return "the same thing is trained in the same way" if found else "no target is on both sides"


def _verdict_of_two(report: Report) -> str:
    found = [pair.difference for pair in report.pairs]
    if any(d.touches("objective") for d in found):
        return "they do not train the same thing"
    if any(d.touches("optimization") for d in found):
        return "they train the same thing, and optimize it otherwise"
    return "they train the same thing in the same way"


def _pair(report: Report, pair: Pair, artifacts: bool) -> Iterator[str]:
    if several(report):
        state = "" if pair.different else ": no difference"
        what = "stage" if report.before.label else "target"
        yield f"\n{what}{'s' if len(pair.labels) > 1 else ''} {', '.join(pair.labels)}{state}"
    for group in RANK:
        told = [line for c in pair.difference.changes if c.group == group for line in _change(c)]
        yield from _section(HEADINGS[group], told)
    yield from _section("what a target makes of it", [fate(f) for f in pair.difference.fates])
    if artifacts or not pair.difference.changes:
        yield from _section("artifacts", [count(f) for f in pair.files])
    if artifacts:
        yield from ("\n" + printable(f.diff).rstrip("\n") for f in pair.files)
    if only := origins_only(pair.difference):
        yield f"\n{only}"


def several(report: Report) -> bool:
    """Whether it must be said which target or stage is spoken of."""
    return len(report.pairs) > 1 or bool(report.added or report.removed)


def _section(named: str, lines: list[str]) -> list[str]:
    return [f"\n{named}", *(f"  {line}" for line in lines)] if lines else []


def _change(change: Change) -> Iterator[str]:
    yield sentence(change)
    for below in both_sided(change):
        also = f" (also by {listed(title(path) for path in below.causes[1:])})" if below.causes[1:] else ""
        yield f"  {sentence(below)}{also}"
    for words, found in came_and_went(change):
        yield f"  {words}: {listed(f'{visible(name)} {value}' for name, value in found)}"


def listed(words: Iterable[str]) -> str:
    """The first few of a list."""
    every = list(words)
    more = len(every) - SEVERAL
    return ", ".join(every) if more <= 1 else f"{', '.join(every[:SEVERAL])} and {more} more"


def both_sided(change: Change) -> list[Change]:
    """Consequences that have a value on both sides."""
    return [below for below in change.consequences if below.applies == "both"]


def came_and_went(change: Change) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """What a change brings with it and what it rules out: words, then titles with their values.

    What the user wrote comes first, then what matters most.
    """
    for side, words in (("before", "no longer applies"), ("after", "applies now")):
        found = [below for below in change.consequences if below.applies == side]
        if found := sorted(found, key=_weight):
            yield words, [(below.title, shown(below, side)) for below in found]


def _weight(change: Change) -> tuple[bool, int]:
    return not any(origin and origin.kind == "spec" for origin in change.origins), RANK.index(change.group)


def sentence(change: Change) -> str:
    """One change as a line."""
    before, after = shown(change, "before"), shown(change, "after")
    told = f"{visible(change.title)}: {before} -> {after}" if before != after else f"{visible(change.title)} {after}"
    return f"{told} ({visible(change.means, 400)})" if change.means else told


def fate(change: FateChange) -> str:
    """A fidelity that changes, as a line."""
    reason = f" ({visible(change.reason)})" if change.reason else ""
    return f"{visible(change.title)}: {change.before or 'not there'} -> {change.after or 'not there'}{reason}"


def count(change: FileChange) -> str:
    """How much of a file changes."""
    return f"{visible(change.path)}: +{change.added} -{change.removed} lines"


def diagnostic(found: Diagnostic) -> str:
    """A warning on one line."""
    return f"{found.code}: {visible(found.message, 400)}"


def origins_only(found: Difference) -> str:
    """What is only said otherwise, as a sentence."""
    number = len(found.origins_only)
    if not number:
        return ""
    subject = "1 value is" if number == 1 else f"{number} values are"
    return f"{subject} written on one side only and equal on both: {', '.join(found.origins_only)}"


def shown(change: Change, side: str) -> str:
    """A value of one side on one line, with nothing in it that a terminal would act on."""
    value = change.before if side == "before" else change.after
    if change.applies not in ("both", side):
        return "-"
    if value is not None and change.path in ("data.train", "data.eval", "data.test"):
        return visible(_sources(value, change))
    if value is not None and change.path == "rewards":
        return visible(described(value))
    if value is not None and change.path in SECTIONS:
        return visible(", ".join(f"{name} {_plain(v)}" for name, v in value.items()))
    return EMPTY.get(change.path, "-") if value is None else visible(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else literal(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if value is not None else "-"


def _sources(value: Sequence[Mapping[str, Any]], change: Change) -> str:
    """Sources of rows: their names, and what is not as usual about them."""
    formats = {source["format"] for side in (change.before, change.after) for source in side or ()}
    usual = {"weight": 1.0, "split": "train", "columns": {}}
    named = []
    for source in value:
        own = {k: v for k, v in source.items() if k not in ("path", "id", "format") and usual.get(k) != v}
        own |= {"format": source["format"]} if len(formats) > 1 else {}
        told = ", ".join(f"{key} {_plain(v)}" for key, v in own.items())
        name = str(source.get("path") or source["id"])
        named.append(f"{name} ({told})" if told else name)
    return ", ".join(named)


def visible(text: str, longest: int = LONGEST) -> str:
    """Text on one line, not too long, without secrets and control characters."""
    text = redact("".join(c if c.isprintable() else "�" for c in text), {})
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def printable(text: str) -> str:
    """Text over several lines, without secrets and control characters."""
    return redact("".join(c if c.isprintable() or c == "\n" else "�" for c in text), {})
