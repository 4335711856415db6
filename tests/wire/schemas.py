"""What providers document of a line, as small JSON Schemas; `additionalProperties` is false where a key would be lost.

Sources: OpenAI's OpenAPI document (FineTuneChatCompletionRequestAssistantMessage and the messages of chats), Amazon's
pages on data for Nova, Claude 3 Haiku, Llama and reinforcement fine-tuning, Google's on tuning Gemini, Together's on
fine-tuning data; as of 2026-11-22.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
ANY_TEXT: Schema = {"type": "string"}


def obj(required: str, **properties: Any) -> Schema:
    """An object of these keys and no others; those in `required` must be there."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def listed(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, "minItems": 1, **more}


def const(value: Any) -> Schema:
    return {"const": value}


WEIGHT: Schema = {"enum": [0, 1]}
CALLS = listed(
    obj("id type function", id=TEXT, type=const("function"), function=obj("name arguments", name=TEXT, arguments=TEXT))
)
TOOLS = listed(
    obj(
        "type function",
        type=const("function"),
        function=obj(
            "name", name=TEXT, description=ANY_TEXT, parameters={"type": "object"}, strict={"type": "boolean"}
        ),
    )
)


def messages(weight: str = "", *, reasoning: bool = False, named: bool = True) -> Schema:
    """Messages of a chat; `weight` names the roles that may have one."""
    name: Schema = {"name": TEXT} if named else {}
    thought: Schema = {"reasoning_content": TEXT} if reasoning else {}

    def more(role: str) -> Schema:
        return {"weight": WEIGHT} if role in weight.split() else {}

    answered = obj("role content", role=const("assistant"), content=TEXT, **name, **thought, **more("assistant"))
    called = obj(
        "role content tool_calls",
        role=const("assistant"), content=ANY_TEXT, tool_calls=CALLS, **name, **thought, **more("assistant"),
    )  # fmt: skip
    turns = [
        obj("role content", role=const("system"), content=TEXT, **name, **more("system")),
        obj("role content", role=const("user"), content=TEXT, **name, **more("user")),
        answered,
        called,
        obj("role content tool_call_id", role=const("tool"), content=ANY_TEXT, tool_call_id=TEXT, **more("tool")),
    ]
    return listed({"oneOf": turns})


def pair(found: Schema) -> Schema:
    side = {**found, "maxItems": 1}
    return obj(
        "input preferred_output non_preferred_output",
        input=obj("messages", messages=found, tools=TOOLS),
        preferred_output=side,
        non_preferred_output=side,
    )


def plain(*roles: str) -> Schema:
    return listed(obj("role content", role={"enum": list(roles)}, content=TEXT))


_BLOCK = obj("text", text=TEXT)
_THOUGHT = obj("reasoningContent", reasoningContent=obj("reasoningText", reasoningText=obj("text", text=TEXT)))


def converse(thoughts: bool, *last: Schema) -> Schema:
    blocks = listed({"oneOf": [_BLOCK, _THOUGHT] if thoughts else [_BLOCK]})
    turn = obj("role content", role={"enum": ["user", "assistant"]}, content=blocks)
    return obj(
        "schemaVersion messages",
        schemaVersion=const("bedrock-conversation-2024"),
        system={**listed(_BLOCK), "maxItems": 1},
        messages=listed({"oneOf": [turn, *last]}),
    )


def _candidate(label: str) -> Schema:
    return obj("content preferenceLabel", content=listed({"oneOf": [_BLOCK, _THOUGHT]}), preferenceLabel=const(label))


CANDIDATES = obj(
    "role candidates",
    role=const("assistant"),
    candidates={
        "type": "array", "minItems": 2, "maxItems": 2,
        "prefixItems": [_candidate("preferred"), _candidate("non-preferred")],
    },
)  # fmt: skip
PARTS = listed(obj("text", text=TEXT))
SYSTEM = obj("role parts", role=const("system"), parts=PARTS)
CONTENTS = listed(obj("role parts", role={"enum": ["user", "model"]}, parts=PARTS))
_MODEL = obj("role parts", role=const("model"), parts=PARTS)
SCORED = {
    "type": "array", "minItems": 2, "maxItems": 2,
    "prefixItems": [obj("score completion", score=const(s), completion=_MODEL) for s in (1, 0)],
}  # fmt: skip
COMPLETION = obj("prompt completion", prompt=TEXT, completion=TEXT)
_ALL = "system user assistant tool"
_CHAT = {"chat": obj("messages", messages=plain("system", "user", "assistant"))}
_OPENAI: dict[str, Schema] = {
    "chat": obj("messages", messages=messages("assistant"), tools=TOOLS),
    "preference": pair(messages()),
    "prompt": {"type": "object", "required": ["messages"], "properties": {"messages": messages()}},
}
SCHEMAS: dict[str, dict[str, Schema]] = {
    "openai": _OPENAI,
    "azure": _OPENAI,
    "together": {
        "chat": obj("messages", messages=messages(_ALL, reasoning=True, named=False), tools=TOOLS),
        "prompt_completion": COMPLETION,
        "text": obj("text", text=TEXT),
        "preference": pair(messages(reasoning=True, named=False)),
    },
    "bedrock-nova": {
        "chat": converse(True),
        "prompt": {
            "type": "object",
            "required": ["messages", "reference_answer"],
            "properties": {"messages": plain("system", "user", "assistant")},
        },
    },
    "bedrock-llama": {"chat": converse(False)},
    "bedrock-claude": {"chat": obj("messages", system=TEXT, messages=plain("user", "assistant"))},
    "bedrock-text": {"prompt_completion": COMPLETION},
    "sagemaker": {
        **_CHAT,
        "prompt_completion": COMPLETION,
        "preference": obj("prompt chosen rejected", prompt=TEXT, chosen=TEXT, rejected=TEXT),
    },
    "sagemaker-nova": {"chat": converse(True), "preference": converse(True, CANDIDATES)},
    "vertex-gemini": {
        "chat": obj("contents", systemInstruction=SYSTEM, contents=CONTENTS),
        "preference": obj("contents completions", system_instruction=SYSTEM, contents=CONTENTS, completions=SCORED),
        "prompt": obj(
            "contents",
            systemInstruction=SYSTEM,
            contents=CONTENTS,
            references={"type": "object", "additionalProperties": ANY_TEXT},
        ),
    },
    "vertex-open": {**_CHAT, "prompt_completion": COMPLETION},
}
