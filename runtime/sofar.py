"""How far several files are read, as one sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from .loaded import Source

Progress = Callable[[int, int, int], None]
"""Is told, many times, how many rows were read, how many bytes, and of how many."""

_TOLD_EVERY = 1000  # rows


class SoFar:
    """Sums what was read of several files."""

    def __init__(self, files: Sequence[Source], progress: Progress | None) -> None:
        self._progress = progress
        self._total = sum(map(size_of, files)) if progress else 0
        self._rows = self._bytes = self._here = 0

    def told(self, rows: int, position: int) -> None:
        """So much was read of the file at hand."""
        self._here = rows
        if self._progress:
            self._progress(self._rows + rows, min(self._bytes + position, self._total), self._total)

    def next(self, file: Source) -> None:
        """A file was read."""
        self._rows, self._here = self._rows + self._here, 0
        if self._progress:
            self._bytes += size_of(file)
            self._progress(self._rows, min(self._bytes, self._total), self._total)


def size_of(source: Source) -> int:
    """Bytes of a source's file; 0 where it cannot be told."""
    try:
        return source.path.stat().st_size
    except (OSError, ValueError):
        return 0


def watched(lines: Iterable[bytes], size: int, progress: Progress | None) -> Iterator[bytes]:
    """The lines as they are, of so many bytes with their ends; now and then it is told how far they went."""
    done = 0
    for rows, line in enumerate(lines):
        if progress and rows % _TOLD_EVERY == 0:
            progress(rows, done, size)
        done += len(line) + 1
        yield line
