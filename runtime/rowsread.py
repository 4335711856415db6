"""The rows of one file as they are looked at: again and again, in order, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.rows.rowcheck import Row
from .loaded import Loaded
from .repeats import keys
from .tokens.counting import decoded


class RowsRead:
    """Rows that can be used, in their canonical form."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.shape = loaded.shape or ""

    def __len__(self) -> int:
        return len(self.loaded)

    def __iter__(self) -> Iterator[Row]:
        return decoded(self.lines())

    @property
    def size(self) -> int:
        """Bytes of all lines, with their ends."""
        return self.loaded.end - self.loaded.start

    def lines(self) -> Iterator[bytes]:
        """Each row as a line of JSON, without its end."""
        return self.loaded.lines()

    def keys(self) -> Iterator[bytes]:
        """The digest of each row."""
        return keys(self.loaded)

    def index(self, row: int) -> int:
        """A row's number in its file, from 1."""
        return self.loaded.places.index(row)

    def line(self, row: int) -> int | None:
        """The line that a row starts on; None where all rows are on one line."""
        return None if self._on_one_line else self.loaded.places.line(row)

    def place(self, row: int) -> str:
        """`line 7`, or `row 7` where lines tell nothing."""
        return f"row {self.index(row)}" if self._on_one_line else f"line {self.line(row)}"

    @property
    def _on_one_line(self) -> bool:
        return self.loaded.places.on_one_line
