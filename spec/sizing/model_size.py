"""How many parameters a model has, told from its name alone."""

from __future__ import annotations

import re

from ..fields import is_local

_NUMBER = r"(\d+(?:\.\d+)?)"
_EXPERTS = re.compile(rf"(?<![a-z0-9.])(\d+)x{_NUMBER}b(?![a-z0-9])")
_BILLIONS = re.compile(rf"(?<![a-z0-9.]){_NUMBER}b(?![a-z0-9])")
_MILLIONS = re.compile(rf"(?<![a-z0-9.]){_NUMBER}m(?![a-z0-9])")
# Weights that are stored otherwise, or names whose number counts only the parameters that are active.
_OTHERWISE = re.compile(r"gptq|awq|bnb|gguf|fp8|fp4|nf4|int4|int8|[48]-?bit|mlx|gpt-oss|\d+b-\d+e(?![a-z])")
LEAST, MOST = 1e6, 1e13
SHARED = 0.8  # Mixtral 8x7B has 46.7B and 8x22B 141B: experts share all but the feed-forward layers


def parameters(model_id: str) -> float | None:
    """The number of parameters that a hub id names (`7B`, `135M`, `8x7B`), or None.

    A name rounds: Qwen-7B has 7.7 billion. None for a local folder, whose name may be anything, for names with two
    sizes (`70b-to-1b`), and for weights that are stored quantized.
    """
    name = model_id.rsplit("/", 1)[-1].lower()
    if is_local(model_id) or _OTHERWISE.search(name):
        return None
    if experts := _EXPERTS.search(name):
        return _credible(float(experts[1]) * float(experts[2]) * 1e9 * SHARED)
    for pattern, unit in ((_BILLIONS, 1e9), (_MILLIONS, 1e6)):
        found = {float(number) for number in pattern.findall(name)}
        if found:
            return _credible(found.pop() * unit) if len(found) == 1 else None
    return None


def _credible(count: float) -> float | None:
    return count if LEAST <= count <= MOST else None


def shown(count: float) -> str:
    """A number of parameters as people write it."""
    return f"{count / 1e9:.3g}B" if count >= 1e9 else f"{count / 1e6:.3g}M"
