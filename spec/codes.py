"""Every code that Tuneform prints, with what it means and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import cleandoc


@dataclass(frozen=True, slots=True)
class Code:
    """A code's meaning. `example` is a piece of a spec or of data that gives it."""

    title: str
    explanation: str
    example: str = ""


_READING = {
    "TF001": Code("a file cannot be read", "The file is not there, is a folder, or may not be read."),
    "TF002": Code("not UTF-8", "A spec is UTF-8 text without control characters. Save the file as UTF-8."),
    "TF003": Code(
        "not YAML", "The text cannot be read as YAML 1.2. The place is where the reader got stuck.", "a: [1, 2"
    ),
    "TF004": Code("empty", "The file holds no document. A small spec is in the README."),
    "TF005": Code(
        "several documents", "A spec is one YAML document. Remove `---` and what follows.", "a: 1\n---\nb: 2"
    ),
    "TF006": Code("too large", "A spec has at most 1 MiB. Rows belong in a data file."),
    "TF007": Code("a key twice", "A mapping has the same key twice, so one value would be lost.", "name: a\nname: b"),
    "TF008": Code("too deep or too many", "Nesting beyond 40 levels, or aliases that expand to over 200,000 values."),
    "TF009": Code("a key that is not text", "Keys are text. Quote a number or `true` that is meant as a key.", "1: x"),
    "TF010": Code("merge key", "`<<` is YAML 1.1 and has no meaning in 1.2. Use `extends`.", "<<: *base"),
    "TF011": Code("a tag", "Tags such as `!!python/object` have no meaning in a spec.", "name: !!str x"),
    "TF012": Code("not a mapping", "A spec is a mapping of keys to values.", "- version: 1"),
    "TF013": Code("extends itself", "A chain of `extends` leads back to its start, or is longer than 20 files."),
    "TF014": Code("`--set` without a value", "`--set` takes path=value; the value is read as YAML."),
    "TF015": Code(
        "not settable for one target",
        "`set:` in a target's block changes what is trained; it cannot change version, name, extends or targets.",
        "targets: {trl: {set: {name: other}}}",
    ),
    "TF016": Code(
        "a placeholder where none is filled",
        "`${NAME}` is filled from the environment when a job starts, and only in fields made for it: accounts, "
        "projects and places outside. Anywhere else the value would depend on the machine. `$${NAME}` is the text.",
        'name: "${NAME}"',
    ),
    "TF017": Code(
        "a key that no stage can have",
        "A stage's block changes what is trained. Version, name, `extends` and targets are the whole spec's.",
        "stages: {sft: {name: other}}",
    ),
}

_FIELDS = {
    "TF101": Code("a key is missing", "A section needs this key; it has no default.", "data: {}"),
    "TF102": Code("another kind of value", 'The field takes another type: `epochs: "3"` is text.', 'epochs: "3"'),
    "TF103": Code("a value out of range", "The value has the right type and cannot be used.", "epochs: 0"),
    "TF104": Code(
        "an unknown key", "The language has no such key there. Nothing is dropped in silence.", "learing_rate: 1"
    ),
    "TF105": Code("an unknown word", "The field takes one of a few words.", "scheduler: cosin"),
}

_TARGETS = {
    "TF201": Code(
        "the target has no such setting",
        "You set a field that this target cannot carry. The artifact is written without it. Remove the field, take "
        "another target, or agree with `accept: [path]` in the target's block. `--strict` refuses.",
    ),
    "TF202": Code(
        "the target does it otherwise",
        "The target does something near to what the spec says, and not quite it. Change the field, or agree with "
        "`accept: [path]` in the target's block. `--strict` refuses.",
    ),
    "TF203": Code("an unknown target", "No compiler has that name. A label of your own needs `target:`."),
    "TF204": Code("the target lacks the method", "The objective would be another one, so nothing is written."),
    "TF205": Code(
        "the target cannot treat rows so",
        "Other rows, or other parts of them, would be trained than the spec says, so nothing is written.",
    ),
    "TF206": Code("an unknown native key", "`extra:` has a key or value that the target's own schema does not take."),
    "TF207": Code("a native key that the plan rules", "A key in `extra:` follows from a field of the spec: set that."),
    "TF208": Code("a secret in the spec", "Secrets come from the environment and never stand in an artifact."),
    "TF209": Code(
        "accept of what cannot be accepted",
        "`accept:` names fields of the spec by their path, and advice by its code: `accept: [training.seed, TF131]`.",
    ),
    "TF211": Code(
        "a file is missing or no text",
        "The bundle takes a copy of this file, and it is not there, or is not UTF-8 text. Paths are relative to the "
        "file that names them.",
        "model: {id: acme/tiny, chat_template: ./nowhere.jinja}",
    ),
    "TF212": Code(
        "no bundle is written for this version",
        "`version:` in a target's block is one that bundles are written and tested for; docs/versions.md has them, "
        "with what changes between them. Without it, the bundle is for the newest.",
    ),
    "TF210": Code(
        "no such target in the spec",
        "`-t` takes a label under `targets:`; a run takes one of them, and begins with its first stage.",
    ),
}


@cache
def codes() -> dict[str, Code]:
    """All codes, in order."""
    from .advice.check import ADVICE
    from .rows.filecodes import FILE_CODES
    from .rows.reportcodes import REPORT_CODES
    from .rows.rowcodes import ROW_CODES
    from .rules.check import RULES
    from .wire.codes import CODES as WIRE_CODES

    rules = {r.code: Code(r.title, cleandoc(r.explanation)) for r in RULES}
    rules |= {a.code: Code(a.title, cleandoc(a.explanation)) for a in ADVICE}
    data = {code: Code(*entry) for code, entry in (FILE_CODES | ROW_CODES | REPORT_CODES | WIRE_CODES).items()}
    return dict(sorted({**_READING, **_FIELDS, **rules, **_TARGETS, **data}.items()))
