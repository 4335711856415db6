"""Rows of .parquet files, read by pyarrow a batch at a time: lists and structs are lists and objects."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from ...spec.rows.rowcheck import Where, place
from ...spec.rows.strictjson import DEPTH_LIMIT, Flaw
from ..raw import Raw
from .base import FileProblem, missing

_BATCH = 512  # rows
_GROUP = 2**32  # bytes of one row group


class ParquetReader:
    """Iterates over (Raw, row or Flaw)."""

    def __init__(self, path: Path) -> None:
        self._path, self.share, self.blank = path, 0.0, 0

    def __iter__(self) -> Iterator[tuple[Raw, dict[str, Any] | Flaw]]:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise missing("the package pyarrow", "parquet", "Parquet files") from None
        index = 0
        try:
            with parquet.ParquetFile(self._path) as file:
                _check_groups(file.metadata)
                total = file.metadata.num_rows
                for batch in file.iter_batches(batch_size=_BATCH):
                    for row in batch.to_pylist():
                        index += 1
                        yield Raw(index, index, "", form="parquet"), _row(row)
                    self.share = index / total if total else 1.0
        except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
            reason = " ".join(str(error).split())[:160]
            where = f" after row {index}" if index else ""
            raise FileProblem("TF335", f"is no Parquet file that can be read{where}: {reason}") from None


def _check_groups(metadata: Any) -> None:
    for number in range(metadata.num_row_groups):
        size = metadata.row_group(number).total_byte_size
        if size > _GROUP:
            message = f"has a row group of {size // 2**20:,} MiB, which does not fit into memory"
            raise FileProblem("TF335", message, "write it with smaller row groups (row_group_size=10_000)")


class _NoJson(Exception):
    def __init__(self, where: Where, what: str) -> None:
        self.where, self.what = where, what


def _row(row: dict[str, Any]) -> dict[str, Any] | Flaw:
    try:
        return {key: _value(value, (key,)) for key, value in row.items() if value is not None}
    except _NoJson as error:
        hint = "write null or a finite number" if "number" in error.what else "leave the column out, or make it text"
        return Flaw("TF338", 0, 1, f"`{place(error.where)}` holds {error.what}, which JSON has not", hint)


def _value(value: Any, where: Where) -> Any:
    """A value as JSON has it. Of an object, keys that are null are left out: Arrow gives each row every key."""
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise _NoJson(where, f"the number {value}")
    if len(where) > DEPTH_LIMIT:
        raise _NoJson(where[:3], f"values nested deeper than {DEPTH_LIMIT} levels")
    if isinstance(value, dict):
        return {key: _value(child, (*where, key)) for key, child in value.items() if child is not None}
    if isinstance(value, list):
        return [_value(child, (*where, i)) for i, child in enumerate(value)]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise _NoJson(where, "bytes" if isinstance(value, bytes) else f"a value of type {type(value).__name__}")
