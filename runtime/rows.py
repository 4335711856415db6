"""Reading rows from a file, one at a time, each with its place; what cannot be read comes as a Flaw."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ..spec.rows.rowcheck import listed, near
from ..spec.rows.strictjson import Decoder, Flaw, loads
from .json_array import ArrayReader
from .raw import Raw, not_object, skip_space, too_long

LIMIT = 64 * 2**20  # bytes of one line or row
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


class FileProblem(Exception):
    """The file as a whole cannot be read."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        self.code, self.message, self.hint = code, message, hint
        super().__init__(message)


class RowReader:
    """Iterates over (Raw, row or Flaw). Afterwards `blank` and `bom` say what was met."""

    def __init__(self, path: Path) -> None:
        self.path, self.blank, self.bom = path, 0, False
        self._array: ArrayReader | None = None
        check_file(path)

    @property
    def complete(self) -> bool:
        """False where the file is so broken that no further row can be found in it."""
        return self._array is None or self._array.complete

    def __iter__(self) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        try:
            with self.path.open("rb") as file:
                head = self._head(file)
                if self.path.suffix.lower() == ".json":
                    if _first_character(head, file) == b"[":
                        self._array = ArrayReader(file, LIMIT)
                    else:
                        _refuse_object(file)
                yield from self._array or self._lines(file)
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
        while line := file.readline(LIMIT + 1):
            number += 1
            if len(line) > LIMIT and not line.endswith(b"\n"):
                while (more := file.readline(2**20)) and not more.endswith(b"\n"):
                    pass
                index += 1
                yield Raw(index, number, line[:96].decode(errors="replace")), too_long("line", LIMIT)
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
            start = skip_space(text, 0)
            value, end = decode(text, start)
            yield raw, _line_value(value, text, start, end)


def _first_character(head: bytes, file: BinaryIO) -> bytes:
    start = file.tell()
    while head and not head.strip():
        head = file.read(2**16)
    file.seek(start)
    return head.lstrip()[:1]


def _refuse_object(file: BinaryIO) -> None:
    """One object over several lines is neither a list of rows nor one row a line; told once, not for each line."""
    start, whole = file.tell(), None
    with suppress(UnicodeDecodeError):
        first = file.readline(LIMIT).decode()
        if isinstance(loads(first), Flaw):
            whole = loads(first + file.read(LIMIT).decode())
    file.seek(start)
    if isinstance(whole, dict):
        lists = [key for key, value in whole.items() if isinstance(value, list)]
        hint = "the file must be a list of rows, or one row a line"
        hint += f"; lists are in {listed(lists)} of the object" if lists else ""
        raise FileProblem("TF303", "holds one object, not rows", hint)


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


def _line_value(value: Any, text: str, start: int, end: int | None) -> dict[str, Any] | Flaw:
    if isinstance(value, Flaw):
        if value.code == "TF306" and text.strip() in ("{", "["):
            hint = "in a .jsonl file each line is one whole object; a list of rows belongs in a .json file"
            return Flaw(value.code, start, start + 1, "broken JSON: the line ends inside a value", hint)
        return value
    if end is not None and (rest := skip_space(text, end)) < len(text):
        message = "broken JSON: there is more after the end of the value"
        return Flaw("TF306", rest, len(text), message, "each line holds one object")
    return value if isinstance(value, dict) else not_object(value, start)


def _not_utf8(line: bytes, error: UnicodeDecodeError) -> Flaw:
    col = len(line[: error.start].decode(errors="replace"))
    message = f"not UTF-8: byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
    return Flaw("TF305", col, col + 1, message, "is it Windows-1252? iconv -f WINDOWS-1252 -t UTF-8")
