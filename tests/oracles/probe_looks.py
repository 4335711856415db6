"""What probe_options.py looks at beyond the facts of every run: each takes the trainer and its case."""

import inspect
import json
import math
import os
from itertools import chain
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments


def gap(one, two):
    return float((one.float() - two.float()).abs().max())


def logits(model):
    device = next(model.parameters()).device
    model.eval()
    with torch.no_grad():
        return model(input_ids=torch.arange(5, 25, device=device)[None]).logits[0].float().cpu()


def adapter(trainer, case):
    """How the adapter began, and whether the saved one gives the trained model again."""
    base = AutoModelForCausalLM.from_pretrained(case["model"], dtype=torch.float32)
    name = "model.layers.0.self_attn.q_proj"
    start = {k.removeprefix(f"base_model.model.{name}."): v for k, v in trainer.at_start.items() if f"{name}." in k}
    layer = trainer.model.get_submodule(f"base_model.model.{name}")
    a, b, scaling = start["lora_A.default.weight"], start["lora_B.default.weight"], layer.scaling["default"]
    own = base.get_submodule(name).weight.detach().clone()  # PEFT changes the base of some
    whole = start["base_layer.weight"] + scaling * b @ a
    saved = PeftModel.from_pretrained(base, "output")
    return {
        "scaling": scaling, "spread": float(a.std()), "product": gap(b @ a, torch.zeros_like(own)),
        "moved": gap(start["base_layer.weight"], own), "kept": gap(whole, own),
        "orthogonal": gap(b.T @ b, torch.eye(b.shape[1])),
        "reloaded": gap(logits(saved), logits(trainer.model)), "trained": gap(logits(saved), logits_of(case["model"])),
        "tensors": sorted(load_file("output/adapter_model.safetensors")),
    }  # fmt: skip


def logits_of(folder):
    return logits(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))


def rows(trainer, case):
    """The rows as the trainer has them, and in which order it takes them."""
    data = trainer.train_dataset
    sampler = trainer._get_train_sampler()
    order = [int(i) for i in sampler] if sampler is not None else []
    lengths = [len(ids) for ids in data["input_ids"]]
    return {
        "sampler": type(sampler).__name__, "lengths": lengths, "order": [lengths[i] for i in order],
        "tokens": list(chain(*data["input_ids"])), "labels": list(chain(*data["labels"])),
        "documents": list(data["seq_lengths"]) if "seq_lengths" in data.column_names else None,
    }  # fmt: skip


def quantized_optimizers(trainer, case):
    """bitsandbytes' optimizers, made as the trainer makes them, and a step of each."""
    found = {}
    for name in case["optimizers"]:
        weight = torch.nn.Parameter(torch.ones(128, 64))
        args = TrainingArguments(
            "output", optim=name, use_cpu=True, learning_rate=0.01, adam_beta1=0.8, adam_beta2=0.9
        )
        cls, settings = Trainer.get_optimizer_cls_and_kwargs(args)
        made = cls([weight], **settings)
        weight.grad = torch.ones_like(weight)
        made.step()
        found[name] = {"class": f"{cls.__module__}.{cls.__name__}", "bits": made.args.optim_bits, "paged": made.is_paged,
                       "betas": made.defaults["betas"], "weight": float(weight.detach().mean())}  # fmt: skip
    return found


def special(trainer, case):
    """The tokenizer and the embeddings after a run with new tokens."""
    tokenizer = AutoTokenizer.from_pretrained("output")
    tokens = case["tokens"]
    table = trainer.model.get_input_embeddings().weight
    old = AutoModelForCausalLM.from_pretrained(case["model"], dtype=torch.float32).get_input_embeddings().weight
    start = (
        AutoModelForCausalLM.from_pretrained("start").get_input_embeddings().weight if Path("start").exists() else None
    )
    inputs = "base_model.model.model.embed_tokens.modules_to_save.default.weight"
    begun = trainer.at_start.get(inputs, trainer.at_start.get("model.embed_tokens.weight"))
    if begun is None:  # frozen
        begun = table
    heads = ("base_model.model.lm_head.modules_to_save.default.weight", "lm_head.weight")
    head = next((trainer.at_start[name] for name in heads if name in trainer.at_start), None)
    now = trainer.model.get_output_embeddings().weight
    return {
        "ids": {t: tokenizer(f"a {t} b", add_special_tokens=False)["input_ids"] for t in tokens},
        "known": {t: tokenizer.convert_tokens_to_ids(t) for t in tokens},
        "pad": tokenizer.pad_token, "eos": tokenizer.eos_token, "size": len(tokenizer),
        "rows": table.shape[0], "old_rows": old.shape[0], "start_rows": None if start is None else start.shape[0],
        "old_kept": None if start is None else gap(start[: old.shape[0]], old),
        "moved": [gap(table[tokenizer.convert_tokens_to_ids(t)], begun[tokenizer.convert_tokens_to_ids(t)]) for t in tokens],
        "taught": [gap(now[i], head[i]) for i in tokenizer.convert_tokens_to_ids(tokens)] if head is not None else [],
        "config": trainer.model.config.pad_token_id,
    }  # fmt: skip


