"""Lines that are kept for later: in memory while they are few, then in a temporary file."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO

BLOCK = 2**16
_IN_MEMORY = 8 * 2**20


class Spool:
    """Takes bytes at its end, and gives ranges of them back. Its file has no name, and goes with it."""

    def __init__(self) -> None:
        self.size = 0
        self._tail = bytearray()  # what is not in the file
        self._file: IO[bytes] | None = None

    def add(self, data: bytes) -> None:
        """Append."""
        self.size += len(data)
        self._tail += data
        if len(self._tail) >= (BLOCK if self._file else _IN_MEMORY):
            if self._file is None:
                with ExitStack() as stack:
                    self._file = stack.enter_context(tempfile.TemporaryFile(prefix="tuneform-", buffering=0))
                    weakref.finalize(self, stack.pop_all().close)
            _write(self._file, self._tail)
            self._tail = bytearray()

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of a range, some at a time."""
        while start < end:
            data = self._read(start, min(BLOCK, end - start))
            start += len(data)
            yield data

    def lines(self, start: int, end: int) -> Iterator[list[bytes]]:
        """The lines of a range, with their ends, some at a time."""
        carry: list[bytes] = []  # parts of a line whose end is not read yet
        for block in self.blocks(start, end):
            whole = block.rfind(b"\n") + 1
            if whole:
                yield b"".join((*carry, block[:whole])).splitlines(keepends=True)  # they hold no other line end
                carry = []
            carry.append(block[whole:])

    def _read(self, start: int, length: int) -> bytes:
        stored = self.size - len(self._tail)
        if start >= stored:
            return bytes(self._tail[start - stored : start - stored + length])
        assert self._file is not None
        data = os.pread(self._file.fileno(), min(length, stored - start), start)
        if not data:
            raise OSError("the temporary file of rows is shorter than it was written")
        return data


def _write(file: IO[bytes], data: bytearray) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
