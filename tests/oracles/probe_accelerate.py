"""Read accelerate.yaml files as `accelerate launch` does: `python probe_accelerate.py FILE...` prints JSON by file.

What is printed is the plugin that each worker makes from the launcher's environment. Run by the trainer's Python.
"""

import json
import os
import sys

import torch
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DeepSpeedPlugin, FullyShardedDataParallelPlugin
from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env


def plugin(file):
    config = load_config_from_file(file)
    args, *_ = _validate_launch_command(launch_command_parser().parse_args(["--config_file", file, "train.py"]))
    found = {"type": str(config.distributed_type.value), "processes": args.num_processes, "machines": args.num_machines,
             "precision": args.mixed_precision, "fsdp": args.use_fsdp, "deepspeed": args.use_deepspeed}  # fmt: skip
    # The parser knows every key; a misspelt one would only lie there.
    keys = {*config.fsdp_config, *config.deepspeed_config}
    found["unknown"] = sorted(k for k in keys if k not in {a.dest for a in launch_command_parser()._actions})
    before = dict(os.environ)
    if args.use_fsdp:
        env = prepare_multi_gpu_env(args)
    else:
        args.deepspeed_fields_from_accelerate_config = ",".join(config.deepspeed_config)
        args.deepspeed_multinode_launcher = args.deepspeed_multinode_launcher or "standard"
        _, env = prepare_deepspeed_cmd_env(args)
    os.environ.update({k: v for k, v in env.items() if k.startswith(("FSDP", "ACCELERATE"))})
    try:
        if args.use_fsdp:
            made = FullyShardedDataParallelPlugin()
            names = ("fsdp_version", "reshard_after_forward", "cpu_ram_efficient_loading", "activation_checkpointing")
            found |= {n: getattr(made, n) for n in names}
            found["offload"] = getattr(made.cpu_offload, "offload_params", bool(made.cpu_offload))
            if not isinstance(made.cpu_offload, bool):  # FSDP2 has a class for each
                found["offload"] = "CPUOffloadPolicy" in type(made.cpu_offload).__name__
            found["state"] = str(made.state_dict_type)
        else:
            made = DeepSpeedPlugin()
            zero = made.deepspeed_config["zero_optimization"]
            found |= {"stage": zero["stage"], "optimizer": zero["offload_optimizer"]["device"],
                      "parameters": zero["offload_param"]["device"], "whole": zero["stage3_gather_16bit_weights_on_model_save"],
                      "clipping": made.deepspeed_config["gradient_clipping"]}  # fmt: skip
    finally:
        os.environ.clear()
        os.environ.update(before)
    return found


# The launch validation counts GPUs; there need be none here.
torch.cuda.device_count = lambda: 8
print("RESULT " + json.dumps({file: plugin(file) for file in sys.argv[1:]}))
