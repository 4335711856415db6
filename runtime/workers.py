"""Blocks of lines converted by several processes, for large files; outcomes come in the order of the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from .blocks import Done, How, convert_block
from .readers.base import FileProblem

WORTH = 32 * 2**20  # bytes of a file below which processes take longer to start than they save
_AHEAD = 3  # blocks for each process that may wait

Outcome = tuple[list[bytes], Done]


def converted(
    blocks: Iterator[list[bytes]], how: How, unseen: frozenset[str], workers: int, size: int
) -> Iterator[Outcome]:
    """Each block with its outcome, which does not depend on the number of processes."""
    if workers < 2 or size < WORTH:
        return ((lines, convert_block(lines, how, unseen)) for lines in blocks)
    return _in_processes(blocks, how, unseen, workers)


def _in_processes(blocks: Iterator[list[bytes]], how: How, unseen: frozenset[str], workers: int) -> Iterator[Outcome]:
    waiting: deque[tuple[list[bytes], Future[Done]]] = deque()
    problem: FileProblem | None = None
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for lines in blocks:
                waiting.append((lines, pool.submit(_convert, b"\n".join(lines), how, unseen)))
                if len(waiting) >= _AHEAD * workers:
                    lines, future = waiting.popleft()
                    yield lines, future.result()
        except FileProblem as found:  # what came before is told first
            problem = found
        while waiting:
            lines, future = waiting.popleft()
            yield lines, future.result()
    if problem:
        raise problem


def _convert(data: bytes, how: How, unseen: frozenset[str]) -> Done:
    return convert_block(data.split(b"\n"), how, unseen)
