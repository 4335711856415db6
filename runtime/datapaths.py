"""Folders and patterns of data files: each of their files is read as a source of its own, in order of their names."""

from __future__ import annotations

import glob
import os
from dataclasses import replace
from pathlib import Path

from ..spec.diagnostics import Level
from ..spec.rows.rowcheck import listed, quoted
from .loaded import Source
from .problems import Place, Problems
from .readers.base import form_of

_MAGIC = frozenset("*?[")


def is_many(path: Path) -> bool:
    """Whether a path is a folder or a pattern, and no file of that name."""
    try:
        return path.is_dir() or (not path.exists() and bool(_MAGIC & {*str(_pattern(path)[1])}))
    except (OSError, ValueError):
        return False


def present(source: Source) -> bool:
    """Whether the file is there, or a file of the folder or pattern."""
    if not is_many(source.path):
        return source.path.exists()
    try:
        return bool(_existing(source, _found(source.path)))
    except OSError:
        return True  # reading it will say what is wrong


def expand(source: Source, place: Place, problems: Problems) -> list[Source]:
    """The files of a source, each as a source; none, and a problem, where there are none."""
    if not is_many(source.path):
        return [source]
    try:
        found, folder = _found(source.path), source.path.is_dir()
    except OSError as error:
        message = f"{quoted(source.shown)} cannot be read: {error.strerror or error}"
        problems.source(place, "TF302", Level.ERROR, message)
        return []
    files = [path for path in found if form_of(path)] if folder else found
    if folder and len(files) < len(found):
        names = listed(_below(path, source.path) for path in found if path not in {*files})
        message = f"files of the folder {quoted(source.shown)} that are no data files, and are not read: {names}"
        problems.source(place, "TF339", Level.NOTE, message)
    existing = _existing(source, files)
    if not existing:
        what = "the folder" if folder else "the pattern"
        message = f"{what} {quoted(source.shown)} {'holds' if folder else 'finds'} no data file"
        hint = "read are .jsonl, .json, .csv, .tsv (also with .gz or .zst), and .parquet"
        problems.source(place, "TF301", Level.ERROR, message, hint)
    return existing


def _existing(source: Source, files: list[Path]) -> list[Source]:
    """Each file as a source. At an earlier revision (`at`), files that came later are none."""
    sources = [
        replace(source, path=Path(source.at(str(path))), shown=_shown(source, path), named=path) for path in files
    ]
    return [one for one in sources if source.at is str or one.path.exists()]


def _shown(source: Source, path: Path) -> str:
    """A file as the user would write it: under the folder that the source names, or in place of its pattern."""
    if source.path.is_dir():
        return f"{source.shown.rstrip('/')}/{_below(path, source.path)}"
    folder, pattern = _pattern(source.path)
    above = source.shown.split("/")[: -len(pattern.parts)]  # its parts are the last of what the user wrote, too
    return "/".join([*above, _below(path, folder)])


def _pattern(path: Path) -> tuple[Path, Path]:
    """The folder where a pattern starts, and the pattern. Folders that are there have no pattern in their names."""
    folder = next(parent for parent in path.parents if parent.is_dir())
    return folder, path.relative_to(folder)


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _found(path: Path) -> list[Path]:
    """All files of a folder, or of a pattern; hidden ones are left out, as shells do."""
    if path.is_dir():
        found = []
        for folder, folders, names in os.walk(path, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [Path(folder, name) for name in names if not name.startswith(".")]
    else:
        start, pattern = _pattern(path)
        found = [start / name for name in glob.glob(str(pattern), root_dir=start, recursive=True)]
        found = [file for file in found if not file.is_dir()]
    return sorted(found, key=lambda file: file.as_posix())


def _raise(error: OSError) -> None:
    raise error
