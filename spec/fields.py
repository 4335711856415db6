"""The base of every section, and the types of fields that several sections share."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError


# The files of sections do without `from __future__ import annotations`: pydantic would compile each annotation
# from its text, at every start.
class Section(BaseModel):
    """A mapping of the spec: no unknown keys, no coercion of types.

    `shorthand` names the field that a bare scalar stands for: `model: X` is `model: {id: X}`. With `choices`, a
    bare text names a field to be taken with its defaults: `method: dpo` is `method: {dpo: {}}`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)
    shorthand: ClassVar[str | None] = None
    choices: ClassVar[bool] = False

    @classmethod
    def shorthand_key(cls, value: Any) -> str | None:
        """The key that a bare value is written under, if this section takes one."""
        if cls.choices:
            return value if isinstance(value, str) else None
        return cls.shorthand if isinstance(value, str | int | float) and not isinstance(value, bool) else None

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        key = cls.shorthand_key(value)
        if key is not None:
            value = {key: {} if cls.choices else value}
        if cls.choices and isinstance(value, dict):
            return {name: {} if block is None else block for name, block in value.items()}
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        if cls.shorthand is None:
            return found
        target = handler.resolve_ref_schema(found)
        short = {k: v for k, v in target["properties"][cls.shorthand].items() if k not in ("title", "default")}
        if "anyOf" not in target:
            full = dict(target)
            target.clear()
            target.update({"title": full.get("title"), "description": full.get("description", "")})
            target["anyOf"] = [short, {k: v for k, v in full.items() if k not in ("title", "description")}]
        return found


class Marker:
    """A mark on a field's type, read by the loader."""

    def __repr__(self) -> str:
        return type(self).__name__


class _Path(Marker): ...


class _PathOrId(Marker): ...


class _Env(Marker): ...


PATH, PATH_OR_ID, ENV = _Path(), _PathOrId(), _Env()

_PLACEHOLDER = re.compile(r"(?<!\$)\$\{([A-Za-z_]\w*)\}", re.ASCII)


def parts(text: str) -> list[str]:
    """A text cut at its `${NAME}` places: texts and names in turn, a text first and last. `$${` is an escape."""
    return _PLACEHOLDER.split(text)


def placeholders(text: str) -> list[str]:
    """The names in `${NAME}` places of a text."""
    return parts(text)[1::2]


def unescape(text: str) -> str:
    """`$${` means `${`."""
    return text.replace("$${", "${")


def is_local(text: str) -> bool:
    """True where a model or data id is a folder or file, told by its first characters and never by looking."""
    return text.startswith(("./", "../", "/"))


def _no_control(text: str) -> str:
    if any(c in text for c in "\0\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        raise PydanticCustomError("one_line", "must be one line of text")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
"""Any text; what it means is for the target."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=512), BeforeValidator(lambda v: _checked(v))]
"""Text on one line."""


def _checked(value: Any) -> Any:
    return _no_control(value) if isinstance(value, str) else value


PathStr = Annotated[Line, PATH]
"""A path, relative to the file that names it."""

PathOrId = Annotated[Line, PATH_OR_ID]
"""A hub id (`owner/name`), or a folder: then it begins with `./`, `../` or `/`."""

EnvStr = Annotated[Line, ENV]
"""Text that may hold `${NAME}`, filled from the environment when a job starts."""


_PERCENT = r"^([0-9]{1,2}(\.[0-9]+)?|100)%$"


def _warmup(value: Any) -> Any:
    if isinstance(value, float) and 0 < value < 1:
        percent = f"{value * 100:.6g}%"
        raise PydanticCustomError("warmup", "takes a share as a percentage: {percent}", {"percent": percent})
    if isinstance(value, str) and not re.fullmatch(_PERCENT, value):
        raise PydanticCustomError("warmup", "must be a number of steps (100) or a percentage (3%)")
    return value


Warmup = Annotated[
    Annotated[int, Field(ge=0)] | str,
    BeforeValidator(_warmup),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _PERCENT}]}),
]
"""Steps as an integer, or a share of all steps as a percentage."""

Every = Annotated[
    Annotated[int, Field(ge=1)] | str,
    BeforeValidator(lambda v: _every(v)),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": "epoch"}]}),
]
"""A number of optimizer steps, or `epoch`."""


def _every(value: Any) -> Any:
    if isinstance(value, str) and value != "epoch":
        raise PydanticCustomError("every", "must be a number of steps, or `epoch`")
    if isinstance(value, float):
        raise PydanticCustomError("every", "must be a whole number of steps, or `epoch`")
    return value


def derived(rule: str, **kwargs: Any) -> Any:
    """A field whose default is settled when the plan is made; `rule` says how."""
    return Field(default=None, json_schema_extra={"x-default": rule}, **kwargs)
