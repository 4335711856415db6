"""Together's forms."""

from __future__ import annotations

from .base import Form, Wire, as_it_is, forms
from .openai import CHAT_LINE, PAIR_LINE, chat, pair

_CARRIES = frozenset({"system", "tools", "reasoning"})
WIRES = (
    Wire(
        "together",
        "Together AI",
        "together",
        forms(
            Form(
                shape="chat",
                methods=("sft",),
                line=CHAT_LINE,
                write=chat,
                carries=_CARRIES | {"weight", "weight_any"},
                expansions=("as-chat", "call-ids"),
                answers="all",
            ),
            Form("prompt_completion", ("sft",), '{"prompt", "completion"}', as_it_is),
            Form("text", ("sft", "pretrain"), '{"text"}', as_it_is),
            Form("preference", ("dpo",), PAIR_LINE, pair, _CARRIES, ("as-chat", "call-ids")),
        ),
        note="No byte order mark; whether a model takes tools and reasoning depends on its template.",
    ),
)
