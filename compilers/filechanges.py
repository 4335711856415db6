"""What differs between the files of two bundles. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff

from .base import Bundle


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs: lines added and removed, and the unified diff."""

    path: str
    added: int
    removed: int
    diff: str


def changed_files(before: Bundle, after: Bundle) -> tuple[FileChange, ...]:
    """The files that differ, in the order of the bundles."""
    one, two = ({file.path: file.text for file in bundle.files} for bundle in (before, after))
    paths = dict.fromkeys([*one, *two])
    return tuple(_change(p, one.get(p, ""), two.get(p, "")) for p in paths if one.get(p) != two.get(p))


def _change(path: str, before: str, after: str) -> FileChange:
    found = list(unified_diff(before.splitlines(True), after.splitlines(True), f"before/{path}", f"after/{path}", n=1))
    added = sum(line.startswith("+") for line in found[2:])
    removed = sum(line.startswith("-") for line in found[2:])
    text = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)
    return FileChange(path, added, removed, text)
