"""YAML 1.2 text to a tree of nodes, each with its place in the file.

libyaml does the parsing, through PyYAML's event stream; what a plain scalar means follows YAML 1.2's core
schema (https://yaml.org/spec/1.2.2/#103-core-schema): `2e-4` is a number, `no` is a string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .diagnostics import Diagnostic, Level, Span

MAX_BYTES = 1 << 20
MAX_NODES = 200_000  # after aliases are expanded
MAX_DEPTH = 40
MAX_DIGITS = 40

Scalar = str | int | float | bool | None

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE, _FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}
_FIRST = set("+-.0123456789~nNtTfF")  # whatever is no text begins so
_PARSER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader  # both give the same events


@dataclass(slots=True, eq=False)
class Node:
    """A value, where it stands, and where its key stands. `size` counts nodes with aliases expanded."""

    value: Scalar | dict[str, Node] | list[Node]
    span: Span
    key_span: Span | None = None
    size: int = 1

    def plain(self) -> Any:
        """The value without places; a list is a tuple, as the frozen models hold it."""
        value = self.value
        if isinstance(value, dict):
            return {key: node.plain() for key, node in value.items()}
        return tuple([node.plain() for node in value]) if isinstance(value, list) else value

    def with_key(self, span: Span | None) -> Node:
        """The same value under another key (an alias)."""
        return Node(self.value, self.span, span, self.size)


class YamlError(Exception):
    """Reading cannot go on."""

    def __init__(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self.code, self.message, self.span, self.hint = code, message, span, hint
        super().__init__(message)


def scalar(text: str) -> Scalar:
    """What a plain scalar means in YAML 1.2's core schema."""
    if text and text[0] not in _FIRST:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text)
    if _BASED.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(_SPECIAL[text.lower()]) if text.lower() in _SPECIAL else text


