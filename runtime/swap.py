"""Folders that are written anew: all of several or none. What users and runs keep in them moves along.

A folder `name` is written in `.name.writing-<random>/new`, and the old one waits in `old` beside it until all are in
their places. What a crash leaves of that is put right by the next writing.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

_NEW, _OLD = "new", "old"
_PATIENCE = 60.0  # seconds that another writing may take

Ours = Callable[[Path], Collection[str]]
"""The files of a folder that we have written or keep there, relative to it, with forward slashes."""


@contextmanager
def replacing(ours: Ours) -> Iterator[Replacing]:
    """Folders to write anew; they are swapped in where the block ends without an error."""
    with ExitStack() as locks:
        found = Replacing(ours, locks)
        try:
            yield found
            found.swap()
        finally:
            found.discard()


class Replacing:
    """Folders that are swapped in together. `locks` keep others from writing beside them meanwhile."""

    def __init__(self, ours: Ours, locks: ExitStack) -> None:
        self._ours, self._locks = ours, locks
        self._locked: set[Path] = set()
        self._staged: list[tuple[Path, Path]] = []  # what is beside a folder while it is written, and the folder

    def stage(self, folder: Path) -> Path:
        """An empty folder that takes the place of `folder` at the end."""
        self._lock(folder.parent)
        for left in folder.parent.glob(f".{folder.name}.writing-*"):
            self._recover(left, folder)
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.writing-", dir=folder.parent))
        self._staged.append((beside, folder))
        (beside / _NEW).mkdir()
        return beside / _NEW

    def swap(self) -> None:
        """Put every staged folder in its place, or none."""
        try:
            for beside, folder in self._staged:
                if folder.exists():
                    folder.rename(beside / _OLD)
                (beside / _NEW).rename(folder)
        except BaseException:
            for beside, folder in reversed(self._staged):
                _undo(beside, folder)
            raise
        for beside, folder in self._staged:
            self._keep(beside, folder)

    def discard(self) -> None:
        """Remove what was not swapped in. An old folder that could not be emptied waits for the next writing."""
        for beside, _ in self._staged:
            shutil.rmtree(beside / _NEW, ignore_errors=True)
            with suppress(OSError):
                beside.rmdir()

    def _lock(self, parent: Path) -> None:
        if parent not in self._locked:
            parent.mkdir(parents=True, exist_ok=True)
            lock = parent / ".writing.lock"
            self._locks.enter_context(FileLock(lock, timeout=_PATIENCE))
            self._locks.callback(lock.unlink, missing_ok=True)  # before it is let go of
            self._locked.add(parent)

    def _recover(self, beside: Path, folder: Path) -> None:
        """An earlier writing was cut short, before or after the new folder was in its place."""
        if (beside / _OLD).exists() and not folder.exists():
            (beside / _OLD).rename(folder)
        self._keep(beside, folder)

    def _keep(self, beside: Path, folder: Path) -> None:
        old = beside / _OLD
        if old.exists():
            _carry(old, folder, {*self._ours(old)} - {*self._ours(folder)})
        shutil.rmtree(beside, ignore_errors=True)


def _undo(beside: Path, folder: Path) -> None:
    if not (beside / _NEW).exists():
        folder.rename(beside / _NEW)
    if (beside / _OLD).exists():
        (beside / _OLD).rename(folder)


def _carry(old: Path, new: Path, gone: Collection[str], at: str = "") -> None:
    """Move what is in `old` into `new`, but for what is gone and what is there already."""
    for entry in old.iterdir():
        name, there = f"{at}{entry.name}", new / entry.name
        if name in gone:
            continue
        mixed = there.is_dir() or any(path.startswith(f"{name}/") for path in gone)
        if mixed and entry.is_dir() and not entry.is_symlink():
            _carry(entry, there, gone, f"{name}/")
        elif not os.path.lexists(there):
            new.mkdir(parents=True, exist_ok=True)
            entry.rename(there)
