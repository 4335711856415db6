"""What a field takes, in words, from its JSON Schema and the marks on its type."""

from __future__ import annotations

import json
import re
from typing import Any

from tuneform.spec.fields import ENV, PATH, PATH_OR_ID
from tuneform.spec.language import marked_paths

from .markdown import code, prose

Node = dict[str, Any]
MARKS = {PATH: "a path", PATH_OR_ID: "a hub id or a folder", ENV: "text that may hold `${NAME}`"}
# Patterns that a reader would have to work out.
PATTERNS = {
    r"^([0-9]{1,2}(\.[0-9]+)?|100)%$": "a percentage (`3%`)",
    r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$": "a name of up to 63 lower-case letters, digits, `.`, `_` and `-`",
    r"^[A-Za-z_][A-Za-z0-9_]{0,63}$": "a name of Python's",
    r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w:$-]+$": "an ARN (`arn:aws:lambda:...:function:...`)",
}


def words(node: Node, path: str, unit: str = "") -> str:
    """`a whole number from 1 to 1024`, `one of ...`, `text`."""
    for mark, text in MARKS.items():
        if path.replace("[]", "") in marked_paths(mark):
            return text if node.get("type") == "string" else f"{text}, or a list of them"
    return _words(node, unit)


def _words(node: Node, unit: str) -> str:
    if "anyOf" in node:
        return ", or ".join(_words(branch, unit) for branch in node["anyOf"])
    if "const" in node:
        return code(node["const"])
    if "enum" in node:
        return ", ".join(code(word) for word in node["enum"])
    kind = node.get("type")
    if kind in ("integer", "number"):
        return _number(node, "a whole number" if kind == "integer" else "a number", unit)
    if kind == "boolean":
        return "`true` or `false`"
    if kind == "array":
        return _list(node, unit)
    if kind == "object":
        return "a mapping"
    assert kind == "string", f"no words for {node}"
    pattern = node.get("pattern")
    return "text" if pattern is None else PATTERNS.get(pattern, f"text like {code(pattern)}")


def _number(node: Node, what: str, unit: str) -> str:
    what += f" of {unit}" if unit else ""
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{what} from {low:g} to {_large(high)}"
    lower = f"{low:g} or more" if low is not None else f"above {above:g}" if above is not None else ""
    upper = f"at most {_large(high)}" if high is not None else f"below {below:g}" if below is not None else ""
    limits = " and ".join(part for part in (lower, upper) if part)
    return f"{what}, {limits}" if limits else what


def _large(number: float) -> str:
    return "2^32 - 1" if number == 2**32 - 1 else f"{number:g}"


def _list(node: Node, unit: str) -> str:
    if "prefixItems" in node:
        return f"a list of {len(node['prefixItems'])}, each {_words(node['prefixItems'][0], unit)}"
    if not node.get("items"):
        return "a list"
    one = _words(node["items"], unit)
    return "a list of texts" if one == "text" else f"a list, each {one}"


def default_words(node: Node) -> str:
    """The default as YAML would have it, or how it is derived."""
    if "x-default" in node:
        rule = str(node["x-default"])
        return code(rule) if re.fullmatch(r"[a-z_.]+", rule) else prose(rule)
    value = node.get("default")
    if value is None:
        return "not set"
    return code(value if isinstance(value, str) else json.dumps(value))
