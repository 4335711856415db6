"""`training`, `evaluation`, `saving`, `logging` and `tracking`."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from .fields import EnvStr, Every, Section, Warmup, derived

Share = Annotated[float, Field(ge=0, lt=1)]


class Optimizer(Section):
    """The optimizer. A bare text is its `name`."""

    shorthand: ClassVar[str | None] = "name"

    name: Literal[
        "adamw_torch",
        "adamw_torch_fused",
        "adamw_8bit",
        "paged_adamw_8bit",
        "paged_adamw_32bit",
        "adafactor",
        "lion_32bit",
        "lion_8bit",
        "paged_lion_32bit",
        "paged_lion_8bit",
        "sgd",
        "rmsprop",
        "adagrad",
    ] = "adamw_torch"
    """Transformers' name of it; the 8-bit, paged and lion ones are bitsandbytes'."""
    betas: tuple[Share, Share] = (0.9, 0.999)
    """Decay rates of the first and second moment (Adam and Lion)."""
    eps: float = Field(default=1e-8, gt=0)
    """Adam's epsilon."""


class Scheduler(Section):
    """The learning rate after warmup. A bare text is its `name`."""

    shorthand: ClassVar[str | None] = "name"

    name: Literal[
        "linear",
        "cosine",
        "cosine_with_restarts",
        "polynomial",
        "inverse_sqrt",
        "warmup_stable_decay",
        "constant",
    ] = "cosine"
    """Transformers' name of it. `linear` falls to 0, `cosine` to `min_lr_ratio`; `constant` stays."""
    min_lr_ratio: float = Field(default=0.0, ge=0, lt=1)
    """Final learning rate as a share of the peak (`cosine` and `warmup_stable_decay`; with the latter, warmup also
    begins there)."""
    num_cycles: int = Field(default=1, ge=1)
    """Half cosines from the peak to 0, one after another (`cosine_with_restarts`)."""
    power: float = Field(default=1.0, gt=0)
    """Exponent of the fall to 0 (`polynomial`)."""
    timescale: int | None = derived("the warmup steps, or 10000 where there are none", ge=1)
    """Steps after warmup in which the rate falls to 1/sqrt(2) of its peak (`inverse_sqrt`)."""
    decay_steps: int | None = Field(default=None, ge=1)
    """Steps of the final fall, which is half a cosine (`warmup_stable_decay`, which needs it)."""


class Training(Section):
    """How long, how much at a time, and how the weights are updated."""

    epochs: float = Field(default=1.0, gt=0)
    """Passes over the training rows. Not with `max_steps`."""
    max_steps: int | None = Field(default=None, ge=1)
    """Number of optimizer steps, instead of `epochs`."""
    batch_size: int = Field(default=32, ge=1)
    """Global batch: rows an optimizer step, over all devices and accumulation steps (packed rows with `packing`)."""
    micro_batch_size: int | None = derived("the largest divisor of batch_size / devices that is at most 4", ge=1)
    """Rows a device takes at once."""
    learning_rate: float | None = derived(
        "sft and pretrain: 2e-4 with lora and qlora, 2e-5 with full; other methods: 1e-5 and 1e-6", gt=0, le=1
    )
    """Peak learning rate (absolute)."""
    learning_rate_multiplier: float | None = derived("the service's own", gt=0)
    """Learning rate as a multiple of a managed service's own, where it takes no absolute one. The two are never
    converted into each other."""
    optimizer: Optimizer = Optimizer.model_construct()
    """The optimizer."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Weight decay: decoupled with AdamW, Lion and Adafactor, part of the gradient with the other optimizers."""
    max_grad_norm: float = Field(default=1.0, ge=0)
    """Gradients are clipped to this norm; 0 clips nothing."""
    scheduler: Scheduler = Scheduler.model_construct()
    """The learning rate over the steps."""
    warmup: Warmup = "3%"
    """Steps (an integer) or a share of all steps (a percentage) in which the learning rate rises from 0."""
    max_length: int = Field(default=2048, ge=8)
    """Longest row, in tokens, template and answer included."""
    on_too_long: Literal["drop", "truncate", "error"] = "drop"
    """What a longer row does; dropped and cut rows are counted. Packing by `bfd_split` and `wrapped` cuts training
    rows itself and loses none of them."""
    packing: bool = False
    """Put several rows into one sequence of `max_length` tokens."""
    packing_strategy: Literal["bfd", "bfd_split", "wrapped"] = "bfd"
    """`bfd`: whole rows, best fit first; `bfd_split`: the same, rows that are too long in pieces; `wrapped`: one
    stream of tokens, cut anywhere."""
    group_by_length: bool = False
    """Batches of rows of similar length: less padding, and an order that is less random."""
    neftune_noise_alpha: float | None = Field(default=None, gt=0)
    """Noise on the embeddings while training (NEFTune, https://arxiv.org/abs/2310.05914)."""
    precision: Literal["fp32", "bf16", "fp16"] | None = derived("bf16 on cuda, fp32 on cpu and mps")
    """Type of the arithmetic; `model.dtype` is how weights are stored."""
    gradient_checkpointing: bool = True
    """Compute activations again in the backward pass: less memory, about 20% more time."""
    activation_offloading: bool = False
    """Keep activations in the machine's memory until the backward pass: slower, and less memory on the GPU."""
    router_aux_loss_coef: float | None = derived("what the model's configuration says", ge=0)
    """Weight of the load-balancing loss of a mixture-of-experts model."""
    liger_kernel: bool = False
    """Fused Triton kernels of Liger for the layers and the loss: less memory on a GPU."""
    torch_compile: bool = False
    """Compile the model with `torch.compile`."""
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
    """Seed of the adapter's start, of dropout and of the order of rows."""


