"""Show what the base model and the tuned one answer to held-out messages, one below the other.

    python answers.py --model MODEL --adapter RUN/bundle/output --data data/test.jsonl --rows 8

Runs in the trainer's environment (torch, transformers, peft). An answer is exact when it is JSON with the expected
keys and values and nothing around it.
"""

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

WIDTH = 100
BATCH = 12


def read_rows(path: Path, count: int) -> list[list[dict[str, str]]]:
    """Take `count` rows spread evenly over the file, so that a sorted file is sampled fairly; 0 takes all."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if 0 < count < len(lines):
        lines = [lines[i * len(lines) // count] for i in range(count)]
    return [json.loads(line)["messages"] for line in lines]


@torch.inference_mode()
def generate(model: Any, tokenizer: Any, prompts: list[str]) -> list[str]:
    """Answer greedily, in batches padded on the left."""
    answers = []
    for start in range(0, len(prompts), BATCH):
        batch = tokenizer(prompts[start : start + BATCH], return_tensors="pt", padding=True, add_special_tokens=False)
        out = model.generate(**batch, max_new_tokens=40, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        answers += tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return answers


def parse(answer: str) -> dict[str, Any] | None:
    """The answer as a JSON object, or None if it is none."""
    try:
        value = json.loads(answer)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def show(label: str, answer: str, mark: str = " ") -> None:
    """Print an answer on one line, cut to the width."""
    line = " ".join(answer.split()) or "(nothing)"
    room = WIDTH - 15
    print(f"    {label:<8} {mark} {line if len(line) <= room else line[: room - 1] + '…'}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the answers of a base model and its adapter.")
    parser.add_argument("--model", required=True, help="the base model: a folder or a hub id")
    parser.add_argument("--adapter", required=True, type=Path, help="the folder with adapter_config.json")
    parser.add_argument("--data", required=True, type=Path, help="held-out rows in chat form")
    parser.add_argument("--rows", type=int, default=8, help="how many rows to show; 0 for all")
    args = parser.parse_args()
    if not (args.adapter / "adapter_config.json").is_file():
        sys.exit(f"answers.py: no adapter in {args.adapter}")
    if not args.data.is_file():
        sys.exit(f"answers.py: no such file: {args.data}")

    rows = read_rows(args.data, args.rows)
    tokenizer = AutoTokenizer.from_pretrained(args.model, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, args.adapter).eval()
    prompts = [tokenizer.apply_chat_template(row[:-1], tokenize=False, add_generation_prompt=True) for row in rows]
    with model.disable_adapter():
        base = generate(model, tokenizer, prompts)
    answers = {"base": base, "tuned": generate(model, tokenizer, prompts)}

    for number, row in enumerate(rows):
        expected = row[-1]["content"]
        message = f'{number + 1:>2}  "{row[-2]["content"]}"'
        print("\n" + textwrap.fill(message, WIDTH, subsequent_indent="     ", break_long_words=False))
        show("expected", expected)
        for label, texts in answers.items():
            show(label, texts[number], "✓" if parse(texts[number]) == json.loads(expected) else "✗")

    print(f"\nof {len(rows)} held-out messages   {'exact':>6} {'valid JSON':>11} {'right fields':>13}")
    for label, texts in answers.items():
        pairs = [(parse(text), json.loads(row[-1]["content"])) for text, row in zip(texts, rows, strict=True)]
        fields = [(got or {}).get(key) == value for got, want in pairs for key, value in want.items()]
        exact = sum(got == want for got, want in pairs)
        valid = sum(got is not None for got, _ in pairs)
        print(f"  {label:<20}   {exact:>6} {valid:>11} {f'{sum(fields)}/{len(fields)}':>13}")


if __name__ == "__main__":
    main()
