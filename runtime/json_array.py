"""Rows out of a .json file that holds one list, through a window, so that its size does not matter."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..spec.rows.strictjson import UNCLOSED, Decoder, Flaw
from .raw import Raw, not_object, skip_space, too_long

CHUNK = 2**20
_TAIL = 16  # a token that the window's end cuts is shorter
_EXCERPT = 100_000  # characters of a line that are kept for messages


class _Window:
    """The part of the file that is being read. Positions are offsets in `text`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._decoder = file, codecs.getincrementaldecoder("utf-8")()
        self.text, self.cut, self.ended, self.bad_byte = "", 0, False, b""
        self._line, self._counted = 1, 0

    def line(self, at: int) -> int:
        """The line number of a position that is not before the last one asked for."""
        self._line += self.text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def fill(self, at: int) -> int:
        """Let go of what is before `at`, read on, and return where `at` is now."""
        self.line(at)
        start = self.text.rfind("\n", 0, at) + 1
        drop = start if at - start < _EXCERPT else at
        self.cut = drop - start + (self.cut if start == 0 else 0)
        self._counted -= drop
        data = self._file.read(max(CHUNK, len(self.text) - drop))
        self.text = self.text[drop:] + self._decode(data)
        return at - drop

    def skip(self, at: int) -> int:
        """The next position that is no white space."""
        while (at := skip_space(self.text, at)) == len(self.text) and not self.ended:
            at = self.fill(at)
        return at

    def cuts(self, flaw: Flaw) -> bool:
        """Whether the value may only look broken because the window ends in it."""
        return flaw.code == "TF306" and (UNCLOSED in flaw.message or flaw.start > len(self.text) - _TAIL)

    def _decode(self, data: bytes) -> str:
        self.ended = not data
        try:
            return self._decoder.decode(data, final=self.ended)
        except UnicodeDecodeError as error:
            self.ended, self.bad_byte = True, error.object[error.start : error.start + 1]
            return error.object[: error.start].decode()


class ArrayReader:
    """Iterates over (Raw, row or Flaw); `complete` turns false where no further row can be found."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.complete = True
        self._window, self._limit = _Window(file), limit
        self._decode = Decoder().decode

    def __iter__(self) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        window, index = self._window, 0
        at = window.skip(window.skip(0) + 1)
        closed = window.text.startswith("]", at)
        while not closed and self.complete:
            index += 1
            value, at, end = self._value(at)
            self.complete = end is not None
            yield self._raw(index, at), value if isinstance(value, dict | Flaw) else not_object(value, at)
            if end is not None:
                at = window.skip(end)
                closed = window.text.startswith("]", at)
                if closed or window.text.startswith(",", at):
                    at = window.skip(at + 1)
                else:
                    yield self._stop(index, at, "a comma or `]` is expected here")
        if self.complete and (at := window.skip(at + (index == 0))) < len(window.text):
            yield self._stop(index + 1, at, "there is more after the end of the list")

    def _value(self, at: int) -> tuple[Any, int, int | None]:
        """The value at `at`, where it starts now, and where it ends."""
        window = self._window
        while True:
            value, end = self._decode(window.text, at)
            whole = not window.cuts(value) if isinstance(value, Flaw) and end is None else end != len(window.text)
            if whole:
                return value, at, end
            if window.ended:
                return self._at_end(value, at, end)
            if len(window.text) - at > self._limit:
                return too_long("row", self._limit, at), at, None
            at = window.fill(at)

    def _at_end(self, value: Any, at: int, end: int | None) -> tuple[Any, int, int | None]:
        if self._window.bad_byte:
            return self._not_utf8(), at, None
        return value, at, end

    def _not_utf8(self) -> Flaw:
        end = len(self._window.text)
        hint = "is it Windows-1252? iconv -f WINDOWS-1252 -t UTF-8"
        return Flaw("TF305", end, end + 1, f"not UTF-8: byte 0x{self._window.bad_byte.hex()}", hint)

    def _stop(self, index: int, at: int, what: str) -> tuple[Raw, Flaw]:
        self.complete = False
        if self._window.bad_byte:
            return self._raw(index, at), self._not_utf8()
        return self._raw(index, at), Flaw("TF306", at, at + 1, f"broken JSON: {what}")

    def _raw(self, index: int, at: int) -> Raw:
        line = self._window.line(at)
        crowded = line == 1 and index > 1
        return Raw(index, line, self._window.text, at, self._window.cut, crowded=crowded)