class EarlyStopping(Section):
    """Stop when evaluation no longer improves."""

    patience: int = Field(default=3, ge=1)
    """Evaluations without improvement before the run stops."""
    metric: Literal["loss", "reward"] | None = derived("reward with grpo, else loss")
    """The evaluation metric: `loss` shall fall, `reward` rise."""
    min_delta: float = Field(default=0.0, ge=0)
    """A change counts as an improvement from this size on."""


class Evaluation(Section):
    """Evaluation while training, on `data.eval`."""

    every: Every = "epoch"
    """Optimizer steps between two evaluations, or `epoch`."""
    micro_batch_size: int | None = derived("training.micro_batch_size", ge=1)
    """Rows a device evaluates at once."""
    at_start: bool = False
    """Evaluate once before the first step."""
    early_stopping: EarlyStopping | None = None
    """Stop when evaluation no longer improves."""


class Saving(Section):
    """Checkpoints and the final model."""

    every: Every | None = derived("evaluation.every with evaluation data, else epoch")
    """Optimizer steps between two checkpoints, or `epoch`."""
    keep: int | None = Field(default=None, ge=1)
    """Newest checkpoints that are kept; the others are deleted. Default: all."""
    best: bool = False
    """End with the checkpoint that evaluated best, instead of the last."""
    only_model: bool = False
    """Checkpoints without the optimizer's state: smaller, and a run cannot go on from them."""
    hub_model_id: EnvStr | None = None
    """Push the final model to this hub repository (`owner/name`)."""
    hub_private: bool = True
    """Make that repository a private one, if it is new."""


class Logging(Section):
    """Metrics while training."""

    every: int = Field(default=10, ge=1)
    """Optimizer steps between two lines of metrics."""
    completions: bool = False
    """Log samples of the generated answers too (grpo)."""


class TensorBoard(Section):
    """Event files in the run's `output/runs` folder."""


class Wandb(Section):
    """Weights & Biases. The key comes from the environment (`WANDB_API_KEY`)."""

    project: EnvStr | None = None
    """Project name."""
    entity: EnvStr | None = None
    """Team or user."""
    name: EnvStr | None = None
    """Name of the run there."""


class MLflow(Section):
    """MLflow. Credentials come from the environment."""

    uri: EnvStr | None = None
    """Tracking server or database, such as `sqlite:///mlflow.db` (`MLFLOW_TRACKING_URI`)."""
    experiment: EnvStr | None = None
    """Experiment name."""


class Tracking(Section):
    """Where else metrics go: a name, a list of names, or a mapping from names to settings."""

    choices: ClassVar[bool] = True

    tensorboard: TensorBoard | None = None
    """TensorBoard event files."""
    wandb: Wandb | None = None
    """Weights & Biases."""
    mlflow: MLflow | None = None
    """MLflow."""

    @model_validator(mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if isinstance(value, tuple) and all(isinstance(name, str) for name in value):
            return {name: {} for name in value}
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        target = handler.resolve_ref_schema(found)
        if "anyOf" not in target:
            full = {k: target[k] for k in ("properties", "additionalProperties", "type")}
            names = {"enum": list(cls.model_fields)}
            target.clear()
            target.update({"title": "Tracking", "description": cls.__doc__})
            target["anyOf"] = [names, {"type": "array", "items": names}, full]
        return found