def decode(data: bytes, file: str) -> str:
    """Bytes to text, or a YamlError that says what is wrong with them."""
    start = Span(file, 1, 1, 2)
    if len(data) > MAX_BYTES:
        hint = "keep rows in a data file and common parts in a file that this one `extends`"
        raise YamlError("TF006", f"the file has {len(data):,} bytes; the limit is {MAX_BYTES:,} (1 MiB)", start, hint)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise YamlError("TF002", "the file is UTF-16; a spec is UTF-8", start, "save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        col = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise YamlError("TF002", message, Span(file, line, col, col + 1), "save the file as UTF-8") from None


class Reader:
    """Builds the tree of one document. Problems that do not stop reading collect in `found`."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.lines = text.split("\n")
        self.found: list[Diagnostic] = []
        self._anchors: dict[str, Node] = {}
        self._total = 0

    def read(self, or_null: bool = False) -> Node:
        """The document's root, which may be null if asked so. Raises YamlError where there is no way on."""
        try:
            return self._read(self._events(), or_null)
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error) from None
        except yaml.reader.ReaderError as error:
            raise self._unprintable(error) from None

    def _events(self) -> Iterator[Any]:
        parser = _PARSER(self.text)
        while parser.check_event():
            yield parser.get_event()

    def _read(self, events: Iterator[Any], or_null: bool) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    hint = "a spec is one document: remove `---` and what follows, or use two files"
                    raise YamlError("TF005", "a second document begins here", self._span(event), hint)
                root = self._node(next(events), events, 0)
        if root is None or (root.value is None and not root.size > 1 and not or_null):
            hint = "a spec needs at least version, name, model, method, data and targets"
            raise YamlError("TF004", "the file is empty", Span(self.file, 1, 1, 2), hint)
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        span = self._span(event)
        self._total += 1
        if depth > MAX_DEPTH:
            raise YamlError("TF008", f"nested more than {MAX_DEPTH} levels deep", span)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, span)
        self._refuse_tag(event, span)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event), span)
        elif isinstance(event, yaml.SequenceStartEvent):
            items = [self._node(e, events, depth + 1) for e in _until(events, yaml.SequenceEndEvent)]
            node = Node(list(items), span, size=1 + sum(n.size for n in items))
        else:
            entries = self._mapping(events, depth)
            node = Node(entries, span, size=1 + sum(n.size for n in entries.values()))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _mapping(self, events: Iterator[Any], depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key_event in _until(events, yaml.MappingEndEvent):
            key_span = self._span(key_event)
            key = self._key(key_event, key_span)
            value = self._node(next(events), events, depth + 1).with_key(key_span)
            if key is None:
                continue  # told already
            if key in entries:
                first = entries[key].key_span
                self._problem(
                    "TF007", key, f"`{key}` stands here twice (first in line {first and first.line})", key_span
                )
            else:
                entries[key] = value
        return entries

    def _key(self, event: Any, span: Span) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            raise YamlError("TF009", "a key is a plain word here, not a list, mapping or alias", span)
        self._refuse_tag(event, span)
        key = self._scalar(event)
        if key == "<<" and not event.style:
            self._problem("TF010", "<<", "`<<` is YAML 1.1 and merges nothing here", span, "use `extends: other.yaml`")
            return None
        if not isinstance(key, str):
            self._problem(
                "TF009", event.value, f"the key `{event.value}` is not text", span, f'quote it: "{event.value}"'
            )
            return None
        return key

    def _alias(self, event: Any, span: Span) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise YamlError("TF003", f"`*{event.anchor}` has no finished anchor `&{event.anchor}` before it", span)
        self._total += node.size
        if self._total > MAX_NODES:
            raise YamlError("TF008", f"aliases expand to more than {MAX_NODES:,} values", span, "write the values out")
        return node

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        if event.style or event.tag == "!":
            return text
        if len(text) > MAX_DIGITS and _INT.fullmatch(text):
            self._problem("TF003", "", f"a number of {len(text)} digits", self._span(event), "quote it if it is text")
        return scalar(text)

    def _refuse_tag(self, event: Any, span: Span) -> None:
        if event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "remove it; quote a value to make it text"
            self._problem("TF011", "", f"the tag `{tag}` has no meaning in a spec", span, hint)

    def _problem(self, code: str, path: str, message: str, span: Span, hint: str | None = None) -> None:
        self.found.append(Diagnostic(code, Level.ERROR, path, message, hint, span, self.line(span)))

    def line(self, span: Span) -> str:
        """The text of the line where a span begins."""
        return self.lines[span.line - 1] if span.line <= len(self.lines) else ""

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        same = end.line == start.line and end.column > start.column
        return Span(self.file, start.line + 1, start.column + 1, (end.column if same else start.column + 1) + 1)

    def _syntax(self, error: yaml.MarkedYAMLError) -> YamlError:
        mark = error.problem_mark or error.context_mark
        line, col = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = str(error.problem or error.context or "not YAML")
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        hint = "indent with spaces, not tabs" if "\t" in text else _HINTS.get(said)
        return YamlError("TF003", f"not YAML: {said}", Span(self.file, line, col, col + 1), hint)

    def _unprintable(self, error: yaml.reader.ReaderError) -> YamlError:
        bad = re.search(r"[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", self.text)
        at = bad.start() if bad else 0
        line, col = self.text.count("\n", 0, at) + 1, at - (self.text.rfind("\n", 0, at) + 1) + 1
        char = ord(self.text[at]) if self.text else 0
        message = f"the character U+{char:04X} may not stand in YAML"
        return YamlError(
            "TF002", message, Span(self.file, line, col, col + 1), f'write it as "\\u{char:04x}" in quotes'
        )


_HINTS = {
    "mapping values are not allowed in this context": "a text with `: ` in it needs quotes; or the indentation is off",
    "did not find expected key": "check the indentation of this line and the quotes before it",
    "did not find expected ',' or ']'": "a list in brackets is not closed",
    "did not find expected ',' or '}'": "a mapping in braces is not closed",
    "could not find expected ':'": "a key needs a colon and a space after it",
}


def _until(events: Iterator[Any], end: type) -> Iterator[Any]:
    for event in events:
        if isinstance(event, end):
            return
        yield event
