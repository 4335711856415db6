"""Reading rows from a file of any form, each with its place; what cannot be read comes as a Flaw."""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ..spec.rows.rowcheck import listed, near
from ..spec.rows.strictjson import Flaw, loads
from .json_array import ArrayReader
from .raw import Raw
from .readers import base
from .readers.base import BLOCK, LINES, TABLES, FileProblem, Form, form_of
from .readers.lines import blocks, read_line
from .readers.packed import Unpacked
from .readers.parquet import ParquetReader
from .readers.tables import TableReader

__all__ = ["LIMIT", "FileProblem", "RowReader", "check_file"]

LIMIT = base.LIMIT
_BOM = b"\xef\xbb\xbf"
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"BZh": "bzip2",
    b"\xff\xfe\x00\x00": "UTF-32 text",  # before UTF-16, whose mark is its beginning
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_WIDE = {
    re.compile(rb"(?:[^\0]\0\0\0){2}"): "UTF-32LE text",
    re.compile(rb"(?:\0\0\0[^\0]){2}"): "UTF-32BE text",
    re.compile(rb"(?:[^\0]\0){2}"): "UTF-16LE text",
    re.compile(rb"(?:\0[^\0]){2}"): "UTF-16BE text",
}  # without a mark: how the first characters of JSON and of most tables look
_ENDINGS = {"gzip": ".gz", "Zstandard": ".zst", "Parquet": ".parquet"}


class RowReader:
    """Iterates over (Raw, row or Flaw). Afterwards `blank` and `bom` say what was met.

    `lines` gives the same file as blocks of lines where each is a row, which is faster; None where it is of another
    form. Use the reader as a context, and one of the two.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.blank, self.bom = path, 0, False
        self.form = check_file(path)
        self.size = path.stat().st_size
        self._open = ExitStack()
        self._file: BinaryIO | None = None
        self._array: ArrayReader | None = None
        self._table: TableReader | None = None
        self._parquet: ParquetReader | None = None
        self.line = 0  # lines that were given out in blocks

    def __enter__(self) -> RowReader:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    @property
    def complete(self) -> bool:
        """False where the file is so broken that no further row can be found in it."""
        return self._array is None or self._array.complete

    @property
    def start(self) -> int:
        """Where the first line begins."""
        return len(_BOM) if self.bom else 0

    @property
    def seekable(self) -> bool:
        """Whether lines can be read from any place of the file on."""
        return self.form.packing is None

    @property
    def position(self) -> int:
        """Bytes of the file that were read, as it lies on the disk."""
        if self._parquet:
            return int(self._parquet.share * self.size)
        return 0 if self._file is None or self._file.closed else self._file.tell()

    def __iter__(self) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        found = self.lines()
        with self, readable():
            if found is None:
                yield from self._rows()
                self.blank = self._table.blank if self._table else 0
                return
            index = 0
            for block in found:
                for number, line in enumerate(block, self.line + 1):
                    if line.strip():
                        index += 1
                        yield read_line(line, number, index, LIMIT)
                    else:
                        self.blank += 1

    def lines(self) -> Iterator[list[bytes]] | None:
        """Blocks of lines, without their ends; None where a line is no row."""
        if self.form.suffix not in (*LINES, ".json"):
            return None
        with readable():
            file = self._start()
        return None if self._array else self._blocks(file)

    def _rows(self) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        if self._array:
            return iter(self._array)
        if self.form.suffix == ".parquet":
            self._parquet = ParquetReader(self.path)
            return iter(self._parquet)
        self._table = TableReader(self._start(), TABLES[self.form.suffix], LIMIT)
        return iter(self._table)

    def _start(self) -> io.BufferedReader:
        """The file, unpacked, behind its mark; where it holds a list, the list's reader is made."""
        file = self._stream()
        head = file.peek(4096)[:4096]
        self.bom = head.startswith(_BOM)
        if name := _other(head):
            raise _another(name, self.form)
        file.read(self.start)
        if self.form.suffix != ".json":
            return file
        is_list = _first_character(file) == b"["
        if not is_list:
            _refuse_object(self._stream(skip=self.bom))
        file = self._stream(skip=self.bom)
        self._array = ArrayReader(file, LIMIT) if is_list else None
        return file

    def _stream(self, skip: bool = False) -> io.BufferedReader:
        """The file from its start, unpacked."""
        file = self._open.enter_context(self.path.open("rb"))
        self._file = file
        if self.form.packing:
            inside = Unpacked(file, self.form.packing, self.size)
            file = self._open.enter_context(io.BufferedReader(inside, BLOCK))
        file.read(len(_BOM) if skip else 0)
        return file

    def _blocks(self, file: io.BufferedReader) -> Iterator[list[bytes]]:
        with readable():
            try:
                for block in blocks(file, LIMIT):
                    yield block
                    self.line += len(block)
            except FileProblem as problem:
                raise FileProblem(problem.code, problem.message, problem.hint, self.line + 1) from None


@contextmanager
def readable() -> Iterator[None]:
    """What the system refuses is the problem of a file."""
    try:
        yield
    except OSError as error:
        raise FileProblem("TF302", f"cannot be read: {error.strerror or error}") from error


def _other(head: bytes) -> str | None:
    """What a file holds, where it begins as no UTF-8 text does."""
    marked = (name for magic, name in _MAGIC.items() if head.startswith(magic))
    return next(marked, None) or next((name for look, name in _WIDE.items() if look.match(head)), None)


def _another(name: str, form: Form) -> FileProblem:
    ending = _ENDINGS.get(name)
    hint = f"is it packed, or of another kind? its name would end in `{ending}`" if ending else "convert it first"
    if name.endswith(" text"):
        hint += f": iconv -f {name.removesuffix(' text')} -t UTF-8"
    return FileProblem("TF303", f"holds {name}, not UTF-8 text as `{form.suffix}` says", hint)


def _first_character(file: BinaryIO) -> bytes:
    while (head := file.read(2**16)) and not head.strip():
        pass
    return head.lstrip()[:1]


def _refuse_object(file: BinaryIO) -> None:
    """One object over several lines is neither a list of rows nor one row a line; told once, not for each line."""
    whole = None
    with suppress(UnicodeDecodeError):
        first = file.readline(LIMIT).decode()
        if isinstance(loads(first), Flaw):
            whole = loads(first + file.read(LIMIT).decode())
    if isinstance(whole, dict):
        lists = [key for key, value in whole.items() if isinstance(value, list)]
        hint = "the file must be a list of rows, or one row a line"
        hint += f"; lists are in {listed(lists)} of the object" if lists else ""
        raise FileProblem("TF303", "holds one object, not rows", hint)


def check_file(path: Path) -> Form:
    """The form of a data file; a FileProblem says why something is none."""
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
    form = form_of(path)
    if form is None:
        known = "read are .jsonl, .json, .csv, .tsv (also with .gz or .zst), and .parquet; convert it first"
        raise FileProblem("TF303", "is no kind of data file that is read", known)
    return form


def _similar(path: Path) -> str | None:
    folder = path.parent
    try:
        names = sorted(p.name for p in folder.iterdir())
    except (OSError, ValueError):
        return f"its folder `{folder.name}` does not exist either"
    close = near(path.name, names)
    data = [name for name in names if form_of(Path(name))][:5]
    if close:
        return f"did you mean `{close}`?"
    return f"data files in that folder: {', '.join(data)}" if data else "there is no data file in that folder"
