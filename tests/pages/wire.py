"""docs/data.md: the table of wire forms, made from their declarations; the page's other text is written by hand."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.spec.wire.base import CARRIES, EXPANSIONS, Form, Wire
from tuneform.spec.wire.convert import WIRES
from tuneform.spec.wire.limits import Limit, limits

from . import ROOT
from .markdown import code, prose, table

PAGE = ROOT / "docs" / "data.md"
START = "<!-- Wire forms: made from the code by `make docs`; edits up to the end mark are lost. -->"
END = "<!-- End of the wire forms. -->"
ANSWERS = {"all": "every answer", "unknown": "not documented which answers", "one": "the answer"}


def render() -> str:
    """The page with the part between the marks made anew."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    after = rest.split(END)[1]
    return before + "\n\n".join([START, *_parts(), END]) + after


def _parts() -> Iterator[str]:
    yield table(
        ("`--to`", "target", "rows", "methods", "a line", "carries, beside texts", "trained", "`--expand`"),
        (row for wires in _alike() for row in _rows(wires)),
    )
    yield "\n".join(f"- {code(wire.name)}: {prose(wire.note)}" for wire in WIRES.values() if wire.note)
    yield "### What a form can carry"
    yield table(("word", "what it is"), ((name, prose(text)) for name, text in CARRIES.items()))
    yield "### Expansions"
    yield table(("`--expand`", "what it does"), ((code(name), prose(text)) for name, text in EXPANSIONS.items()))
    yield "### Limits"
    head = (
        "`--to`",
        "rows",
        "number of rows",
        "for validation",
        "bytes",
        "tokens of a row",
        "beside",
        "as of",
        "source",
    )
    yield table(head, map(_limit, limits()))


def _alike() -> list[list[Wire]]:
    """Wires that share their forms, together."""
    found: dict[int, list[Wire]] = {}
    for wire in WIRES.values():
        found.setdefault(id(wire.forms), []).append(wire)
    return list(found.values())


def _rows(wires: list[Wire]) -> Iterator[tuple[str, ...]]:
    for form in wires[0].forms.values():
        carries = ", ".join(name for name in CARRIES if name in form.carries) or "-"
        expansions = ", ".join(map(code, form.expansions)) or "-"
        trained = (
            ANSWERS[form.answers] if form.shape in ("chat", "preference", "unpaired_preference") else _trained(form)
        )
        names, titles = ", ".join(code(wire.name) for wire in wires), ", ".join(wire.title for wire in wires)
        about = names, titles, form.shape, ", ".join(form.methods)
        yield *about, code(form.line), carries, trained, expansions


def _trained(form: Form) -> str:
    return {"prompt_completion": "the completion", "text": "the text", "prompt": "sampled answers"}[form.shape]


def _limit(limit: Limit) -> tuple[str, ...]:
    few, most = _number(limit.min_rows), _number(limit.max_rows)
    spread = f"{few} to {most}" if few and most else f"at least {few}" if few else f"up to {most}" if most else "-"
    size = [_number(n) for n in (limit.max_eval_rows, limit.max_bytes, limit.max_tokens)]
    return (
        ", ".join(map(code, limit.wires)),
        ", ".join(limit.shapes),
        spread,
        *(n or "-" for n in size),
        prose(limit.about) or "-",
        limit.as_of,
        f"<{limit.source}>",
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
