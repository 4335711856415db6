"""What no trainer of open weights can do, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import Plan
from .model_loading import starts_elsewhere
from .trl_rows import pairs_neighbours


def error(path: str, message: str, hint: str) -> Diagnostic:
    """A part of the spec that a target cannot carry out as it is."""
    return Diagnostic("TF205", Level.ERROR, path, message, hint)


def adapter(plan: Plan) -> Iterator[Diagnostic]:
    """What PEFT's ways to begin an adapter cannot do. PiSSA and OLoRA move a part of the base into the adapter."""
    path, init = "adapter.init", plan.get("adapter.init")
    compares = plan["method"] in ("dpo", "kto") or plan.get("method.grpo.beta", 0) > 0
    if init in ("pissa", "olora") and compares:
        message = f"`{init}` takes a part out of the base, and {plan['method']} compares with the base as it was"
        yield error(path, message, "use `default`, `gaussian` or `orthogonal`, which leave the base alone")
    elif init == "pissa" and plan["adapter.type"] == "qlora":
        yield error(path, "PiSSA takes a part out of the base, which quantized weights do not allow", "use `default`")
    elif init == "orthogonal" and plan["adapter.rank"] % 2:
        yield error("adapter.rank", f"`orthogonal` needs an even rank, not {plan['adapter.rank']}", "make it even")


def batches(plan: Plan) -> Iterator[Diagnostic]:
    """Micro batches that a loss cannot be taken over."""
    if pairs_neighbours(plan) and plan["training.micro_batch_size"] < 2:
        message = "kto estimates its KL term from the other rows of a micro batch; one row has no other"
        yield error(
            "training.micro_batch_size", message, "at least 2, or `method: {kto: {loss_type: apo_zero_unpaired}}`"
        )


def rewarded(plan: Plan) -> Iterator[Diagnostic]:
    """Rewards that do not run here, and prompts that make no batch."""
    for index, reward in enumerate(plan.get("rewards", ())):
        if reward["kind"] == "grader":
            message = "a service's own grader runs at that service alone"
            yield error(f"rewards[{index}].grader", message, "use a built-in reward, or a Python file")
    path = "training.batch_size"
    if plan["method"] == "grpo" and plan["training.total_steps"] == 0:
        yield error(
            path, f"grpo takes whole batches of {plan[path]} prompts, and there are fewer rows", "make it smaller"
        )


def trackers(plan: Plan) -> Iterator[Diagnostic]:
    """A tracker that would refuse to start."""
    uri = plan.get("tracking.mlflow.uri") or ""
    if "mlflow" in plan["tracking"] and uri.startswith(("file:", "./", "../", "/")):
        message = f"MLflow no longer writes to a folder, which `{uri}` is"
        yield error("tracking.mlflow.uri", message, "`sqlite:///mlflow.db` is a file in the bundle's folder")


def zero3(plan: Plan) -> Iterator[Diagnostic]:
    """What cannot be done to a model that is sharded while it is loaded."""
    if plan["hardware.strategy"] != "deepspeed" or plan["hardware.deepspeed.stage"] != 3:
        return
    path = "hardware.deepspeed.stage"
    if starts_elsewhere(plan):
        message = "ZeRO stage 3 shards a model while it is loaded, so that no start can be made from it"
        yield error(path, message, "use stage 2 or fsdp, or train without special tokens")
    if plan["adapter.type"] == "qlora":
        yield error(path, "ZeRO stage 3 does not shard quantized weights", "use stage 2, or `adapter: lora`")
