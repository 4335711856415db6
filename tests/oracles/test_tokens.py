"""`tuneform data` counts the very tokens that a bundle's prepare.py trains, without transformers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneform.compilers.rendering import render
from tuneform.runtime.tokens import counting
from tuneform.runtime.tokens.counting import Question
from tuneform.runtime.tokens.tokenizer import Encoded, Tokenizer, load
from tuneform.spec.tokens.chat import Untrainable

from .prepare_cases import CONVERSATIONS, TEMPLATES, assistant, user

pytestmark = pytest.mark.trainer

METHODS = {
    "chat": "sft",
    "prompt_completion": "sft",
    "text": "pretrain",
    "preference": "dpo",
    "unpaired_preference": "kto",
}
NAMES = ["smollm2", "qwen3", "qwen2_5", "llama3_1", "gemma3", "phi3", "glm4moe", "deepseekv3", "gptoss", "cohere"]
SPECIAL = {"smollm2": ["<|im_start|>", "<|im_end|>"]}
ASKED = [user("Which is nearer? 近い — é 🙂")]
PAIR = {"prompt": ASKED, "chosen": [assistant("The moon.")], "rejected": [assistant("The sun, I think.")]}
PLAIN: list[tuple[str, str, dict[str, Any]]] = [
    ("prompt_completion", "completion", {"prompt": "2 + 2 =", "completion": " 4, of course"}),
    ("prompt_completion", "completion", {"prompt": "é 近い", "completion": "い 🙂 done<eos>"}),
    ("prompt_completion", "all", {"prompt": "2 + 2 =", "completion": " 4"}),
    ("text", "", {"text": "One text, 近い, and its end."}),
    ("text", "", {"text": "One text that ends by itself.<eos>"}),
]


def cases() -> Iterator[dict[str, Any]]:
    for template in NAMES:
        for row in CONVERSATIONS.values():
            for loss_on in ("assistant", "last_assistant", "all"):
                yield {"shape": "chat", "template": template, "loss_on": loss_on, "row": row}
        weighed = {"messages": [*ASKED, assistant("No.", weight=0), *ASKED, assistant("Yes.")]}
        yield {"shape": "chat", "template": template, "loss_on": "all", "row": weighed}
        yield {"shape": "preference", "template": template, "loss_on": "", "row": PAIR}
        row = {"prompt": ASKED, "completion": PAIR["chosen"], "label": True}
        yield {"shape": "unpaired_preference", "template": template, "loss_on": "", "row": row}
    for shape, loss_on, row in PLAIN:
        yield {"shape": shape, "template": "smollm2", "loss_on": loss_on, "row": row}


def test_tokens_are_those_of_prepare(trl_python: str, tmp_path: Path) -> None:
    for shape, method in METHODS.items():
        (tmp_path / f"{shape}.py").write_text(render("prepare.py.j2", method=method, shape=shape), encoding="utf-8")
    corpus = ["The weather in Rome is sunny. Which is nearer? user assistant system tool city arguments name"] * 20
    job = {"corpus": corpus, "templates": TEMPLATES, "names": NAMES, "special": SPECIAL, "shapes": list(METHODS)}
    (tmp_path / "job.json").write_text(json.dumps(job | {"cases": list(cases())}), encoding="utf-8")
    probe = Path(__file__).parent / "probe_tokens.py"
    subprocess.run([trl_python, str(probe), str(tmp_path)], check=True, capture_output=True)
    answers = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))

    tokenizers = {name: load(str(tmp_path / name), online=False) for name in NAMES}
    refused = 0
    for case, theirs in zip(cases(), answers, strict=True):
        ours = labels(case, tokenizers[case["template"]])
        refused += "refused" in theirs
        assert ours == theirs, case
    assert refused < len(answers) / 3


def labels(case: dict[str, Any], tokenizer: Tokenizer) -> dict[str, Any]:
    """Ids and labels from the pieces and ranges that counting goes by, and the counts beside them."""
    question = Question(case["shape"], case["loss_on"])
    pieces = counting.pieces(case["row"], question, tokenizer)
    (counted,) = counting.encode([pieces], question, tokenizer)
    if isinstance(counted, Untrainable) or isinstance(pieces, Untrainable):
        return {"refused": str(counted)}
    sides = [side(piece, tokenizer) for piece in pieces]
    if len(sides) == 1 and case["shape"] != "unpaired_preference":
        assert counted.length == len(sides[0]["input_ids"])
        assert counted.trained == sum(label != -100 for label in sides[0]["labels"])
        return sides[0]
    spans = [[i for i, label in enumerate(found["labels"]) if label != -100] for found in sides]
    start = min(span[0] for span in spans)
    answers = [found["input_ids"][start : span[-1] + 1] for found, span in zip(sides, spans, strict=True)]
    assert counted.trained == sum(map(len, answers))
    assert counted.length == start + max(map(len, answers))
    prompt = sides[0]["input_ids"][:start]
    if len(sides) == 2:
        return {"prompt_ids": prompt, "chosen_ids": answers[0], "rejected_ids": answers[1]}
    return {"prompt_ids": prompt, "completion_ids": answers[0], "label": case["row"]["label"]}


def side(piece: counting.Piece, tokenizer: Tokenizer) -> dict[str, list[int]]:
    encoded: Encoded
    (encoded,) = tokenizer.encode([piece.text], special=piece.plain, offsets=True)
    count, trained = counting.trained_tokens(piece, encoded, tokenizer)
    assert tokenizer.eos is not None
    ids = encoded.ids + [tokenizer.eos] * (count - len(encoded))
    chosen = {i for part in trained for i in part}
    return {"input_ids": ids, "labels": [token if i in chosen else -100 for i, token in enumerate(ids)]}
