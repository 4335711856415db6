# mypy: ignore-errors - it runs in the trainer's environment
"""Run prepare.py, and TRL on its rows: `python probe_prepare.py FOLDER`, with TRL's Python.

FOLDER has job.json and, for each shape, <shape>/prepare.py; answers go to FOLDER/answers.json. Nothing is judged here.
"""

import hashlib
import importlib.util
import json
import logging
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(sys.argv[1])
os.environ.update({"HF_HOME": str(FOLDER / "hf"), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"})

import datasets  # noqa: E402
import torch  # noqa: E402
import trl  # noqa: E402
from datasets import Dataset  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: E402
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer  # noqa: E402

JOB = json.loads((FOLDER / "job.json").read_text(encoding="utf-8"))
TEMPLATES = Path(trl.__file__).parent / "chat_templates"
# A template written for another tokenizer needs its special tokens, or labels cannot end where tokens do.
SPECIAL = re.compile(
    r"<\|[^|<>\s]*\|>|<｜[^｜<>]*｜>|<(?:start|end)_of_\w+>|</?s>|\[/?INST\]|\[gMASK\]|<sop>|<turn\|>|<\|turn>"
    r"|<\|tool_response>|<tool_response\|>|<\|tool_call>|<tool_call\|>|<\|channel>|<channel\|>"
)


def load(shape: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"prepare_{shape}", FOLDER / shape / "prepare.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PREPARE = {shape: load(shape) for shape in JOB["shapes"]}


def train_tokenizer(kind: str) -> Tokenizer:
    """A small BPE tokenizer: over bytes like Llama 3's, or with a mark for a space like Llama 2's."""
    if kind == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=sorted(alphabet), show_progress=False)
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
        tokens = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
        trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=tokens, show_progress=False)
    tokenizer.train_from_iterator(JOB["corpus"], trainer)
    return tokenizer


RAW = {kind: train_tokenizer(kind).to_str() for kind in ("bytes", "spaces")}


def tokenizer_for(name: str, kind: str = "bytes") -> PreTrainedTokenizerFast:
    own = JOB["templates"].get(name)
    template = own or (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(RAW[kind]))
    tokenizer.add_tokens(sorted({*SPECIAL.findall(template), *JOB["special"].get(name, [])}), special_tokens=True)
    tokenizer.add_special_tokens({"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"})
    tokenizer.chat_template = template
    return tokenizer


def text_of(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    if isinstance(tokenizer.backend_tokenizer.pre_tokenizer, pre_tokenizers.Metaspace):
        return "".join(tokenizer.convert_ids_to_tokens(ids)).replace("▁", " ")  # decoding would strip a first space
    return tokenizer.decode(ids, clean_up_tokenization_spaces=False)


def pieces(tokenizer: PreTrainedTokenizerFast, encoded: dict[str, list[int]]) -> list[list[Any]]:
    """The tokens as [text, trained, ...]; tokens that are one character only together stand together."""
    found: list[list[Any]] = []
    ids: list[int] = []
    for token, label in zip(encoded["input_ids"], encoded["labels"], strict=True):
        assert label in (-100, token), "a label is its token"
        if not ids:
            found.append([""])
        ids.append(token)
        found[-1].append(label != -100)
        found[-1][0] = text_of(tokenizer, ids)
        if "\ufffd" not in found[-1][0]:
            ids = []
    return found


def labels() -> list[Any]:
    answers: list[Any] = []
    for case in JOB["cases"]:
        tokenizer = tokenizer_for(case["template"], case.get("kind", "bytes"))
        arguments = [] if "preference" in case["shape"] else [case["loss_on"]]
        try:
            encoded = PREPARE[case["shape"]].encode(case["row"], tokenizer, *arguments)
        except ValueError as error:
            answers.append(str(error))
        else:
            if "labels" in encoded:
                answers.append(pieces(tokenizer, encoded))
            else:
                answers.append({k: text_of(tokenizer, v) if isinstance(v, list) else v for k, v in encoded.items()})
    return answers


def tiny_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), **sizes, pad_token_id=tokenizer.pad_token_id)
    return LlamaForCausalLM(config)


SETTINGS: dict[str, Any] = {
    "output_dir": str(FOLDER / "output"), "use_cpu": True, "bf16": False, "report_to": "none", "save_strategy": "no",
    "max_steps": 2, "per_device_train_batch_size": 2, "disable_tqdm": True, "gradient_checkpointing": False,
}  # fmt: skip


def native() -> dict[str, Any]:
    """For each template: its digest, and for each conversation whether TRL's own labels are prepare.py's."""
    answers = {}
    for name in JOB["native"]:
        tokenizer = tokenizer_for(name)
        found: dict[str, str] = {}
        for key, row in JOB["conversations"].items():
            try:
                ours = PREPARE["chat"].encode(row, tokenizer, "assistant")
            except ValueError:
                continue
            columns = {**row, **({"tools": json.dumps(row["tools"])} if "tools" in row else {})}
            try:
                trainer = SFTTrainer(
                    model=tiny_model(tokenizer),
                    args=SFTConfig(**SETTINGS, assistant_only_loss=True, max_length=None),
                    train_dataset=Dataset.from_list([columns]),
                    processing_class=tokenizer_for(name),
                )
                theirs = trainer.train_dataset[0]
            except Exception as error:
                found[key] = f"refused: {type(error).__name__}"
                continue
            if theirs["input_ids"] != ours["input_ids"]:
                found[key] = "other tokens"
            else:
                found[key] = "equal" if theirs["labels"] == ours["labels"] else "other labels"
        digest = hashlib.sha256(tokenizer.chat_template.encode()).hexdigest()
        answers[name] = {"sha256": digest, "conversations": found}
    return answers


