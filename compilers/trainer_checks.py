"""What no trainer of open weights can do, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import Plan
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


def trackers(plan: Plan) -> Iterator[Diagnostic]:
    """A tracker that would refuse to start."""
    uri = plan.get("tracking.mlflow.uri") or ""
    if "mlflow" in plan["tracking"] and uri.startswith(("file:", "./", "../", "/")):
        message = f"MLflow no longer writes to a folder, which `{uri}` is"
        yield error("tracking.mlflow.uri", message, "`sqlite:///mlflow.db` is a file in the bundle's folder")
