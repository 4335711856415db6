"""The shapes of rows: what users write, and the one form of each that the rest of Tuneform reads.

chat                {"messages": [{"role", "content", ...}], "tools"?, "chat_template_kwargs"?}
prompt_completion   {"prompt": text, "completion": text}
text                {"text": text}
preference          {"prompt", "chosen", "rejected", "tools"?}; all texts, or all lists of messages
unpaired_preference {"prompt", "completion", "label": true or false, "tools"?}; texts, or lists of messages
prompt              {"prompt": text or messages, "item": {the other columns}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from . import detection
from .contents import read_contents, read_references, read_scored
from .converse import read_candidates, read_converse
from .detection import Detected
from .needs import NO_NEEDS, Needs, check_of
from .preference import instruction, read_preference
from .prompts import read_prompt, read_unpaired
from .rowcheck import Row, RowError, kind, list_of, note_rest, required, text_of
from .toolcalls import read_tools
from .turns import check_order, check_trainable, read_messages

__all__ = [
    "COLUMNS",
    "METHODS",
    "SHAPES",
    "Detected",
    "Row",
    "RowError",
    "convert",
    "converter",
    "detect",
    "methods_for",
]

Reader = Callable[[Row, set[str] | None], Row]

SHAPES: Mapping[str, str] = {
    "chat": "chat",
    "sharegpt": "chat",
    "instruction": "chat",
    "converse": "chat",
    "gemini": "chat",
    "prompt_completion": "prompt_completion",
    "text": "text",
    "preference": "preference",
    "converse_preference": "preference",
    "gemini_preference": "preference",
    "unpaired_preference": "unpaired_preference",
    "prompt": "prompt",
    "gemini_prompt": "prompt",
}
"""The shape that rows of a format get."""

METHODS: Mapping[str, tuple[str, ...]] = {
    "sft": ("chat", "prompt_completion", "text"),
    "pretrain": ("text",),
    "dpo": ("preference",),
    "orpo": ("preference",),
    "kto": ("unpaired_preference",),
    "grpo": ("prompt",),
    "rft": ("prompt",),
}
"""The shapes that a method takes."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "chat": ("messages", "conversations", "prompt", "completion", "system", "tools", "chat_template_kwargs"),
    "sharegpt": ("conversations", "messages", "system", "tools", "chat_template_kwargs"),
    "instruction": ("instruction", "input", "output", "system", "history"),
    "prompt_completion": ("prompt", "completion"),
    "text": ("text",),
    "preference": (
        *("prompt", "chosen", "rejected", "conversations", "messages", "instruction", "input", "system", "tools"),
        *("preferred_output", "non_preferred_output"),
    ),
    "unpaired_preference": ("prompt", "completion", "label", "messages", "conversations", "system", "tools"),
    "prompt": ("prompt", "messages", "conversations", "instruction", "input", "system"),
    "converse": ("messages", "system"),
    "converse_preference": ("messages", "system"),
    "gemini": ("contents", "systemInstruction", "system_instruction"),
    "gemini_preference": ("contents", "completions", "systemInstruction", "system_instruction"),
    "gemini_prompt": ("contents", "references", "systemInstruction", "system_instruction"),
}
"""The keys of each format, which `columns` can map."""

_INSTRUCTION = frozenset(COLUMNS["instruction"])
_ALPACA = frozenset(("instruction", "input", "output"))


def methods_for(shape: str) -> list[str]:
    """The methods that take a shape."""
    return [name for name, shapes in METHODS.items() if shape in shapes]


def detect(row: Row, columns: Mapping[str, str] | None = None) -> Detected:
    """The format of a row; where the user maps columns, these decide if they can."""
    if columns:
        row = rename(row, columns)
        with suppress(RowError):
            return detection.detect({key: row[key] for key in columns if key in row})
    return detection.detect(row)


def convert(
    row: Row,
    format: str,
    columns: Mapping[str, str] | None = None,
    ignored: set[str] | None = None,
    needs: Needs = NO_NEEDS,
) -> Row:
    """A row in its canonical form. `ignored` gathers the names of columns that are not carried."""
    return converter(format, columns, needs)(row, ignored)


def converter(format: str, columns: Mapping[str, str] | None = None, needs: Needs = NO_NEEDS) -> Reader:
    """What converts rows of a format to their canonical form; see `convert`."""
    read: Reader = partial(_chat, loss_on=needs.loss_on) if format == "chat" else _READERS[format]
    if check := check_of(SHAPES[format], needs):
        read = partial(_checked, read=read, check=check)
    return partial(_renamed, read=read, columns=columns) if columns else read


def _checked(row: Row, ignored: set[str] | None, read: Reader, check: Callable[[Row], None]) -> Row:
    found = read(row, ignored)
    check(found)
    return found


def _renamed(row: Row, ignored: set[str] | None, read: Reader, columns: Mapping[str, str]) -> Row:
    if ignored is not None:
        ignored.update(key for key in columns if key in row and key not in columns.values())  # another takes its name
    try:
        return read(rename(row, columns), ignored)
    except RowError as error:
        if error.where and error.where[0] in columns:
            where = (columns[str(error.where[0])], *error.where[1:])
            raise RowError(error.code, where, error.message, error.hint) from None
        raise


