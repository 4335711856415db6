"""Converted files are loaded by the trainers' own loaders, and what they make of them is what the rows say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer

from tuneform.runtime.cli import main

pytestmark = pytest.mark.trainer
HERE = Path(__file__).parent
Row = dict[str, Any]
Loaded = dict[str, list[Row]]

# A template that marks what the assistant writes, as TRL wants it for its own masks.
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ message.content }}<|im_end|>{% endif %}\n\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
END, OPEN = "<|im_end|>", "<|im_start|>assistant\n"


def said(*texts: str, system: str = "") -> list[Row]:
    turns = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]
    return [{"role": "system", "content": system}, *turns] if system else turns


CHATS = [said("2+2?", "yes 4", "Sure?", "Yes.", system="Be terse."), said('Say "é"\nnow', "é – now\n\n日本")]
PLAIN = [("The answer is", " no"), ("Q: é\nA:", " “E”")]
TEXTS = ["A lamp.\nTwo é", "one"]
PAIRS = [
    (said("2+2?"), "4", "5"),
    (said("a", "b", "c", system="S"), "yes", "no"),
]
JUDGED = [("2+2?", " 5", False), ("Is it late?", " yes", True)]
ASKED = [(said("2+2?"), "4"), (said("é"), "e")]

# shape -> rows in another form than the one that trainers take, and the method they are for
SOURCES: dict[str, tuple[list[Row], str]] = {
    "chat": (
        [
            {
                "conversations": [
                    {"from": {"user": "human", "assistant": "gpt"}.get(m["role"], m["role"]), "value": m["content"]}
                    for m in messages
                ]
            }
            for messages in CHATS
        ],
        "sft",
    ),
    "prompt_completion": ([{"prompt": p, "completion": c} for p, c in PLAIN], "sft"),
    "text": ([{"text": text} for text in TEXTS], "sft"),
    "preference": (
        [
            {
                "input": {"messages": prompt},
                "preferred_output": [{"role": "assistant", "content": good}],
                "non_preferred_output": [{"role": "assistant", "content": bad}],
            }
            for prompt, good, bad in PAIRS
        ],
        "dpo",
    ),
    "unpaired_preference": ([{"prompt": p, "completion": c, "label": label} for p, c, label in JUDGED], "kto"),
    "prompt": ([{"messages": messages, "answer": answer} for messages, answer in ASKED], "grpo"),
}


def chatml(messages: list[Row]) -> str:
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}{END}\n" for m in messages)


def answers(messages: list[Row]) -> list[str]:
    return [m["content"] + END for m in messages if m["role"] == "assistant"]


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with the template, and for each trainer a folder of converted files."""
    root = tmp_path_factory.mktemp("loaders")
    for trainer in ("trl", "axolotl", "unsloth"):
        place = root / trainer
        shutil.copytree(tiny_model, place / "model")
        (place / "model" / "chat_template.jinja").write_text(TEMPLATE)
        for shape, (rows, method) in SOURCES.items():
            source = root / f"{shape}.jsonl"
            source.write_text("".join(json.dumps(row) + "\n" for row in rows))
            asked = ["data", "convert", str(source), "--to", trainer, "-o", str(place / f"{shape}.jsonl")]
            more = ["--method", method] if shape == "prompt" else []
            done = CliRunner().invoke(main, [*asked, *more])
            assert done.exit_code == 0, done.output
    return root


