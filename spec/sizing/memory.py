"""How much memory training takes on each device: a range, from the plan and the size in the model's name.

With P parameters, T of them trained (P for full tuning; for LoRA of rank r about 1.65 r/h P, with h the width), and h
and the depth L taken from P by P = 12 L h^2 and h = 128 L:

    weights       P x bytes of model.dtype; 4-bit: 0.52 bytes (QLoRA's 4.127 bits) to 0.9 (embeddings stay in 16 or 32
                  bits); 8-bit: 1 to 1.4; dpo and kto with all weights hold the reference model too
    gradients     T x bytes of the trained weights (an adapter's are float32); DDP may hold them twice
    optimizer     T x 2 x those bytes (AdamW), 2 (8-bit; paged: from 0), up to those bytes (Adafactor)
    activations   for b rows of s tokens, c bytes a number: s b h L c with checkpointing, plus one layer's
                  17 s b h c, or 17 s b h L c without; and the logits, s b V (c to 10), V being 32,000 to 152,000 words
    overhead      0.4 to 1.5 GiB for CUDA and its libraries, and a tenth more for what lies between the blocks

Sources: https://huggingface.co/docs/transformers/model_memory_anatomy (18 bytes a parameter in mixed precision);
QLoRA, https://arxiv.org/abs/2305.14314; activations, https://arxiv.org/abs/2205.05198, whose term for attention
scores falls away with sdpa and flash attention. The relation of width and depth is a fit to common models.

How right it is: of the 42 figures that Qwen published for LoRA and Q-LoRA of 1.8B to 72B on one GPU, at 256 to 8192
tokens (https://github.com/QwenLM/Qwen#profiling-of-memory-and-speed), 39 are in the range and 3, of 1.8B, up to 8%
above it; so are all 12 that Unsloth states as the least for 3B to 70B
(https://unsloth.ai/docs/get-started/fine-tuning-for-beginners/unsloth-requirements). tests/spec/test_memory.py keeps
that. The range is wide: its high end there is 1.3 to 9.7 times the low one, most for 4-bit weights and long rows,
since the low end takes rows to have an eighth of `max_length` unless they are packed. Full tuning was hardly compared:
transformers' 18 bytes a parameter lie within, and Qwen's 43.5 GB for all of 1.8B (2048 tokens, through DeepSpeed)
near the high end. Its Q-LoRA is GPTQ, ours bitsandbytes. A mixture of experts is taken for one dense model, of which
an adapter may leave out half. Generation (grpo) and sharing by tensor or pipeline are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..method import PREFERENCE
from ..optimization import SHARDED
from ..plan import Plan
from .model_size import parameters

GIB = 2**30
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
COMPUTE = {"fp32": 4, "bf16": 2, "fp16": 2}
FOUR_BITS, EIGHT_BITS = (0.516, 0.9), (1.0, 1.4)
ROUNDED = (0.95, 1.1)  # a name rounds: Qwen-7B has 7.7 billion, Llama-2-7b has 6.7
WITH_REFERENCE = ("dpo", "kto")
WORDS = (32_000, 152_000)
USUAL_ROW = 1 / 8

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Memory on each device in GiB, from low to high, with its parts in the same unit."""

    parameters: float
    parts: dict[str, Range]

    @property
    def low(self) -> float:
        """What the run cannot do without."""
        return sum(low for low, _ in self.parts.values())

    @property
    def high(self) -> float:
        """What it may take with rows as long as `max_length`."""
        return sum(high for _, high in self.parts.values())

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        shown = {name: {"low": round(low, 2), "high": round(high, 2)} for name, (low, high) in self.parts.items()}
        return {"unit": "GiB", "low": round(self.low, 2), "high": round(self.high, 2), "parts": shown}


def estimate(plan: Plan) -> Estimate | None:
    """The memory that a plan takes on each device; None where the model's name does not tell its size."""
    size = parameters(plan["model.id"])
    if size is None:
        return None
    low, high = (_parts(plan, size, end) for end in (0, 1))
    return Estimate(size, {name: (low[name] / GIB, high[name] / GIB) for name in low})


def _parts(plan: Plan, size: float, end: int) -> dict[str, float]:
    """Bytes of each part, at the low end (0) or the high end (1)."""
    count = size * ROUNDED[end]
    trained, each = _trained(plan, count, end), _trained_bytes(plan)
    devices = plan["hardware.world_size"]
    share = devices if plan["hardware.strategy"] in SHARDED else 1
    copies = 2 if end and devices > 1 and share == 1 else 1
    parts = {
        "weights": count * _weight_bytes(plan, end) / share,
        "gradients": trained * each * copies / share,
        "optimizer": trained * _optimizer_bytes(plan, each)[end] / share,
        "activations": _activations(plan, size, end),
    }
    if plan["adapter.type"] != "full":
        parts["weights"] += trained * each / share
    overhead = ((0.4, 1.5) if plan["hardware.device"] == "cuda" else (0.2, 0.5))[end] * GIB
    return {**parts, "overhead": overhead + (sum(parts.values()) / 10 if end else 0)}


def _weight_bytes(plan: Plan, end: int) -> float:
    full = plan["adapter.type"] == "full"
    if plan["adapter.type"] == "qlora":
        return (FOUR_BITS if plan["adapter.quantization.bits"] == 4 else EIGHT_BITS)[end]
    stored: float = BYTES[plan["model.dtype"]]
    cast = min(stored, _compute(plan)) if end and full and stored > _compute(plan) else 0  # autocast keeps a copy
    return stored * (2 if full and plan["method"] in WITH_REFERENCE else 1) + cast


def _trained(plan: Plan, count: float, end: int) -> float:
    """How many parameters are trained."""
    if plan["adapter.type"] == "full":
        return count
    width, _ = _shape(count)
    every = plan["adapter.target_modules"] == "all-linear"
    some = (0.5 if every else 0.05, 1.0)[end]  # named modules: from one small one to all
    trained: float = min(1.65 * plan["adapter.rank"] / width, 1.0) * count * some
    if end:
        trained += WORDS[1] * width * len(plan["adapter.modules_to_save"])
    return trained


def _trained_bytes(plan: Plan) -> int:
    return BYTES[plan["model.dtype"]] if plan["adapter.type"] == "full" else 4


def _optimizer_bytes(plan: Plan, each: int) -> Range:
    name: str = plan["training.optimizer.name"]
    if "8bit" in name:
        return (0.0 if name.startswith("paged") else 2.0, 2.0)
    return (0.0, float(each)) if name == "adafactor" else (2.0 * each, 2.0 * each)


def _activations(plan: Plan, size: float, end: int) -> float:
    rows: int = plan["training.micro_batch_size"] * (2 if plan["method"] in PREFERENCE else 1)  # answers, or batches
    packed = bool(plan.get("training.packing"))
    tokens: float = rows * plan["training.max_length"] * (1 if end or packed else USUAL_ROW)
    width, depth = _shape(size)
    number = _compute(plan)
    layer = 17 * tokens * width * number
    kept = tokens * width * depth * number + layer if plan["training.gradient_checkpointing"] else layer * depth
    return kept + tokens * WORDS[end] * (10 if end else number)


def _shape(size: float) -> tuple[float, float]:
    """Width and depth of a transformer with so many parameters: 12 L h^2, and h = 128 L."""
    width = max((size * 128 / 12) ** (1 / 3), 1.0)
    return width, max(width / 128, 1.0)


def _compute(plan: Plan) -> int:
    return COMPUTE[plan["training.precision"]]
