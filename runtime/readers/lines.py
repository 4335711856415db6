"""Lines of a file in blocks, with a limit to their length, and one line decoded strictly, with the place of a flaw."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from ...spec.rows.strictjson import Decoder, Flaw
from ..raw import Raw, not_object, skip_space, too_long
from .base import BLOCK


def blocks(file: BufferedReader, limit: int, length: int = sys.maxsize) -> Iterator[list[bytes]]:
    """The lines of a file, or of its next bytes, without their ends, some at a time.

    Of a line over the limit, its first limit + 1 bytes.
    """
    carry: list[bytes] = []  # parts of a line whose end is not read yet
    held = 0
    while data := file.read1(min(BLOCK, length)):  # `read` would lose what comes before damage
        length -= len(data)
        first = data.find(b"\n")
        if first < 0:
            if held <= limit:
                carry.append(data[: limit + 1 - held])
                held += len(carry[-1])
            continue
        last = data.rfind(b"\n")
        lines = data[:last].split(b"\n")
        if carry:
            lines[0] = b"".join((*carry, lines[0][: limit + 1 - held]))
        if limit < BLOCK:
            lines = [line[: limit + 1] for line in lines]
        carry = [data[last + 1 :][: limit + 1]] if last + 1 < len(data) else []
        held = len(carry[0]) if carry else 0
        yield lines
    if carry:
        yield [b"".join(carry)]


def read_line(line: bytes, number: int, index: int, limit: int) -> tuple[Raw, dict[str, Any] | Flaw]:
    """A line that is not blank, as a row or a flaw."""
    if len(line) > limit:
        return Raw(index, number, line[:96].decode(errors="replace")), too_long("line", limit)
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        return Raw(index, number, line.decode(errors="replace").rstrip("\r\n")), _not_utf8(line, error)
    start = skip_space(text, 0)
    value, end = _decode(text, start)
    return Raw(index, number, text), _line_value(value, text, start, end)


_decode = Decoder().decode


def _line_value(value: Any, text: str, start: int, end: int | None) -> dict[str, Any] | Flaw:
    if isinstance(value, Flaw):
        if value.code == "TF306" and text.strip() in ("{", "["):
            hint = "in a .jsonl file each line is one whole object; a list of rows belongs in a .json file"
            return Flaw(value.code, start, start + 1, "broken JSON: the line ends inside a value", hint)
        return value
    if end is not None and (rest := skip_space(text, end)) < len(text):
        message = "broken JSON: there is more after the end of the value"
        return Flaw("TF306", rest, len(text), message, "each line holds one object")
    return value if isinstance(value, dict) else not_object(value, start)


def _not_utf8(line: bytes, error: UnicodeDecodeError) -> Flaw:
    col = len(line[: error.start].decode(errors="replace"))
    message = f"not UTF-8: byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
    return Flaw("TF305", col, col + 1, message, "is it Windows-1252? iconv -f WINDOWS-1252 -t UTF-8")
