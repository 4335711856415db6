"""Hidden folders beside the runs to compile into; they become runs, or go."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from .rundir import LOCK

_PREFIX = ".new-"
_ABANDONED = 60.0  # seconds after which a folder that nobody holds belongs to nobody


class Staging:
    """One folder for each stage, each with the lock of a run: nobody takes a run before it is whole."""

    def __init__(self, runs: Path, locks: ExitStack) -> None:
        self._runs, self._locks, self._token = runs, locks, secrets.token_hex(4)
        self._made = not runs.exists()
        self._folders: list[Path] = []

    def bundle(self, stage: str | None) -> Path:
        """Where a stage's bundle goes: as deep as it will lie in its run."""
        folder = self._runs / f"{_PREFIX}{self._token}{f'-{stage}' if stage else ''}"
        if folder not in self._folders:
            folder.mkdir(parents=True)
            self._folders.append(folder)
            self._locks.enter_context(FileLock(folder / LOCK))
        return folder / "bundle"

    def remove(self) -> None:
        """Take away what did not become a run."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        if self._made:
            with suppress(OSError):  # there is a run in it
                self._runs.rmdir()


@contextmanager
def staging(runs: Path) -> Iterator[Staging]:
    """Folders to compile into; gone afterwards unless they became runs."""
    _sweep(runs)
    with ExitStack() as locks:
        found = Staging(runs, locks)
        try:
            yield found
        finally:
            found.remove()


def _sweep(runs: Path) -> None:
    """Remove what a Tuneform left that was ended while it compiled."""
    for folder in runs.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                with FileLock(folder / LOCK, timeout=0):
                    shutil.rmtree(folder)
