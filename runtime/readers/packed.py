"""Files packed with gzip or Zstandard, unpacked as they are read: in bounded memory, and up to a limit."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from .base import FileProblem, missing

FLOOR, RATIO = 2**30, 200  # a file may unpack to this many bytes, or to this many times its size
_PIECE = {"gzip": 2**16, "zstd": 2**10}  # a Zstandard block of 4 bytes can be 128 KiB; gzip's output can be cut
_PART = 2**20


class Unpacked(io.RawIOBase):
    """The bytes inside a packed file. Damage and bombs raise a FileProblem where they are met."""

    def __init__(self, file: BinaryIO, packing: str, size: int) -> None:
        self._file, self._packing, self._allowed = file, packing, max(FLOOR, RATIO * size)
        self._new, self._broken = _unpacker(packing)
        self._unpacker: Any = None  # of the part at hand; a file may be several, one after another
        self._input, self._ready, self._made, self._parts = b"", memoryview(b""), 0, 0
        self._damage: FileProblem | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, whole unless the file ends. What came before damage is given first."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view):
            try:
                piece = self._piece()
            except FileProblem as problem:
                self._damage = problem
                break
            if not piece:
                break
            part, self._ready = piece[: len(view) - filled], piece[len(view) - filled :]
            view[filled : filled + len(part)] = part
            filled += len(part)
        if self._damage and not filled:
            raise self._damage
        return filled

    def _piece(self) -> memoryview:
        """What is unpacked and not given yet; nothing at the end."""
        while not self._ready and not self._damage:
            data = self._more()
            if data is None:
                break
            self._ready = memoryview(data)
            self._made += len(data)
            if self._made > self._allowed:
                message = f"unpacks to more than {self._allowed // 2**20:,} MiB, which is no data file's size"
                raise FileProblem("TF335", message, "unpack it yourself if it really holds that much")
        return self._ready

    def _more(self) -> bytes | None:
        """The next bytes, perhaps none; None at the end."""
        if not self._input:
            self._input = self._file.read(_PIECE[self._packing])
        if not self._input and self._unpacker is None and self._parts:
            return None
        if not self._input and not self._waiting():
            raise FileProblem("TF335", f"is cut off: its {self._packing} data ends before its end mark")
        if self._unpacker is None:
            if self._parts and not self._input.strip(b"\0"):  # tapes and some programs pad with zeros
                self._input = b""
                return b""
            self._unpacker, self._parts = self._new(), self._parts + 1
        try:
            return self._unpack()
        except self._broken as error:
            raise FileProblem(
                "TF335", f"holds broken {self._packing} data: {error}", "copy or pack it again"
            ) from None

    def _waiting(self) -> bool:
        return bool(self._unpacker is not None and getattr(self._unpacker, "unconsumed_tail", b""))

    def _unpack(self) -> bytes:
        unpacker = self._unpacker
        if self._packing == "gzip":
            data = unpacker.decompress(self._input, _PART)
            self._input = unpacker.unconsumed_tail
        else:
            data, self._input = unpacker.decompress(self._input), b""
        if unpacker.eof:
            self._input, self._unpacker = unpacker.unused_data or self._input, None
        return bytes(data)


def _unpacker(packing: str) -> tuple[Callable[[], Any], type[Exception]]:
    if packing == "gzip":
        return lambda: zlib.decompressobj(31), zlib.error
    try:
        import zstandard
    except ImportError:
        raise missing("the package zstandard", "zstd", "Zstandard files") from None
    return zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj, zstandard.ZstdError
