"""Canonical rows as bytes: one JSON line each, the same for the same rows wherever they came from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ..spec.rows.rowcheck import Row

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False).encode
_BREAKS = re.compile("[\x85\u2028\u2029]")  # control characters are escaped by JSON itself


def encode(row: Row) -> bytes:
    """A canonical row as one line, without its end. No character in it ends a line for any reader."""
    text = _compact(row)
    if not text.isascii() and _BREAKS.search(text):
        text = _BREAKS.sub(lambda m: f"\\u{ord(m[0]):04x}", text)
    return text.encode()


class Rows:
    """Rows of one split, in order. Held as lines: about as large as the file, and written as they are."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Row]:
        return map(json.loads, self.lines)

    @cached_property
    def sha256(self) -> str:
        """Digest of the rows, which is also that of the file that `write` makes."""
        digest = hashlib.sha256()
        for line in self.lines:
            digest.update(line)
            digest.update(b"\n")
        return digest.hexdigest()

    def write(self, path: Path) -> dict[str, int | str]:
        """Write the rows as JSON lines; returns what a manifest says of the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(part for line in self.lines for part in (line, b"\n"))
        return {"rows": len(self.lines), "sha256": self.sha256}
