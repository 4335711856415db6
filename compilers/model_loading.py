"""How a script loads the tokenizer and the model, and makes the model that training starts from."""

from __future__ import annotations

from ..spec.plan import Plan
from .base import File
from .python_code import Code
from .rendering import render
from .settings import Setting, take

_SINGLE = ("pad_token", "eos_token", "bos_token")
TOKENS = tuple(f"model.special_tokens.{name}" for name in (*_SINGLE, "additional"))


def tokenizer(plan: Plan) -> list[Setting]:
    """Keywords of AutoTokenizer.from_pretrained."""
    found = [take(plan, "name", "model.tokenizer")]
    if plan["model.revision"] and plan["model.tokenizer"] == plan["model.id"]:
        found.append(take(plan, "revision", "model.revision"))
    if plan["model.trust_remote_code"]:
        found.append(take(plan, "trust_remote_code", "model.trust_remote_code"))
    if plan["model.chat_template"]:
        found.append(Setting("chat_template", "chat_template.jinja", ("model.chat_template",)))
    return found


def special_tokens(plan: Plan) -> list[Setting]:
    """Entries of the tokenizer's add_special_tokens."""
    found = [take(plan, name, f"model.special_tokens.{name}") for name in _SINGLE]
    more = plan["model.special_tokens.additional"]
    found.append(Setting("additional_special_tokens", list(more) or None, ("model.special_tokens.additional",)))
    return found


def changed_tokens(plan: Plan) -> dict[str, object]:
    """What add_special_tokens is called with; empty where the tokenizer stays as it is."""
    return {s.key: s.value for s in special_tokens(plan) if s.value is not None}


def starts_elsewhere(plan: Plan) -> bool:
    """Whether the bundle makes its starting model: from an earlier run, or with rows for new tokens."""
    return bool(plan["model.start_from"] or changed_tokens(plan))


def start_file(plan: Plan) -> File:
    """The module that makes it."""
    text = render("start.py.j2", result=bool(plan["model.start_from"]), tokens=bool(changed_tokens(plan)))
    return File("start.py", text)


def starting_model(plan: Plan) -> list[Setting]:
    """Keywords of `starting_model`, after its tokenizer; none where the model is loaded as it is."""
    if not starts_elsewhere(plan):
        return []
    own = "model.start_from" if plan["model.start_from"] else "model.id"
    found = [take(plan, "source", own), Setting("output_dir", Code("training_args.output_dir"))]
    if changed_tokens(plan):
        found.append(Setting("seed", Code("training_args.seed"), ("training.seed",)))
    found.append(take(plan, "dtype", "model.dtype"))
    if plan["model.revision"]:  # of the base, also where an adapter is merged into it
        found.append(take(plan, "revision", "model.revision"))
    if plan["model.trust_remote_code"]:
        found.append(take(plan, "trust_remote_code", "model.trust_remote_code"))
    return found


def model_init(plan: Plan) -> Setting:
    """The keyword `model_init_kwargs`, which trainers pass on to from_pretrained."""
    kwargs = {"dtype": plan["model.dtype"], "attn_implementation": plan["model.attn_implementation"]}
    paths: tuple[str, ...] = ("model.dtype", "model.attn_implementation")
    if plan["model.revision"]:  # a folder has none, and takes no notice of it
        kwargs["revision"], paths = plan["model.revision"], (*paths, "model.revision")
    why = ", ".join(f"{key} from {path}" for key, path in zip(kwargs, paths, strict=True))
    return Setting("model_init_kwargs", kwargs, paths, why)
