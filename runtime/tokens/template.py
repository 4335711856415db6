"""Chat templates as transformers renders them. They come with a model and are untrusted: they run in a sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

_REASONING = ("reasoning_content", "thinking", "reasoning")
LARGEST = 64 * 2**20  # characters that a template may make by repeating a text


class _Generation(Extension):
    """`{% generation %}` marks what the assistant writes, for a trainer's own masks; here it prints its content."""

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_content"), [], [], body).set_lineno(line)

    def _content(self, caller: Callable[[], str]) -> str:
        return caller()


_Generation.tags = {"generation"}  # which jinja2 reads from the class


class _Namespace(Namespace):
    """A namespace without a way to Python's internals."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        own, given = args[0], dict(*args[1:], **kwargs)
        for name in given:
            _checked(name)
        Namespace.__init__(own, given)

    def __setitem__(self, name: str, value: Any) -> None:
        _checked(name)
        super().__setitem__(name, value)


def _checked(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace cannot have {name!r}")


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, which also refuses to fill the memory with one expression."""

    intercepted_binops = frozenset(["*", "**"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [x if isinstance(x, int) else len(x) for x in (left, right) if isinstance(x, int | str | list | tuple)]
        if operator == "**" and max(map(abs, sizes), default=0) > 1_000:
            raise SecurityError("a power this large is refused")
        if operator == "*" and len(sizes) == 2 and abs(sizes[0] * sizes[1]) > LARGEST:
            raise SecurityError("a product this large is refused")
        return super().call_binop(context, operator, left, right)


def compile_template(source: str, variables: Mapping[str, Any]) -> Callable[..., str]:
    """A function (messages, **options) -> text. jinja2's TemplateError where the source is no template."""
    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    environment.filters["tojson"] = _tojson
    environment.globals["dict"] = _make_dict
    environment.globals["namespace"] = _Namespace
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    template, given = environment.from_string(source), dict(variables)

    def render(messages: list[dict[str, Any]], **options: Any) -> str:
        if not messages:
            raise TemplateError("there is no message")
        plain = [_plain(message) for message in messages]
        options = {"tools": None, "documents": None, "add_generation_prompt": False, **given, **options}
        return template.render(messages=plain, **options)

    return render


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """Without nulls, and with reasoning under both names that templates read (`thinking` for gpt-oss)."""
    found = {key: value for key, value in message.items() if value is not None}
    reasoning = next((found[key] for key in _REASONING if key in found), None)
    return found if reasoning is None else {"thinking": reasoning, **found, "reasoning_content": reasoning}


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _make_dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """jinja2's own escapes HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
