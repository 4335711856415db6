"""Jinja2 for code, PyYAML for YAML. Values reach code only through `keyword` and `py`, which write Python literals."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..spec.data import TRAINABLE
from .python_code import call, keyword, literal

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent.parent / "templates"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # a check needs no templates

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Python, not HTML
    )
    environment.filters["py"] = literal
    environment.globals |= {"keyword": keyword, "call": call, "trainable": TRAINABLE}
    return environment


def render(template: str, **values: Any) -> str:
    """Render one of Tuneform's own templates. A value that the template wants and does not get is an error."""
    return _environment().get_template(template).render(**values)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # items of a list stand under their key


def yaml_text(values: dict[str, Any]) -> str:
    """Plain values as YAML, in their order, without anchors or tags."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, width=119)
