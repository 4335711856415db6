"""`model` and `adapter`: what is tuned, and which of its weights."""

from typing import ClassVar, Literal

from pydantic import Field

from .fields import Line, PathOrId, PathStr, Section, derived


class SpecialTokens(Section):
    """Special tokens of the tokenizer. A token that the vocabulary lacks is added, and the embeddings grow."""

    pad_token: Line | None = derived("the tokenizer's own, else its end token")
    """Fills rows of unequal length up; never trained."""
    eos_token: Line | None = derived("the tokenizer's own")
    """Ends a text."""
    bos_token: Line | None = derived("the tokenizer's own")
    """Begins a text."""
    additional: tuple[Line, ...] = ()
    """Further special tokens. Their embeddings are new: with an adapter, `modules_to_save: [embed_tokens, lm_head]`
    trains them."""


class Model(Section):
    """The base model. A bare text is its `id`."""

    shorthand: ClassVar[str | None] = "id"

    id: PathOrId
    """Hub id (`owner/name`) or a local folder (`./models/x`)."""
    revision: Line | None = None
    """Branch, tag or commit of the hub repository. Default: the repository's main branch."""
    tokenizer: PathOrId | None = derived("the model's own")
    """Hub id or local folder of the tokenizer."""
    chat_template: PathStr | None = derived("the tokenizer's own")
    """File with a Jinja chat template that replaces the tokenizer's; it is saved with the tuned model."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = derived(
        "training.precision with lora and qlora; float32 with full"
    )
    """How weights are stored while training."""
    attn_implementation: Literal["eager", "sdpa", "flash_attention_2", "flash_attention_3"] = "sdpa"
    """Attention code (Transformers' `attn_implementation`)."""
    start_from: PathStr | None = None
    """Folder with the result of an earlier run (a whole model, or an adapter of `id`) that training starts from. An
    adapter is merged into its base first. In `stages` the stage before is taken."""
    special_tokens: SpecialTokens = SpecialTokens.model_construct()
    """Special tokens that differ from the tokenizer's."""
    accept_eula: bool = False
    """You accept the licence of a model that asks for it; some services refuse to start without it."""
    trust_remote_code: bool = False
    """Run Python code that the model's repository ships. Only for a repository whose code you have read."""


class Quantization(Section):
    """How the frozen base is quantized (`adapter.type: qlora`), with bitsandbytes."""

    bits: Literal[4, 8] = 4
    """Bits a weight."""
    type: Literal["nf4", "fp4"] = "nf4"
    """4-bit data type. Source: QLoRA, https://arxiv.org/abs/2305.14314."""
    double_quant: bool = True
    """Quantize the quantization constants too (4 bits only)."""
    compute_dtype: Literal["float32", "bfloat16", "float16"] | None = derived("training.precision")
    """Type of the matrix products."""


class Adapter(Section):
    """Which weights are trained: `full`, or a low-rank adapter. A bare text is its `type`."""

    shorthand: ClassVar[str | None] = "type"

    type: Literal["lora", "qlora", "full"] = "lora"
    """`lora`: adapter on frozen weights; `qlora`: on quantized frozen weights; `full`: every weight."""
    rank: int = Field(default=16, ge=1, le=1024)
    """LoRA rank r."""
    alpha: float = Field(default=32, gt=0)
    """LoRA alpha; updates are scaled by alpha / rank (by alpha / sqrt(rank) with rsLoRA)."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the adapter, as a share."""
    target_modules: Literal["all-linear"] | tuple[Line, ...] = "all-linear"
    """Modules that get an adapter: `all-linear`, or a list of module names (`[q_proj, v_proj]`)."""
    target_parameters: tuple[Line, ...] = ()
    """Parameters that get an adapter though they are no linear module, such as the stacked experts of a
    mixture-of-experts model (`[mlp.experts.gate_up_proj]`)."""
    modules_to_save: tuple[Line, ...] = ()
    """Further modules that are trained in full and saved with the adapter (`[embed_tokens, lm_head]`)."""
    use_dora: bool = False
    """DoRA: magnitude and direction apart (https://arxiv.org/abs/2402.09353)."""
    use_rslora: bool = False
    """Rank-stabilised scaling (https://arxiv.org/abs/2312.03732)."""
    init: Literal["default", "gaussian", "pissa", "olora", "orthogonal"] = "default"
    """How the adapter starts (PEFT's `init_lora_weights`); `default` is Kaiming-uniform A and zero B."""
    quantization: Quantization = Quantization.model_construct()
    """Only with `type: qlora`."""
