"""Rows of .csv and .tsv files: every value is a text, and an empty cell is no value."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from ...spec.rows.rowcheck import listed
from ...spec.rows.strictjson import Flaw
from ..raw import Raw, too_long
from .base import FileProblem


class TableReader:
    """Iterates over (Raw, row or Flaw); `blank` counts lines without a cell."""

    def __init__(self, file: BinaryIO, delimiter: str, limit: int) -> None:
        self.blank, self._limit, self._first, self._long = 0, limit, "", False
        csv.field_size_limit(limit)  # of the whole process: a text may be longer than the default of 128 KiB
        self._reader = csv.reader(self._texts(file), delimiter=delimiter, strict=True)

    def __iter__(self) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        names: list[str] | None = None
        index = 0
        while True:
            line = self._reader.line_num + 1
            self._first = ""
            try:
                cells = next(self._reader)
                flaw = None
            except StopIteration:
                return
            except csv.Error as error:
                cells, flaw = [], self._broken(error)
            if not cells and flaw is None:
                self.blank += 1
                continue
            if names is None:
                names = _header(cells, flaw)
                continue
            index += 1
            yield Raw(index, line, self._first, form="table"), flaw or _row(names, cells)

    def _texts(self, file: BinaryIO) -> Iterator[str]:
        while line := file.readline(self._limit + 1):
            self._long = self._long or len(line) > self._limit
            text = line.decode("utf-8", "surrogateescape")
            self._first = self._first or text.rstrip("\r\n").encode(errors="replace").decode()
            yield text

    def _broken(self, error: csv.Error) -> Flaw:
        if self._long or "field limit" in str(error):
            self._long = False
            return too_long("cell", self._limit)
        hint = "is a quote missing, or not doubled? texts with commas, quotes or line ends stand in double quotes"
        return Flaw("TF337", 0, 1, f"this row is no CSV: {error}", hint)


def _header(cells: list[str], flaw: Flaw | None) -> list[str]:
    if flaw:
        raise FileProblem("TF337", f"has a header that cannot be read: {flaw.message}", flaw.hint)
    twice = [name for name, count in Counter(cells).items() if count > 1]
    if twice or "" in cells:
        what = f"two columns of one name: {listed(twice)}" if twice and twice != [""] else "a column without a name"
        raise FileProblem("TF337", f"has {what}", "its first line must name every column, each once")
    _utf8(cells, "TF305")
    return cells


def _utf8(cells: list[str], code: str) -> None:
    if _bad_byte(cells) is not None:
        raise FileProblem(code, "is not UTF-8", "is it Windows-1252? iconv -f WINDOWS-1252 -t UTF-8")


def _bad_byte(cells: list[str]) -> int | None:
    for cell in cells:
        if not cell.isascii():
            try:
                cell.encode()
            except UnicodeEncodeError as error:
                return ord(cell[error.start]) - 0xDC00
    return None


def _row(names: list[str], cells: list[str]) -> dict[str, Any] | Flaw:
    if len(cells) != len(names):
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        hint = f"the columns: {listed(names)}; texts with commas, quotes or line ends stand in double quotes"
        return Flaw("TF337", 0, 1, f"this row has {count}, and there are {len(names)} columns", hint)
    if (byte := _bad_byte(cells)) is not None:
        hint = "is it Windows-1252? iconv -f WINDOWS-1252 -t UTF-8"
        return Flaw("TF305", 0, 1, f"not UTF-8: byte 0x{byte:02x}", hint)
    return {name: cell or None for name, cell in zip(names, cells, strict=True)}
