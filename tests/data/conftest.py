"""Reading small files in one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneform.runtime.data import DataRequest, DataResult, Source, read_data
from tuneform.spec.diagnostics import Level, Span

Read = Callable[..., DataResult]
AT = Span("spec.yaml", 7, 10, 20)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write content (bytes, text, or rows) as a data file and read it back as training data."""

    def run(
        content: Any, name: str = "train.jsonl", columns: Any = None, format: str = "auto", **more: Any
    ) -> DataResult:
        path = tmp_path / name
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_data(DataRequest(train=[Source(path, name, format, columns or {}, span=AT)], **more))

    return run


def errors(result: DataResult) -> list[tuple[str, int]]:
    """Code and line of each error."""
    return [(d.code, d.span.line if d.span else 0) for d in result.diagnostics if d.level is Level.ERROR]


def codes(result: DataResult, level: Level) -> list[str]:
    """Codes of one level."""
    return [d.code for d in result.diagnostics if d.level is level]