def start(trainer, case):
    """The model that training began from, set against the earlier run's result."""
    first = Path(case["first"])
    if (first / "adapter_config.json").exists():
        config = json.loads((first / "adapter_config.json").read_text())
        base = AutoModelForCausalLM.from_pretrained(
            first.parent / config["base_model_name_or_path"], dtype=torch.float32
        )
        expected, unmerged = PeftModel.from_pretrained(base, first).merge_and_unload(), None
        tensors = load_file(first / "adapter_model.safetensors")
        key = "base_model.model.model.layers.0.self_attn.q_proj"
        plain = AutoModelForCausalLM.from_pretrained(
            first.parent / config["base_model_name_or_path"], dtype=torch.float32
        )
        scaling = config["lora_alpha"] / (math.sqrt(config["r"]) if config["use_rslora"] else config["r"])
        by_hand = plain.get_submodule("model.layers.0.self_attn.q_proj").weight
        unmerged = gap(by_hand, expected.get_submodule("model.layers.0.self_attn.q_proj").weight)
        by_hand = by_hand + scaling * tensors[f"{key}.lora_B.weight"] @ tensors[f"{key}.lora_A.weight"]
        by_hand = gap(by_hand, expected.get_submodule("model.layers.0.self_attn.q_proj").weight)
    else:
        expected, unmerged, by_hand = AutoModelForCausalLM.from_pretrained(first, dtype=torch.float32), None, None
    wanted, found = expected.state_dict(), {}
    for name, weight in trainer.at_start.items():
        plain_name = name.removeprefix("base_model.model.").replace(".base_layer.", ".")
        if plain_name in wanted and weight.shape == wanted[plain_name].shape:
            found[plain_name] = gap(weight, wanted[plain_name])
    reference = None
    if getattr(trainer, "ref_model", None) is not None:
        reference = gap(logits(trainer.ref_model), logits(expected))
    elif hasattr(trainer.model, "disable_adapter"):
        with trainer.model.disable_adapter():
            reference = gap(logits(trainer.model), logits(expected))
    made = Path("start/model.safetensors")
    return {
        "compared": len(found), "all": len(wanted), "gap": max(found.values()), "by_hand": by_hand, "unmerged": unmerged,
        "reference": reference, "written": made.stat().st_mtime_ns if made.exists() else None,
        "base": getattr(trainer.model, "peft_config", {}) and trainer.model.peft_config["default"].base_model_name_or_path,
    }  # fmt: skip


def own_rows(trainer, case):
    """The prepared rows beside those that TRL itself makes of the same rows."""
    from datasets import Dataset

    parent = type(trainer).__mro__[1]
    raw = Dataset.from_list([json.loads(line) for line in Path("data/train.jsonl").read_text().splitlines()])
    if case.get("shuffled") is not None:
        raw = raw.shuffle(seed=case["shuffled"])
    tokenizer = trainer.processing_class
    if hasattr(parent, "tokenize_row"):
        theirs = [parent.tokenize_row(trainer, row) for row in raw]
    else:
        arguments = inspect.signature(parent._prepare_dataset).parameters
        assert list(arguments)[1:] == ["dataset", "processing_class", "args", "dataset_name"], arguments
        theirs = parent._prepare_dataset(trainer, raw, tokenizer, trainer.args, "train").to_list()
    columns = case["columns"]
    ours = trainer.train_dataset.to_list()
    return {
        "ours": [{c: row[c] for c in columns} for row in ours],
        "theirs": [{c: row[c] for c in columns} for row in theirs],
    }


def tracked(trainer, case):
    """What the trackers wrote, read back by their own code."""
    found = {}
    if "wandb" in trainer.args.report_to:
        import wandb

        wandb.finish()
        wandb.teardown()  # which writes the rest
    for file in Path("wandb").glob("offline-run-*/*.wandb"):
        found["wandb"] = wandb_file(file)
    if os.environ.get("MLFLOW_TRACKING_URI"):
        import mlflow

        client = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
        (experiment,) = [e for e in client.search_experiments() if e.name != "Default"]
        (run,) = client.search_runs([experiment.experiment_id])
        losses = {m.step: m.value for m in client.get_metric_history(run.info.run_id, "loss")}
        found["mlflow"] = {"experiment": experiment.name, "name": run.info.run_name, "losses": losses,
                           "status": run.info.status}  # fmt: skip
        mlflow.set_tracking_uri(None)
    folders = [file.parent for file in Path("output").rglob("events.out.tfevents.*")]
    if folders:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(folders[0]))
        events.Reload()
        found["tensorboard"] = {e.step: float(events.Tensors("train/loss")[i].tensor_proto.float_val[0])
                                for i, e in enumerate(events.Tensors("train/loss"))} if "train/loss" in (
            events.Tags()["tensors"]) else {e.step: e.value for e in events.Scalars("train/loss")}  # fmt: skip
    return found


def wandb_records(data):
    """The records of a .wandb file: blocks of 32 KiB with pieces that have a header of 7 bytes (LevelDB's log)."""
    position, whole = 7, b""  # after the file's own header
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
            continue
        size, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        whole += data[position + 7 : position + 7 + size]
        position += 7 + size
        if kind in (1, 4):  # whole, or last
            yield whole
            whole = b""


def wandb_file(file):
    from wandb.proto import wandb_internal_pb2 as records

    found = {"losses": {}}
    for data in wandb_records(file.read_bytes()):
        record = records.Record()
        record.ParseFromString(data)
        if record.HasField("run"):
            found |= {"project": record.run.project, "entity": record.run.entity, "name": record.run.display_name}
        if record.HasField("history"):
            row = {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in record.history.item}
            if "train/loss" in row:
                found["losses"][row["train/global_step"]] = row["train/loss"]
    return found


LOOKS = {f.__name__: f for f in (adapter, rows, quantized_optimizers, special, start, own_rows, tracked)}
