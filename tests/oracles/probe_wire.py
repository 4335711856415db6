"""Run by a Python that has a provider's SDK: checks the golden files of tests/wire with it, and prints what it says.

python probe_wire.py together|together_rules|openai|genai|converse FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8-sig").splitlines()]


def together(folder):
    """Together's own check of a file before it is uploaded; the same with a byte order mark must fail."""
    try:
        from together.lib.utils import check_file
    except ImportError:
        from together.utils.files import check_file
    for path in sorted(folder.glob("together.*.jsonl")):
        report = check_file(path)
        yield path.name, "" if report["is_check_passed"] else report["message"]
    azure = check_file(folder / "azure.chat.jsonl")
    yield "azure.chat.jsonl with its byte order mark", "" if not azure["is_check_passed"] else "was taken"


def together_rules(folder):
    """The row by row check that the SDK had before version 2: roles, weights, pairs. It knew no tools yet."""
    from together.utils.files import validate_messages, validate_preference_openai

    for row in rows(folder / "together.chat.jsonl"):
        if "tools" not in row:
            yield "together.chat.jsonl", _raised(lambda row=row: validate_messages(row["messages"], 0))
    for row in rows(folder / "together.preference.jsonl"):
        yield "together.preference.jsonl", _raised(lambda row=row: validate_preference_openai(row, 0))
    said = {"role": "user", "content": "a"}
    yield "two turns of one role", "" if _raised(lambda: validate_messages([said, said], 0)) else "were taken"


def openai(folder):
    """The SDK's types of messages and tools, with keys that they do not have refused."""
    from typing import get_type_hints

    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam
    from openai.types.chat.chat_completion_assistant_message_param import ChatCompletionAssistantMessageParam
    from openai.types.chat.chat_completion_system_message_param import ChatCompletionSystemMessageParam
    from openai.types.chat.chat_completion_tool_message_param import ChatCompletionToolMessageParam
    from openai.types.chat.chat_completion_user_message_param import ChatCompletionUserMessageParam
    from pydantic import TypeAdapter

    message, tool = TypeAdapter(ChatCompletionMessageParam), TypeAdapter(ChatCompletionToolUnionParam)
    types = {
        "assistant": ChatCompletionAssistantMessageParam,
        "system": ChatCompletionSystemMessageParam,
        "tool": ChatCompletionToolMessageParam,
        "user": ChatCompletionUserMessageParam,
    }
    for name in ("openai", "azure"):
        for path in sorted(folder.glob(f"{name}.*.jsonl")):
            for row in rows(path):
                asked = row.get("input", row)
                for one in [
                    *asked["messages"],
                    *row.get("preferred_output", []),
                    *row.get("non_preferred_output", []),
                ]:
                    extra = set(one) - set(get_type_hints(types[one["role"]])) - {"weight"}
                    yield (
                        path.name,
                        f"unknown keys: {extra}" if extra else _raised(lambda one=one: list_all(message, one)),
                    )
                for one in asked.get("tools", []):
                    yield path.name, _raised(lambda one=one: list_all(tool, one))


def list_all(adapter, value):
    """Validate; lists in TypedDicts are lazy until they are read."""
    found = adapter.validate_python(value, strict=True)
    for call in found.get("tool_calls") or []:
        assert isinstance(call["function"]["arguments"], str)


def genai(folder):
    """google-genai's Content, which refuses keys it does not know."""
    from google.genai.types import Content

    for path in sorted(folder.glob("vertex-gemini.*.jsonl")):
        for row in rows(path):
            parts = [*row["contents"], *(c["completion"] for c in row.get("completions", []))]
            parts += [row[key] for key in ("systemInstruction", "system_instruction") if key in row]
            for one in parts:
                yield path.name, _raised(lambda one=one: Content.model_validate(one))
    yield (
        "an unknown key",
        "" if _raised(lambda: Content.model_validate({"role": "user", "weight": 1})) else "was taken",
    )


def converse(folder):
    """botocore's own check of the messages of a Converse request."""
    from botocore.session import Session
    from botocore.validate import ParamValidator

    shape = Session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape
    names = [
        *folder.glob("bedrock-nova.chat.jsonl"),
        *folder.glob("bedrock-llama.*"),
        *folder.glob("sagemaker-nova.*"),
    ]
    for path in sorted(names):
        for row in rows(path):
            turns = [_answered(turn) for turn in row["messages"]]
            for messages in (
                zip(*turns, strict=False) if "candidates" in row["messages"][-1] else [[t[0] for t in turns]]
            ):
                request = {"modelId": "m", "messages": list(messages)}
                if "system" in row:
                    request["system"] = row["system"]
                report = ParamValidator().validate(request, shape)
                yield path.name, report.generate_report()
    bad = ParamValidator().validate({"modelId": "m", "messages": [{"role": "user", "content": "text"}]}, shape)
    yield "a text in the place of blocks", "" if bad.has_errors() else "was taken"


def _answered(turn):
    """A turn once for each of two candidates."""
    if "candidates" in turn:
        return [{"role": turn["role"], "content": one["content"]} for one in turn["candidates"]]
    return [turn, turn]


def _raised(check):
    try:
        check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    check = {f.__name__: f for f in (together, together_rules, openai, genai, converse)}[sys.argv[1]]
    try:
        found = list(check(Path(sys.argv[2])))
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
    else:
        print(json.dumps({"checked": found}))
