"""From a file to a checked spec: reading, `extends`, overrides, placeholders, validation."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from . import stages
from .diagnostics import Diagnostic, Level, Span, in_file_order
from .errors import translate
from .fields import ENV, placeholders, unescape
from .language import is_known, marked_paths
from .merging import CHOICES, merge, put
from .places import key_span, locate, steps
from .spec import Spec
from .yaml_reader import Node, Reader, YamlError, decode

MAX_PARENTS = 20


@dataclass
class Sources:
    """The texts that were read, for the excerpt under a message, and the problems found in them.

    `at` leads from a file's name to where its bytes are, which is elsewhere for an older revision.
    """

    lines: dict[str, list[str]] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)
    at: Callable[[str], str] = str

    def add(self, code: str, message: str, span: Span, hint: str | None = None, path: str = "") -> None:
        self.found.append(Diagnostic(code, Level.ERROR, path, message, hint, span))

    def with_lines(self, found: Sequence[Diagnostic]) -> list[Diagnostic]:
        """The diagnostics in file order, each with the text of its line."""
        return in_file_order([self._with_line(d) for d in found])

    def _with_line(self, d: Diagnostic) -> Diagnostic:
        if d.span is None or d.source is not None:
            return d
        lines = self.lines.get(d.span.file, [])
        text = lines[d.span.line - 1] if d.span.line <= len(lines) else None
        return Diagnostic(d.code, d.level, d.path, d.message, d.hint, d.span, text)


@dataclass(frozen=True, slots=True)
class Override:
    """A `--set path=value`. It comes last: over the file, a target's `set:` and a stage."""

    path: tuple[str, ...]
    value: Node

    @property
    def is_for_all(self) -> bool:
        """Whether it changes what every target and stage sees, and not the block of one."""
        return self.path[0] not in ("stages", "targets")


@dataclass
class Document:
    """A spec with the tree it came from. `spec` is None where there are errors."""

    file: str
    root: Node
    sources: Sources
    spec: Spec | None
    diagnostics: list[Diagnostic]
    raw: Node  # the tree before a stage was put on top, and before empty keys were taken out
    stages: tuple[str, ...] = ()  # where there are some, `root` and `spec` are those of the first
    overrides: Sequence[Override] = ()

    def place(self, path: str) -> Span:
        """Where a path of the spec stands, or its nearest parent."""
        return key_span(locate(self.root, steps(path))[0])


def load(file: str, sets: Sequence[str] = (), at: Callable[[str], str] = str) -> Document:
    """Read and check a spec. Problems are in `diagnostics`; this raises nothing for what a user did."""
    sources = Sources(at=at)
    root = _tree(file, sources, ())
    if root is None:
        empty = Node({}, Span(file, 1, 1, 2))
        return Document(file, empty, sources, None, sources.with_lines(sources.found), empty)
    overrides = [found for text in sets if (found := _read_override(text, sources))]
    root = _overridden(root, [override for override in overrides if not override.is_for_all])
    for path, node in stages.misplaced(root):
        hint = "a stage changes what is trained: model, method, adapter, data, training and so on"
        sources.add("TF017", f"`{path}` cannot be in a stage", key_span(node), hint, path)
    for name, node in stages.unnamed(root):
        hint = "letters, digits, `-` and `_`, at most 63 of them"
        sources.add("TF103", f"a stage cannot be named `{name}`", key_span(node), hint, "stages")
    return _check_stages(file, root, sources, overrides)


def for_target(document: Document, label: str, stage: str | None = None) -> Document:
    """The spec as one target and stage see it: with the target's `set:` applied, and then the stage on top."""
    under = f"targets.{label}.set"
    found, path = locate(document.raw, ["targets", label, "set"])
    entries = found.value if isinstance(found.value, dict) and path == under else {}
    if not entries and stage in (None, *document.stages[:1]):
        return document
    sources, root = Sources(document.sources.lines, at=document.sources.at), document.raw
    for path, node in entries.items():
        if path.split(".")[0] in ("targets", "version", "name", "extends"):
            hint = "set changes what is trained: model, method, adapter, data, training and so on"
            sources.add("TF015", f"`{path}` cannot be set for one target", key_span(node), hint, under)
        else:
            root = put(root, path.split("."), node)
    return _check(document.file, root, sources, document.overrides, stage)


def _check_stages(file: str, root: Node, sources: Sources, overrides: Sequence[Override]) -> Document:
    """Check the spec, or each of its stages; what several of them have wrong is told once."""
    found = stages.names(root)
    if not found:
        return _check(file, root, sources, overrides)
    copies = {name: Sources(sources.lines, [*sources.found], sources.at) for name in found}
    checked = [_check(file, root, copy, overrides, name) for name, copy in copies.items()]
    problems = sources.with_lines(list(dict.fromkeys(d for document in checked for d in document.diagnostics)))
    return replace(checked[0], diagnostics=problems, spec=None if problems else checked[0].spec, stages=found)


