"""Lines of large files converted by several processes, this one among them; outcomes come in the order of the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from .blocks import Done, How, convert_block
from .readers.lines import blocks

WORTH = 32 * 2**20  # bytes of a file below which a process takes longer to start than it saves
SIZE = 4 * 2**20  # bytes of a file that a process takes at once
_AHEAD = 2  # such parts that wait for each process
_HELD = 16  # parts that may be done before their turn


@dataclass(frozen=True)
class Part:
    """Some whole lines of a file."""

    path: Path
    start: int
    end: int

    def convert(self, how: How, unseen: frozenset[str]) -> list[Done]:
        """The outcome of its lines, some at a time."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return [convert_block(lines, how, unseen) for lines in blocks(file, how.limit, self.end - self.start)]


def converted(
    path: Path, start: int, end: int, how: How, unseen: frozenset[str], workers: int
) -> Iterator[tuple[int, Done]]:
    """Outcomes of the lines between two bytes of a file, each with the byte up to which the file is done then."""
    parts = _parts(path, start, end)
    ahead: deque[tuple[Part, list[Done] | Future[list[Done]]]] = deque()
    with ProcessPoolExecutor(workers - 1, mp_context=get_context("spawn")) as pool:
        while True:
            while sum(_runs(found) for _, found in ahead) < _AHEAD * (workers - 1) and (part := next(parts, None)):
                ahead.append((part, pool.submit(part.convert, how, unseen)))
            if not ahead:
                return
            if _runs(ahead[0][1]) and len(ahead) < _HELD and (part := next(parts, None)):
                ahead.append((part, part.convert(how, unseen)))
                continue
            part, found = ahead.popleft()
            for done in _result(found):
                yield part.end, done


def _result(found: list[Done] | Future[list[Done]]) -> list[Done]:
    try:
        return found.result() if isinstance(found, Future) else found
    except BrokenProcessPool:
        raise OSError("a process that read it was ended; is memory short? `--workers 1` needs less") from None


def _runs(found: list[Done] | Future[list[Done]]) -> bool:
    return isinstance(found, Future) and not found.done()


def _parts(path: Path, start: int, end: int) -> Iterator[Part]:
    """Parts of whole lines, about equally long."""
    with path.open("rb") as file:
        while start < end:
            until = _line_end(file, start + SIZE, end)
            yield Part(path, start, until)
            start = until


def _line_end(file: BinaryIO, at: int, end: int) -> int:
    """Where the line that holds a byte ends."""
    file.seek(at)
    while at < end and (data := file.read(2**16)):
        if (found := data.find(b"\n")) >= 0:
            return min(at + found + 1, end)
        at += len(data)
    return end
