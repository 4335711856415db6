"""Reading rows from a file, one at a time, each with its place; what cannot be read comes as a Flaw."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..spec.diagnostics import Span
from ..spec.rowcheck import kind, near
from ..spec.strictjson import Decoder, Flaw

LINE_LIMIT = 64 * 2**20  # bytes of one line
ARRAY_LIMIT = 512 * 2**20  # bytes of a .json file, which is read whole
LINES = (".jsonl", ".ndjson", ".jsonlines")
_BOM = b"\xef\xbb\xbf"
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"BZh": "bzip2",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_SPACE = re.compile(r"[ \t\r\n]*")


class FileProblem(Exception):
    """The file as a whole cannot be read."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        self.code, self.message, self.hint = code, message, hint
        super().__init__(message)


@dataclass(slots=True)
class Raw:
    """A row as it stands in the file: the text around it, where it starts in that text, and on which line."""

    index: int
    line: int
    text: str
    start: int = 0

    def place(self, file: str, start: int, end: int) -> tuple[Span, str]:
        """The span of text[start:end] and the line it is on."""
        line_start = self.text.rfind("\n", 0, start) + 1
        line_end = self.text.find("\n", start)
        line_end = len(self.text) if line_end < 0 else line_end
        line = self.line + self.text.count("\n", self.start, start)
        last = max(min(end, line_end), start + 1)
        return Span(file, line, start - line_start + 1, last - line_start + 1), self.text[line_start:line_end]


class RowReader:
    """Iterates over (Raw, row or Flaw). Afterwards `blank`, `bom` and `complete` say what was met."""

    def __init__(self, path: Path) -> None:
        self.path, self.blank, self.bom, self.complete = path, 0, False, True
        self.array = False
        check_file(path)

    def __iter__(self) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        try:
            with self.path.open("rb") as file:
                head = self._head(file)
                self.array = self.path.suffix.lower() == ".json" and head.lstrip()[:1] == b"["
                yield from self._elements(file) if self.array else self._lines(file)
        except OSError as error:
            raise FileProblem("TF302", f"cannot be read: {error.strerror or error}") from error

    def _head(self, file: BinaryIO) -> bytes:
        head = file.read(4096)
        self.bom = head.startswith(_BOM)
        file.seek(len(_BOM) if self.bom else 0)
        for magic, name in _MAGIC.items():
            if head.startswith(magic):
                raise FileProblem("TF303", f"holds {name}, not UTF-8 JSON", "unpack or convert it first")
        return head[len(_BOM) :] if self.bom else head

    def _lines(self, file: BinaryIO) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        decode = Decoder().decode
        number = index = 0
        while line := file.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT and not line.endswith(b"\n"):
                while (more := file.readline(2**20)) and not more.endswith(b"\n"):
                    pass
                message = f"the line is longer than {LINE_LIMIT // 2**20} MiB"
                flaw = Flaw("TF312", 0, 1, message, "is the file one row a line?")
                yield Raw(index := index + 1, number, line[:96].decode(errors="replace")), flaw
                continue
            if not line.strip():
                self.blank += 1
                continue
            index += 1
            try:
                text = line.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                yield Raw(index, number, line.decode(errors="replace").rstrip("\r\n")), _not_utf8(line, error)
                continue
            raw = Raw(index, number, text)
            start = _skip(text, 0)
            value, end = decode(text, start)
            yield raw, _line_value(value, text, start, end)

    def _elements(self, file: BinaryIO) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        data = file.read(ARRAY_LIMIT + 1)
        if len(data) > ARRAY_LIMIT:
            message = f"is larger than {ARRAY_LIMIT // 2**20} MiB, and a .json file is read whole"
            raise FileProblem("TF312", message, "write it as .jsonl, which has no limit: jq -c '.[]' rows.json")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            self.complete = False
            start = data.rfind(b"\n", 0, error.start) + 1
            line = data[start : error.end + 200]
            moved = UnicodeDecodeError("utf-8", line, error.start - start, error.end - start, error.reason)
            excerpt = line.decode(errors="replace").split("\n")[0]
            yield Raw(1, data.count(b"\n", 0, start) + 1, excerpt), _not_utf8(line, moved)
            return
        del data
        yield from self._array(text)

    def _array(self, text: str) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        decode = Decoder().decode
        at, line, index, counted = _skip(text, _skip(text, 0) + 1), 1, 0, 0
        closed = text.startswith("]", at)
        while not closed:
            line, counted = line + text.count("\n", counted, at), at
            raw = Raw(index := index + 1, line, text, at)
            value, end = decode(text, at)
            self.complete = end is not None
            yield raw, value if isinstance(value, dict | Flaw) else _not_object(value, at)
            if end is None:
                return
            at = _skip(text, end)
            closed = text.startswith("]", at)
            if not closed and not text.startswith(",", at):
                self.complete = False
                yield (
                    raw,
                    Flaw("TF306", min(at, len(text) - 1), at + 1, "broken JSON: a comma or `]` is expected here"),
                )
                return
            at = at if closed else _skip(text, at + 1)
        if (rest := _skip(text, at + 1)) < len(text):
            self.complete = False
            raw = Raw(index + 1, line + text.count("\n", counted, rest), text, rest)
            yield raw, Flaw("TF306", rest, rest + 1, "broken JSON: there is more after the end of the list")


def check_file(path: Path) -> None:
    """Refuse what is no data file; a FileProblem says why."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FileProblem("TF301", "does not exist", _similar(path)) from None
    except (OSError, ValueError) as error:
        raise FileProblem("TF302", f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(mode):
        raise FileProblem("TF302", "is a folder", "name a file in it")
    if not stat.S_ISREG(mode):
        raise FileProblem("TF302", "is no regular file")
    if path.suffix.lower() not in (*LINES, ".json"):
        raise FileProblem("TF303", "is not a .jsonl or .json file", "this version reads these two; convert it first")


def _similar(path: Path) -> str | None:
    folder = path.parent
    try:
        names = sorted(p.name for p in folder.iterdir())
    except (OSError, ValueError):
        return f"its folder `{folder.name}` does not exist either"
    close = near(path.name, names)
    data = [n for n in names if n.endswith((*LINES, ".json"))][:5]
    if close:
        return f"did you mean `{close}`?"
    return f"data files in that folder: {', '.join(data)}" if data else "there is no data file in that folder"


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _line_value(value: Any, text: str, start: int, end: int | None) -> dict[str, Any] | Flaw:
    if isinstance(value, Flaw):
        if value.code == "TF306" and text.strip() in ("{", "["):
            hint = "in a .jsonl file each line is one whole object; a list of rows belongs in a .json file"
            return Flaw(value.code, start, start + 1, "broken JSON: the line ends inside a value", hint)
        return value
    if end is not None and (rest := _skip(text, end)) < len(text):
        message = "broken JSON: there is more after the end of the value"
        return Flaw("TF306", rest, len(text), message, "each line holds one object")
    return value if isinstance(value, dict) else _not_object(value, start)


def _not_object(value: Any, at: int) -> Flaw:
    hint = "a list of rows belongs in a .json file" if isinstance(value, list) else None
    return Flaw("TF307", at, at + 1, f"a row must be an object, not {kind(value)}", hint)


def _not_utf8(line: bytes, error: UnicodeDecodeError) -> Flaw:
    col = len(line[: error.start].decode(errors="replace"))
    message = f"not UTF-8: byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
    return Flaw("TF305", col, col + 1, message, "is it Windows-1252? iconv -f WINDOWS-1252 -t UTF-8")
