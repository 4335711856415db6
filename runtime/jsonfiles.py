"""Reading and writing JSON so that a crash at any moment leaves a file that can be read."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step: a reader sees the old text or the new one, never a part."""
    write_parts(path, [text.encode()])


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """As `write_text`, for bytes that come in parts.

    A link stays, and so does the mode of a file. What is there and is no file (a pipe, a device) is written to.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as out:
            out.writelines(parts)
        return
    path = Path(os.path.realpath(path))
    name = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as out:
            if path.exists():
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
            out.writelines(parts)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file in one step."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace a JSONL file in one step."""
    write_text(path, "".join(_line(row) for row in rows))


def append_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows to a JSONL file with one write; a half-written last line of a dead writer is closed first."""
    text = "".join(_line(row) for row in rows)
    if not text:
        return
    with path.open("ab+") as out:
        if out.tell() and not _ends_with_newline(out.fileno(), out.tell()):
            text = "\n" + text
        out.write(text.encode())


def read_json(path: Path) -> Any | None:
    """The value in a JSON file, or None if it is missing or cut off."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file. A line that is no JSON object was cut off by a crash, and is passed over."""
    try:
        raw = path.read_bytes()
    except OSError:
        return
    yield from parse_lines(raw)


def parse_lines(raw: bytes) -> Iterator[dict[str, Any]]:
    """The rows in a piece of a JSONL file, which ends at a line's end."""
    for line in raw.split(b"\n"):
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n"


def _ends_with_newline(handle: int, size: int) -> bool:
    return os.pread(handle, 1, size - 1) == b"\n"