def jsonl(name: str, rows: list[Any]) -> str:
    path = FOLDER / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


class PreparedDPOTrainer(DPOTrainer):
    def _prepare_dataset(self, dataset, *args, **kwargs):  # type: ignore[no-untyped-def]
        return dataset


def training() -> dict[str, Any]:
    """What TRL's trainers make of rows: the tokens of a batch, and the mean loss per token of the first batch."""
    tokenizer = tokenizer_for("qwen3")
    fit = {"max_length": 2048, "on_too_long": "drop", "on_bad_row": "error"}
    rows = PREPARE["chat"].load_rows(jsonl("sft.jsonl", JOB["sft"]), tokenizer, loss_on="assistant", **fit)
    args = SFTConfig(**SETTINGS, max_length=2048, train_sampling_strategy="sequential")
    trainer = SFTTrainer(tiny_model(tokenizer), args, train_dataset=rows, processing_class=tokenizer)
    batch = next(iter(trainer.get_train_dataloader()))
    seen = [[t for t, m in zip(*row, strict=True) if m] for row in zip(
        batch["input_ids"].tolist(), batch["attention_mask"].tolist(), strict=True)]  # fmt: skip
    trained = [[t for t in row if t != -100] for row in batch["labels"].tolist()]
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=None).item()
        parts = []
        for row in rows.select(range(2)):
            logits = trainer.model(input_ids=torch.tensor([row["input_ids"]])).logits[0, :-1]
            parts.append((logits, torch.tensor(row["labels"][1:])))
        logits, wanted = torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])
        own = torch.nn.functional.cross_entropy(logits, wanted, ignore_index=-100).item()
    trainer.train()
    answer: dict[str, Any] = {
        "sft": {
            "rows": len(trainer.train_dataset), "columns": sorted(trainer.train_dataset.column_names),
            "prepared": rows[:2]["input_ids"], "seen": seen,
            "labels": [[t for t in row if t != -100] for row in rows[:2]["labels"]], "trained": trained,
            "loss": loss, "own_loss": own, "steps": trainer.state.global_step,
        }
    }  # fmt: skip

    pairs = PREPARE["preference"].load_rows(jsonl("dpo.jsonl", JOB["dpo"]), tokenizer, **fit)
    dpo = PreparedDPOTrainer(
        model=tiny_model(tokenizer),
        ref_model=tiny_model(tokenizer),
        args=DPOConfig(**SETTINGS, max_length=2048, train_sampling_strategy="sequential"),
        train_dataset=pairs,
        eval_dataset=pairs,
        processing_class=tokenizer,
    )
    batch = next(iter(dpo.get_train_dataloader()))
    whole, completions = [], []
    columns = (batch[key].tolist() for key in ("input_ids", "attention_mask", "completion_mask"))
    for ids, attention, mask in zip(*columns, strict=True):
        whole.append([t for t, m in zip(ids, attention, strict=True) if m])
        completions.append([t for t, m in zip(ids, mask, strict=True) if m])
    # Log-probabilities of exactly the completion tokens, by hand
    sums = []
    with torch.no_grad():
        for side in ("chosen_ids", "rejected_ids"):
            for row in pairs.select(range(2)):
                ids = torch.tensor([row["prompt_ids"] + row[side]])
                logs = dpo.model(input_ids=ids).logits.log_softmax(-1)[0, :-1].gather(1, ids[0, 1:, None])
                sums.append(logs[len(row["prompt_ids"]) - 1 :].sum().item())
        dpo.compute_loss(dpo.model, dict(batch))
    metrics = dpo._metrics["train" if dpo.model.training else "eval"]
    logps = {key: values[-1] for key, values in metrics.items() if key.startswith("logps/")}
    dpo.train()
    answer["dpo"] = {
        "pairs": pairs[:2], "whole": whole, "completions": completions, "sums": sums, "logps": logps,
        "steps": dpo.state.global_step, "eval_loss": dpo.evaluate()["eval_loss"],
    }  # fmt: skip
    return answer


class Messages(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def loading() -> list[Any]:
    answers = []
    for i, case in enumerate(JOB["loads"]):
        handler = Messages()
        module = PREPARE[case["shape"]]
        logger = logging.getLogger(module.__name__)
        logger.addHandler(handler)
        path = FOLDER / case.get("file", f"load{i}.jsonl")
        path.write_text(case["text"], encoding="utf-8", newline="")
        os.utime(path, (1_000_000_000, 1_000_000_000))  # a changed file must be seen by its content
        try:
            rows = module.load_rows(str(path), tokenizer_for(case["template"]), **case["arguments"])
            answer: Any = {"rows": rows.to_list(), "messages": handler.texts, "fingerprint": rows._fingerprint}
        except ValueError as error:
            answer = {"error": str(error).replace(str(FOLDER) + "/", "")}
        logger.removeHandler(handler)
        answer["messages"] = [text.replace(str(FOLDER) + "/", "") for text in handler.texts]
        answers.append(answer)
    return answers


def main() -> None:
    datasets.disable_progress_bars()
    answers = {"labels": labels(), "loading": loading(), "training": training(), "native": native()}
    answers["names"] = sorted(path.stem for path in TEMPLATES.glob("*.jinja"))
    (FOLDER / "answers.json").write_text(json.dumps(answers), encoding="utf-8")


main()
