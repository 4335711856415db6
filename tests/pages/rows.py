"""A row of each format, for the page of the language; a test reads each as Tuneform does."""

from __future__ import annotations

import json
from typing import Any

from tuneform.spec.rows.shapes import SHAPES, methods_for

from .markdown import code, table

TITLE = "Rows"
ABOUT = """
A data file is `.jsonl` (one JSON object a line), `.json` (one list of objects), `.csv` or `.tsv`, each also packed as
`.gz` or `.zst`, or `.parquet`; Zstandard and Parquet need `pip install 'tuneform[zstd,parquet]'`. A `path` may also be a
folder, read with its folders, or a pattern such as `data/**/*.jsonl`; files are taken in order of their names. In
tables every value is a text, an empty cell is no value, and a list such as `messages` stands in its cell as JSON. The
same rows give the same data, byte for byte, whatever file they come from.

`format: auto` tells from the method and the keys what rows are; a hub dataset's format must be said. Other names of
keys are mapped with `columns: {prompt: question}`. ShareGPT conversations (`from` and `value`) are read as chats.
"""

_BLOCKS = {"role": "user", "content": [{"text": "2+2?"}]}
_PARTS = {"role": "user", "parts": [{"text": "2+2?"}]}
_MODEL = {"role": "model", "parts": [{"text": "4"}]}

# Format -> a row of it. The spelling is ours; each is the shortest whole row.
ROWS: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]},
    "instruction": {"instruction": "Add.", "input": "2 and 2", "output": "4"},
    "prompt_completion": {"prompt": "2+2=", "completion": "4"},
    "text": {"text": "Two and two is four."},
    "preference": {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    "unpaired_preference": {"prompt": "2+2?", "completion": "4", "label": True},
    "prompt": {"prompt": "2+2?", "answer": "4"},
    "converse": {
        "schemaVersion": "bedrock-conversation-2024",
        "messages": [_BLOCKS, {"role": "assistant", "content": [{"text": "4"}]}],
    },
    "converse_preference": {
        "schemaVersion": "bedrock-conversation-2024",
        "messages": [
            _BLOCKS,
            {
                "role": "assistant",
                "candidates": [
                    {"content": [{"text": "4"}], "preferenceLabel": "preferred"},
                    {"content": [{"text": "5"}], "preferenceLabel": "non-preferred"},
                ],
            },
        ],
    },
    "gemini": {"contents": [_PARTS, _MODEL]},
    "gemini_preference": {
        "contents": [_PARTS],
        "completions": [
            {"score": 1, "completion": _MODEL},
            {"score": 0, "completion": {"role": "model", "parts": [{"text": "5"}]}},
        ],
    },
    "gemini_prompt": {"contents": [_PARTS], "references": {"answer": "4"}},
}


def section() -> str:
    """The table of formats."""
    rows = [
        (code(name), code(json.dumps(row)), ", ".join(map(code, methods_for(SHAPES[name]))))
        for name, row in ROWS.items()
    ]
    note = (
        "Texts of `prompt`, `chosen`, `rejected` and `completion` may be lists of messages instead. With `prompt`, the "
        "other columns are there for `rewards`. A chat may have `tools`, and a message `weight: 0` where it is read "
        "and not trained. `converse` rows are those of Amazon Bedrock, `gemini` rows those of Vertex AI; what `prompt` "
        "has beside its question, `gemini_prompt` has in `references`."
    )
    return "\n\n".join([ABOUT.strip(), table(("format", "a row", "methods"), rows), note])