def loaded(python: str, trainer: str, folder: Path) -> Loaded:
    quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1"}
    quiet |= {"AXOLOTL_DO_NOT_TRACK": "1", "UNSLOTH_DISABLE_STATISTICS": "1"}
    command = [python, str(HERE / "probe_loaders.py"), trainer, str(folder / trainer)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | quiet, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    found: Loaded = json.loads((folder / trainer / f"{trainer}.json").read_text())
    return found


class Reader:
    """Token ids as text again; a byte-level tokenizer loses nothing."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "trl" / "model" / "tokenizer.json"))

    def text(self, ids: list[int]) -> str:
        found: str = self._tokenizer.decode(ids, skip_special_tokens=False)
        return found

    def trained(self, row: Row) -> list[str]:
        """What has labels, as runs of text; each label is the token itself."""
        pairs = list(zip(row["input_ids"], row["labels"], strict=True))
        assert all(label in (-100, token) for token, label in pairs)
        runs: Iterator[tuple[bool, Any]] = groupby(pairs, key=lambda pair: pair[1] != -100)
        return [self.text([token for token, _ in run]) for has, run in runs if has]


@pytest.fixture(scope="module")
def reader(folder: Path) -> Reader:
    return Reader(folder)


@pytest.fixture(scope="module")
def trl(trl_python: str, folder: Path) -> Loaded:
    return loaded(trl_python, "trl", folder)


@pytest.fixture(scope="module")
def axolotl(axolotl_python: str, folder: Path) -> Loaded:
    return loaded(axolotl_python, "axolotl", folder)


@pytest.fixture(scope="module")
def unsloth(unsloth_python: str, folder: Path) -> Loaded:
    return loaded(unsloth_python, "unsloth", folder)


def test_trl_tokenizes_chats_and_texts_as_they_are(trl: Loaded, reader: Reader) -> None:
    assert [reader.text(row["input_ids"]) for row in trl["chat"]] == [chatml(messages) for messages in CHATS]
    assert [reader.trained(row) for row in trl["chat"]] == [answers(messages) for messages in CHATS]
    pairs = [(p + c + END, [c + END]) for p, c in PLAIN]
    assert [(reader.text(row["input_ids"]), reader.trained(row)) for row in trl["prompt_completion"]] == pairs
    assert [reader.trained(row) for row in trl["text"]] == [[text + END] for text in TEXTS]


def test_trl_tokenizes_pairs_as_they_are(trl: Loaded, reader: Reader) -> None:
    sides = [(chatml(prompt) + OPEN, good + END + "\n", bad + END + "\n") for prompt, good, bad in PAIRS]
    keys = ("prompt_ids", "chosen_ids", "rejected_ids")
    assert [tuple(reader.text(row[key]) for key in keys) for row in trl["preference"]] == sides
    for row, (prompt, good, bad) in zip(trl["preference_orpo"], sides, strict=True):
        assert reader.text(row["chosen_input_ids"]).removesuffix(END) == prompt + good
        assert reader.text(row["rejected_input_ids"]).removesuffix(END) == prompt + bad


def test_trl_tokenizes_labels_and_prompts_as_they_are(trl: Loaded, reader: Reader) -> None:
    found = [(reader.text(r["prompt_ids"]), reader.text(r["completion_ids"]), r["label"]) for r in trl["unpaired_preference"]]  # fmt: skip
    assert found == [(p, c + END, label) for p, c, label in JUDGED]
    assert trl["prompt"] == [{"prompt": prompt, "answer": answer} for prompt, answer in ASKED]


def test_axolotl_tokenizes_chats_and_texts_as_they_are(axolotl: Loaded, reader: Reader) -> None:
    assert [reader.text(row["input_ids"]) for row in axolotl["chat"]] == [chatml(messages) for messages in CHATS]
    assert [reader.trained(row) for row in axolotl["chat"]] == [answers(messages) for messages in CHATS]
    pairs = [(p + c + END, [c + END]) for p, c in PLAIN]
    assert [(reader.text(row["input_ids"]), reader.trained(row)) for row in axolotl["prompt_completion"]] == pairs
    assert [reader.trained(row) for row in axolotl["text"]] == [[text + END] for text in TEXTS]


def test_axolotl_takes_pairs_and_labels_as_they_are(axolotl: Loaded) -> None:
    sides = [(chatml(prompt) + OPEN, good + END, bad + END) for prompt, good, bad in PAIRS]
    assert [(row["prompt"], row["chosen"], row["rejected"]) for row in axolotl["preference"]] == sides
    found = [(row["prompt"], row["completion"], row["label"]) for row in axolotl["unpaired_preference"]]
    assert found == JUDGED


def test_unsloth_takes_rows_as_they_are(unsloth: Loaded, reader: Reader, folder: Path) -> None:
    assert [reader.text(row["input_ids"]) for row in unsloth["chat"]] == [chatml(messages) for messages in CHATS]
    assert [reader.trained(row) for row in unsloth["chat"]] == [answers(messages) for messages in CHATS]
    assert [reader.text(row["input_ids"]).removesuffix(END) for row in unsloth["text"]] == TEXTS
    for shape in ("prompt_completion", "preference", "unpaired_preference", "prompt"):
        rows = [json.loads(line) for line in (folder / "unsloth" / f"{shape}.jsonl").read_text().splitlines()]
        assert unsloth[shape] == rows
