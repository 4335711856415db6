# mypy: ignore-errors - it runs in the trainer's environment
"""Labels by prepare.py, and the tokenizers they were made with: `python probe_tokens.py FOLDER`, with TRL's Python.

FOLDER has job.json and, for each shape, <shape>.py; tokenizers go to FOLDER/<template>, answers to FOLDER/answers.json.
"""

import importlib.util
import json
import re
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

FOLDER = Path(sys.argv[1])
JOB = json.loads((FOLDER / "job.json").read_text(encoding="utf-8"))
SPECIAL = re.compile(r"<\|[^|<>\s]*\|>|<｜[^｜<>]*｜>|<(?:start|end)_of_\w+>|</?s>|\[gMASK\]|<sop>")


def template(name: str) -> str:
    if name in JOB["templates"]:
        return JOB["templates"][name]
    trl = importlib.util.find_spec("trl")  # found, not imported: that would take torch
    return (Path(trl.origin).parent / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


def tokenizer_for(name: str) -> PreTrainedTokenizerFast:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False)
    raw.train_from_iterator(JOB["corpus"], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw)
    source = template(name)
    tokenizer.add_tokens(sorted({*SPECIAL.findall(source), *JOB["special"].get(name, [])}), special_tokens=True)
    tokenizer.add_special_tokens({"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"})
    tokenizer.chat_template = source
    tokenizer.save_pretrained(FOLDER / name)
    return tokenizer


def load(shape: str):
    spec = importlib.util.spec_from_file_location(f"prepare_{shape}", FOLDER / f"{shape}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PREPARE = {shape: load(shape) for shape in JOB["shapes"]}
TOKENIZERS = {name: tokenizer_for(name) for name in JOB["names"]}
answers = []
for case in JOB["cases"]:
    arguments = [case["loss_on"]] if case["loss_on"] else []
    try:
        answers.append(PREPARE[case["shape"]].encode(case["row"], TOKENIZERS[case["template"]], *arguments))
    except ValueError as error:
        answers.append({"refused": str(error)})
(FOLDER / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
