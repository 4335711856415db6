"""Where the rows of a source stood, in little memory: rows that follow each other evenly are one entry."""

from __future__ import annotations

from array import array
from bisect import bisect_right


class Places:
    """For each row, in order: the line it starts on, and its number among the rows of its file."""

    def __init__(self) -> None:
        self.count = 0
        self.numbered = False  # a file without lines
        self._rows, self._lines, self._indices, self._steps = array("Q"), array("Q"), array("Q"), array("Q")

    def add(self, line: int, index: int, count: int = 1) -> None:
        """Add rows: each on the line after the one before."""
        if self._rows and self._follows(line, index, count):
            self.count += count
        elif count:
            for part, value in zip(self._parts, (self.count, line, index, 1 if count > 1 else 0), strict=True):
                part.append(value)
            self.count += count

    def line(self, row: int) -> int:
        """The line of a row, counted from 0 among these."""
        run = bisect_right(self._rows, row) - 1
        return int(self._lines[run] + self._steps[run] * (row - self._rows[run]))

    def index(self, row: int) -> int:
        """The number of a row in its file, from 1."""
        run = bisect_right(self._rows, row) - 1
        return int(self._indices[run] + row - self._rows[run])

    @property
    def on_one_line(self) -> bool:
        """Whether there are several rows, and all on one line, or no lines at all, so that lines tell nothing."""
        return self.numbered or (self.count > 1 and self.line(0) == self.line(self.count - 1))

    @property
    def _parts(self) -> tuple[array[int], ...]:
        return self._rows, self._lines, self._indices, self._steps

    def _follows(self, line: int, index: int, count: int) -> bool:
        """Whether rows go on as the last run does; a run of one row takes any distance of lines."""
        length = self.count - self._rows[-1]
        step = (line - self._lines[-1]) if length == 1 else self._steps[-1]
        fits = index == self._indices[-1] + length and line == self._lines[-1] + step * length
        if not fits or (count > 1 and step != 1):
            return False
        self._steps[-1] = step
        return True
