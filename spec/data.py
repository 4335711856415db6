"""`data`: where rows come from, what they are, and which of their tokens are trained."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from .fields import Line, PathStr, Section, derived

Format = Literal[
    "auto",
    "chat",
    "instruction",
    "prompt_completion",
    "text",
    "preference",
    "unpaired_preference",
    "prompt",
    "converse",
    "converse_preference",
    "gemini",
    "gemini_preference",
    "gemini_prompt",
]
TRAINABLE: Mapping[str, tuple[str, ...]] = {
    "chat": ("assistant", "last_assistant", "all"),
    "prompt_completion": ("completion", "all"),
    "text": ("all",),
}
"""Which tokens of rows of a shape can be trained, as `loss_on` names them; the first is the default."""


class Source(Section):
    """Rows from files or from the hub. A bare text is a `path`."""

    shorthand: ClassVar[str | None] = "path"

    path: PathStr | None = None
    """A file (`.jsonl`, `.json`, `.csv`, `.tsv`, each also with `.gz` or `.zst`, or `.parquet`), a folder, or a
    pattern (`data/*.jsonl`); relative to the spec."""
    id: Line | None = None
    """A hub dataset (`owner/name`)."""
    subset: Line | None = None
    """The hub dataset's configuration."""
    split: Line | None = derived("train")
    """The hub dataset's split."""
    revision: Line | None = None
    """Branch, tag or commit of the hub dataset."""
    format: Format | None = derived("data.format")
    """What these rows are, where sources differ."""
    columns: dict[str, Line] = Field(default_factory=dict)
    """Which column of yours holds a field: `{prompt: question, completion: answer}`."""
    weight: float = Field(default=1.0, gt=0, le=100)
    """How many times the rows are taken: 2 takes each twice, 0.5 takes half of them (chosen by content)."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.id is None):
            raise PydanticCustomError("one_place", "needs a `path` or a hub `id`, and not both")
        return self


def _sources(value: Any) -> Any:
    return value if isinstance(value, tuple) else (value,)


class _OneOrMany:
    """Adds to a list's JSON Schema that one item may stand alone."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


Sources = Annotated[tuple[Source, ...], Field(min_length=1), BeforeValidator(_sources), _OneOrMany()]
"""A source, or a list of them."""


class Holdout(Section):
    """Rows for evaluation: `{split: 0.1}` of the training rows, or sources of their own."""

    split: float | None = Field(default=None, gt=0, lt=1)
    """Share of the training rows; a row's content decides, so that added rows move no other."""
    seed: int = Field(default=42, ge=0)
    """Another seed holds out other rows."""
    stratify: Line | None = None
    """A column of your rows, such as a topic: the same share of each of its values is held out, at least one row."""
    sources: Sources | None = None
    """Rows of their own: as `data.train`; written directly under `eval`."""

    @model_validator(mode="before")
    @classmethod
    def _shape(cls, value: Any) -> Any:
        if isinstance(value, dict) and not {"path", "id"} & value.keys():
            if "sources" in value or "split" not in value:
                raise PydanticCustomError("holdout", "is a path, a list of sources, or `{split: 0.1}`")
            return value
        return {"sources": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        target = handler.resolve_ref_schema(found)
        if "anyOf" not in target:
            properties = target.pop("properties")
            sources = [branch for branch in properties.pop("sources")["anyOf"] if branch != {"type": "null"}]
            properties["split"]["anyOf"].pop()  # no null
            split = {"type": target.pop("type"), "properties": properties, "required": ["split"]}
            split["additionalProperties"] = target.pop("additionalProperties")
            target["anyOf"] = [*sources, split]
        return found


class Data(Section):
    """The rows. Paths are relative to the file that names them."""

    train: Sources
    """Rows to train on: a path, a mapping, or a list of them."""
    eval: Holdout | None = None
    """Rows for evaluation while training: as `train`, or `{split: 0.1}` to hold rows out."""
    test: Sources | None = None
    """Rows that no training sees, for evaluation afterwards: as `train`."""
    format: Format = "auto"
    """What rows are; `auto` tells it from the first rows and says so."""
    loss_on: Literal["assistant", "last_assistant", "completion", "all"] | None = derived(
        "assistant for chat, completion for prompt_completion, all for text"
    )
    """Which tokens are trained: the assistant's turns with their end token, only the last one, the completion, or
    every token. A message's own `weight: 0` takes it out."""
    masks: Literal["auto", "native", "exact"] = "auto"
    """Who makes the labels: the trainer (`native`), or the bundle's own `prepare.py` (`exact`); `auto` takes the
    trainer's where they are proven equal."""
    shuffle: bool = True
    """Take the rows in a new random order each epoch (by `training.seed`)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What a row that cannot be used does; skipped rows are counted and listed."""
