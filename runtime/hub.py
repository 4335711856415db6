"""Rows from hub datasets, fetched in the trainer's environment, where `datasets` is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..spec.data import Source
from ..spec.diagnostics import RunError
from .failures import sentence, tail

# Arrow gives every key that any row has to all of them, as null; a null key is an absent one.
_FETCH = """
import json, sys
from datasets import load_dataset

def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(v) for key, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value

name, subset, split, revision, out = sys.argv[1:]
rows = load_dataset(name, subset or None, split=split, revision=revision or None)
with open(out, "w", encoding="utf-8", newline="\\n") as file:
    for row in rows:
        file.write(json.dumps(without_nulls(row)) + "\\n")
"""


def fetch(python: Path, source: Source, out: Path) -> None:
    """Write a hub dataset's rows as JSON lines. RunError with one sentence where it cannot be had."""
    assert source.id is not None
    arguments = [source.id, source.subset or "", source.split or "train", source.revision or "", str(out)]
    done = subprocess.run([str(python), "-c", _FETCH, *arguments], capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        why = sentence(done.returncode, done.stderr)
        raise RunError(f"the hub dataset `{source.id}` cannot be fetched: {why}", log_tail=tail(done.stderr))