def rename(row: Row, columns: Mapping[str, str]) -> Row:
    """The row with the user's columns under the names of the format."""
    taken = {*columns, *columns.values()}
    out = {key: row[column] for key, column in columns.items() if column in row}
    return out | {key: value for key, value in row.items() if key not in taken}


def _chat(row: Row, ignored: set[str] | None, loss_on: str = "assistant") -> Row:
    key = next((k for k in ("messages", "conversations") if row.get(k) is not None), None)
    if key is None and "prompt" in row and "completion" in row:
        return _prompt_and_completion(row, ignored, loss_on)
    return _turns(row, key or "messages", ignored)


def _sharegpt(row: Row, ignored: set[str] | None) -> Row:
    other = row.get("conversations") is None and "messages" in row
    return _turns(row, "messages" if other else "conversations", ignored)


def _turns(row: Row, key: str, ignored: set[str] | None) -> Row:
    messages = read_messages(required(row, key), (key,), ignored)
    check_order(messages, (key,))
    check_trainable(messages, (key,))
    return _conversation(row, messages, (key,), ignored) if len(row) > 1 else {"messages": messages}


def _prompt_and_completion(row: Row, ignored: set[str] | None, loss_on: str) -> Row:
    """TRL trains the completion alone here, so answers in the prompt get weight 0, unless every token is asked for."""
    prompt = read_messages(row["prompt"], ("prompt",), ignored)
    completion = read_messages(row["completion"], ("completion",), ignored)
    check_order(prompt, ("prompt",))
    check_order(prompt + completion, ("completion",), len(prompt))
    check_trainable(completion, ("completion",))
    asked = [m | {"weight": 0} if m["role"] == "assistant" and loss_on != "all" else m for m in prompt]
    return _conversation(row, asked + completion, ("prompt", "completion"), ignored)


def _conversation(row: Row, messages: list[Row], keys: tuple[str, ...], ignored: set[str] | None) -> Row:
    if row.get("system") not in (None, ""):
        if messages[0]["role"] == "system":
            raise RowError("TF318", ("system",), "stands beside a system message in the conversation", "keep one")
        messages.insert(0, {"role": "system", "content": text_of(row["system"], ("system",))})
    out: Row = {"messages": messages}
    if tools := read_tools(row.get("tools"), ("tools",)):
        out["tools"] = tools
    if options := row.get("chat_template_kwargs"):
        if not isinstance(options, dict):
            raise RowError("TF316", ("chat_template_kwargs",), f"must be an object, not {kind(options)}")
        out["chat_template_kwargs"] = options
    note_rest(row, (*keys, "system", "tools", "chat_template_kwargs"), "", ignored)
    return out


def _instruction(row: Row, ignored: set[str] | None) -> Row:
    answer = row.get("output")
    if type(answer) is not str or not answer or answer.isspace():
        text_of(required(row, "output"), ("output",))
    messages = [{"role": "user", "content": instruction(row)}, {"role": "assistant", "content": answer}]
    if len(row) > 3 or not row.keys() <= _ALPACA:
        messages[:0] = _before(row)
        note_rest(row, _INSTRUCTION, "", ignored)
    return {"messages": messages}


def _before(row: Row) -> Iterator[Row]:
    if (system := row.get("system")) is not None and system != "":
        yield {"role": "system", "content": text_of(system, ("system",))}
    if history := row.get("history"):
        yield from _history(history)


def _history(value: object) -> list[Row]:
    found = []
    for i, turn in enumerate(list_of(value, ("history",), "[question, answer] pairs")):
        if not isinstance(turn, list) or len(turn) != 2:
            raise RowError("TF316", ("history", i), "must be a pair [question, answer]")
        for j, role in enumerate(("user", "assistant")):
            found.append({"role": role, "content": text_of(turn[j], ("history", i, j))})
    return found


def _texts(*keys: str) -> Reader:
    def read(row: Row, ignored: set[str] | None) -> Row:
        out = {key: text_of(required(row, key), (key,)) for key in keys}
        if len(row) > len(keys):
            note_rest(row, keys, "", ignored)
        return out

    return read


def _prompt(row: Row, ignored: set[str] | None) -> Row:
    """Methods with rewards take each format as a prompt, without asking which it is."""
    if "contents" in row and not {"prompt", "messages", "conversations"} & row.keys():
        return read_references(row, ignored)
    return read_prompt(row, ignored)


_READERS: Mapping[str, Reader] = {
    "chat": _chat,
    "sharegpt": _sharegpt,
    "instruction": _instruction,
    "prompt_completion": _texts("prompt", "completion"),
    "text": _texts("text"),
    "preference": read_preference,
    "unpaired_preference": read_unpaired,
    "prompt": _prompt,
    "converse": read_converse,
    "converse_preference": read_candidates,
    "gemini": read_contents,
    "gemini_preference": read_scored,
    "gemini_prompt": read_references,
}
