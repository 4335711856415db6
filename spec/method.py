"""`method`: the objective, with its own settings."""

from typing import Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from .fields import Section

MethodName = Literal["sft", "pretrain", "dpo"]
ALIASES = {"cpt": "pretrain"}


class Sft(Section):
    """Supervised fine-tuning: next-token loss over the answers."""


class Pretrain(Section):
    """Continued pretraining: next-token loss over all of a text (`cpt`)."""


class Dpo(Section):
    """Direct preference optimization (https://arxiv.org/abs/2305.18290)."""

    beta: float = Field(default=0.1, gt=0)
    """Strength of the pull to the reference model; with `ipo` it is the paper's tau."""
    loss_type: Literal["sigmoid", "hinge", "ipo", "robust"] = "sigmoid"
    """Loss on the difference of rewards; `sigmoid` is the paper's."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """Share of labels taken to be flipped; used by `robust`."""


class Method(Section):
    """The objective: a name, or a mapping with one name and its settings (`{dpo: {beta: 0.2}}`)."""

    choices: ClassVar[bool] = True

    sft: Sft | None = None
    """Supervised fine-tuning on answers."""
    pretrain: Pretrain | None = None
    """Next-token prediction on plain text; `cpt` is the same."""
    dpo: Dpo | None = None
    """Direct preference optimization on pairs of answers."""

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {value: {}}
        if isinstance(value, dict):
            value = {ALIASES.get(key, key): block for key, block in value.items()}
            if len(value) != 1:
                raise PydanticCustomError("one_method", "names exactly one method, not {n}", {"n": len(value)})
        return value

    @property
    def name(self) -> MethodName:
        """The one method that is named."""
        return "dpo" if self.dpo else "pretrain" if self.pretrain else "sft"

    @property
    def settings(self) -> Section:
        """The settings of that method."""
        return self.dpo or self.pretrain or self.sft or Sft.model_construct()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        target = handler.resolve_ref_schema(found)
        if "anyOf" not in target:
            full = {k: target[k] for k in ("properties", "additionalProperties", "type")}
            for entry in full["properties"].values():
                entry.pop("default", None)
            full |= {"minProperties": 1, "maxProperties": 1}
            target.clear()
            names = [*cls.model_fields, *ALIASES]
            target.update({"title": "Method", "description": cls.__doc__, "anyOf": [{"enum": names}, full]})
            full["properties"]["cpt"] = full["properties"]["pretrain"]
        return found
