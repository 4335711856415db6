"""How a script is started: alone, by torchrun for several processes, or by Accelerate for sharded ones.

Source of the keys: Accelerate's config files, https://huggingface.co/docs/accelerate/usage_guides/fsdp and
https://huggingface.co/docs/accelerate/usage_guides/deepspeed
"""

from __future__ import annotations

from typing import Any

from ..spec.optimization import SHARDED
from ..spec.plan import Plan
from .rendering import yaml_text
from .settings import Setting, by_name, take

CONFIG = "accelerate.yaml"


def launch_line(plan: Plan, *script: str) -> tuple[str, ...]:
    """The command, as argv: a launcher and a script, or `-m` and a module. One process needs no launcher."""
    if plan["hardware.strategy"] in SHARDED:
        return ("accelerate", "launch", "--config_file", CONFIG, *script)
    return torchrun_line(plan, *script)


def torchrun_line(plan: Plan, *script: str) -> tuple[str, ...]:
    """The command without Accelerate, for a script that shards by itself, or not at all."""
    if plan["hardware.world_size"] == 1:
        return ("python", *script)
    line = ["python", "-m", "torch.distributed.run"]
    if plan["hardware.nodes"] > 1:
        line += ["--nnodes", str(plan["hardware.nodes"])]
    return (*line, "--nproc_per_node", str(plan["hardware.count"]), *script)


def accelerate_config(plan: Plan) -> list[Setting]:
    """The entries of Accelerate's config file; none where it is not the launcher."""
    strategy = plan["hardware.strategy"]
    if strategy not in SHARDED:
        return []
    precision = {"fp32": "no"}.get(plan["training.precision"], plan["training.precision"])
    return [
        Setting("compute_environment", "LOCAL_MACHINE", (), "no managed service"),
        Setting("distributed_type", strategy.upper(), ("hardware.strategy",)),
        _fsdp(plan) if strategy == "fsdp" else _deepspeed(plan),
        Setting("mixed_precision", precision, ("training.precision",)),
        take(plan, "num_machines", "hardware.nodes"),
        take(plan, "num_processes", "hardware.world_size"),
        Setting("machine_rank", 0, (), "give `--machine_rank` on the other machines"),
        Setting("use_cpu", False, (), "sharding needs GPUs"),
    ]


def config_file(settings: list[Setting]) -> str:
    """The settings as a YAML file."""
    return f"# Generated from a spec by Tuneform.\n{yaml_text(by_name(settings))}"


def _fsdp(plan: Plan) -> Setting:
    paths = ("hardware.fsdp.reshard_after_forward", "hardware.fsdp.cpu_offload")
    value: dict[str, Any] = {
        "fsdp_version": 2,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_reshard_after_forward": plan[paths[0]],
        "fsdp_offload_params": plan[paths[1]],
        "fsdp_state_dict_type": "FULL_STATE_DICT",
        "fsdp_cpu_ram_efficient_loading": True,
        "fsdp_activation_checkpointing": False,
    }
    return Setting("fsdp_config", value, paths, "FSDP2; the trainer does the checkpointing of activations")


def _deepspeed(plan: Plan) -> Setting:
    paths = tuple(f"hardware.deepspeed.{name}" for name in ("stage", "offload_optimizer", "offload_param"))
    stage, optimizer, parameters = (plan[path] for path in paths)
    value: dict[str, Any] = {
        "zero_stage": stage,
        "offload_optimizer_device": "cpu" if optimizer else "none",
        "offload_param_device": "cpu" if parameters else "none",
        "zero3_init_flag": stage == 3,
        "zero3_save_16bit_model": stage == 3,
        "gradient_clipping": plan["training.max_grad_norm"],
    }
    if plan["hardware.nodes"] > 1:
        value["deepspeed_multinode_launcher"] = "standard"
    return Setting("deepspeed_config", value, (*paths, "training.max_grad_norm"), f"ZeRO stage {stage}")