def _check(
    file: str, root: Node, sources: Sources, overrides: Sequence[Override], stage: str | None = None
) -> Document:
    raw = root
    if stage is not None:
        root = merge(stages.without(root), stages.block(root, stage), ())
    root = _overridden(root, [override for override in overrides if override.is_for_all])
    clean = _clean(root, "", sources)
    spec = None
    try:
        spec = Spec.model_validate(clean.plain())
    except ValidationError as error:
        sources.found.extend(translate(error, clean))
    found = sources.with_lines(sources.found)
    return Document(file, clean, sources, None if found else spec, found, raw, overrides=overrides)


def _tree(file: str, sources: Sources, below: tuple[str, ...], asked: Span | None = None) -> Node | None:
    """The file's tree with everything it extends merged under it."""
    try:
        data = Path(sources.at(file)).read_bytes()
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        span = asked or Span(file, 1, 1, 2)
        reason = getattr(error, "strerror", None) or str(error)
        sources.add("TF001", f"cannot read `{file}`: {reason}", span)
        return None
    try:
        reader = Reader(decode(data, file), file)
        sources.lines[file] = reader.lines
        node = reader.read()
    except YamlError as error:
        if file not in sources.lines:
            sources.lines[file] = data[: 1 << 16].decode("utf-8", "replace").split("\n")
        sources.add(error.code, error.message, error.span, error.hint)
        return None
    sources.found.extend(reader.found)
    if not isinstance(node.value, dict):
        sources.add("TF012", "a spec is a mapping of keys to values", node.span, "begin with `version: 1`")
        return None
    return _extended(file, node, sources, below)


def _extended(file: str, node: Node, sources: Sources, below: tuple[str, ...]) -> Node | None:
    assert isinstance(node.value, dict)
    extends = node.value.get("extends")
    if extends is None or extends.value is None:
        return node
    parents = extends.value if isinstance(extends.value, list) else [extends]
    merged: Node | None = None
    for parent in parents:
        if not isinstance(parent.value, str):
            continue  # the models tell
        path = os.path.normpath(os.path.join(os.path.dirname(file), parent.value))
        chain = (*below, os.path.normpath(file))
        if path in chain or len(chain) > MAX_PARENTS:
            sources.add("TF013", f"`{parent.value}` extends itself, through {len(chain)} files", parent.span)
            return None
        tree = _tree(path, sources, chain, parent.span)
        if tree is None:
            return None
        merged = tree if merged is None else merge(merged, tree, ())
    return node if merged is None else merge(merged, node, ())


def _read_override(text: str, sources: Sources) -> Override | None:
    """One `--set path=value`; None where it is none, which `sources` tells."""
    file = f"--set {text}"
    path, equals, value = text.partition("=")
    start = Span(file, 1, 1, len(text) + 1)
    if not equals or not all(part for part in path.split(".")):
        sources.add("TF014", "`--set` takes path=value", start, "for example --set training.learning_rate=1e-4")
        return None
    try:
        reader = Reader(decode(value.encode("utf-8", "surrogateescape"), file), file)
        node = reader.read(or_null=True) if value.strip() else Node(None, start)
    except YamlError as error:
        sources.add(error.code, error.message, start, error.hint)
        return None
    sources.found.extend(reader.found)
    return Override(tuple(path.split(".")), node.with_key(start))


def _overridden(root: Node, overrides: Sequence[Override]) -> Node:
    for override in overrides:
        root = put(root, list(override.path), override.value)
    return root


# Here null is a value, and the language has no keys.
_VERBATIM = re.compile(r"targets\.[^.]+\.extra|rewards\.json_schema")


def _clean(node: Node, path: str, sources: Sources, keep_empty: bool = False) -> Node:
    """Drop keys with no value (`rank:` is no `rank`), and settle `${NAME}`, which few fields may hold.

    With `keep_empty`, a key with no value is a choice without settings: `targets: {trl: }`. A key that the language
    does not have is kept for its error.
    """
    if isinstance(node.value, dict):
        entries = {}
        for key, child in node.value.items():
            below = f"{path}.{key}" if path else key
            if child.value is None and keep_empty:
                child = Node({}, child.span, child.key_span)
            if _VERBATIM.fullmatch(below):
                entries[key] = child
            elif child.value is not None:
                entries[key] = _clean(child, below, sources, below in CHOICES)
            elif not is_known(below.split(".")):
                entries[key] = child
        return Node(entries, node.span, node.key_span, node.size)
    if isinstance(node.value, list):
        return Node([_clean(n, path, sources) for n in node.value], node.span, node.key_span, node.size)
    if not isinstance(node.value, str) or "${" not in node.value or path.startswith("targets."):
        return node  # a target's own keys are its own: it knows which may hold a placeholder
    return Node(literal(node, path, path in marked_paths(ENV), sources), node.span, node.key_span)


def literal(node: Node, path: str, fillable: bool, sources: Sources) -> str:
    """The text of a node; a placeholder where none may be is a problem."""
    text = str(node.value)
    if fillable:
        return text
    if names := placeholders(text):
        hint = f"write the value itself, or `$${{{names[0]}}}` for the literal text"
        sources.add("TF016", f"`${{{names[0]}}}` is not filled in `{path}`", node.span, hint, path)
    return unescape(text)
