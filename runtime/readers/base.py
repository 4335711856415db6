"""What readers share: the problem of a file as a whole, what a file's name says, and limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LIMIT = 64 * 2**20  # bytes of one line or row
BLOCK = 2**16  # bytes that are read at once; the rows of larger ones cost page faults, and a quarter of the speed
LINES = (".jsonl", ".ndjson", ".jsonlines")
TABLES = {".csv": ",", ".tsv": "\t"}
FORMS = (*LINES, ".json", *TABLES, ".parquet")
PACKED = {".gz": "gzip", ".zst": "zstd"}


class FileProblem(Exception):
    """The file as a whole cannot be read, or not to its end: then `line` is where reading stopped."""

    def __init__(self, code: str, message: str, hint: str | None = None, line: int | None = None) -> None:
        self.code, self.message, self.hint, self.line = code, message, hint, line
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Form:
    """What a file's name says: the suffix of its form, and how it is packed."""

    suffix: str
    packing: str | None


def form_of(path: Path) -> Form | None:
    """The form of a data file; None if the name is of no data file."""
    name = path.name.lower()
    packing = next((kind for suffix, kind in PACKED.items() if name.endswith(suffix)), None)
    if packing:
        name = name.rpartition(".")[0]
    suffix = next((form for form in FORMS if name.endswith(form)), None)
    if suffix is None or (packing and suffix == ".parquet"):
        return None
    return Form(suffix, packing)


def missing(package: str, extra: str, what: str) -> FileProblem:
    """The problem of an optional package that is not installed."""
    return FileProblem("TF336", f"needs {package} to read {what}", f"pip install 'tuneform[{extra}]'")
