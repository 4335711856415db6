"""Where in a rendered chat each turn of the assistant is, under any chat template.

The same way as in a bundle's prepare.py (templates/prepare.py.j2): private-use characters are put into the messages,
and what the template makes of them shows where each text went. Rendering itself is a function that the caller gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from itertools import takewhile
from typing import Any

Message = dict[str, Any]
Render = Callable[..., str]  # (messages, **options) -> text; raises where the template refuses

_MARKS = re.compile("[\U00100000-\U0010fffd]")
_MOST = 0xFFFE // 3  # messages with three such characters each
_PLAIN = {"role", "content", "name", "tool_calls"}


class Untrainable(ValueError):
    """A row cannot be trained on; the message says why."""


class Renderer:
    """A chat template with the special tokens of its tokenizer."""

    def __init__(self, render: Render, special: Iterable[str]) -> None:
        self.render = render
        self.token = "(?:" + "|".join(map(re.escape, sorted(set(special), key=len, reverse=True))) + ")"
        self.end_tokens = re.compile(r"\s*" + self.token * max(_common(self._ends()), 1))

    def _ends(self) -> list[list[str]]:
        """Special tokens after a text, at the end of a chat and before the next turn: one, or two (Cohere)."""
        user, assistant = {"role": "user", "content": "-"}, {"role": "assistant", "content": _marks(0)[0]}
        try:
            views = [self.render(chat) for chat in ([user, assistant], [user, assistant, user])]
            after = [re.match(f"{self.token}*", _MARKS.split(view)[1]) for view in views]
        except Exception:  # a template that refuses a chat this small, by whatever error
            return [[]]
        return [re.findall(self.token, match[0]) if match else [] for match in after]


class Chat:
    """A conversation as its chat template renders it, in which each assistant's turn can be found."""

    def __init__(self, renderer: Renderer, messages: list[Message], row: Message) -> None:
        self._renderer = renderer
        self._options = {"tools": row.get("tools"), **(row.get("chat_template_kwargs") or {})}
        self.messages = [_bare(message) for message in messages]
        self._view, self._marked, self._json_arguments = "", self.messages, False
        try:
            self.text = self._render(self.messages)
        except Exception as error:
            self._json_arguments = True  # which some templates want in a call (DeepSeek)
            self.text = self._try_render(self.messages)
            if not self.text:
                raise Untrainable(f"the chat template refuses it: {error}") from error

    def turn(self, i: int) -> tuple[int, int]:
        """Where in the text the assistant's message i is, with its end token, which this may add to the text."""
        if not self._view:
            self._follow()
        first, last, call = _marks(i)
        calls = _functions(self.messages[i])
        written = bool((self.messages[i].get("content") or "").strip())
        if self._view.count(last) != written or self._view.count(call) < len(calls) or not (written or calls):
            raise Untrainable(f"message {i + 1} is empty, or the chat template leaves out its text or calls")
        start, end = self._start(i), self._end(i, bool(calls))
        if start is None or end is None or set(_MARKS.findall(self._view[start:end])) - {first, last, call}:
            raise Untrainable(f"cannot tell where message {i + 1} starts and ends in the rendered chat")
        return len(_MARKS.sub("", self._view[:start])), len(_MARKS.sub("", self._view[:end]))

    def _render(self, messages: list[Message], **options: bool) -> str:
        if self._json_arguments:
            messages = deepcopy(messages)
            for message in messages:
                for function in _functions(message):
                    function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)
        return self._renderer.render(messages, **{**self._options, **options})

    def _try_render(self, messages: list[Message], **options: bool) -> str:
        with suppress(Exception):  # a template may refuse a part of a conversation
            return self._render(messages, **options)
        return ""

    def _follow(self) -> None:
        """Render the conversation with marks."""
        for starts in (True, False):  # they are in the way where the template trims or takes apart a text
            self._marked = [_mark(message, i, starts) for i, message in enumerate(self.messages)]
            self._view = self._try_render(self._marked)
            if _MARKS.sub("", self._view) == self.text:
                return
        raise Untrainable("cannot follow the messages through the chat template")

    def _start(self, i: int) -> int | None:
        view, (first, last, _) = self._view, _marks(i)
        start = min(view.find(character) for character in _marks(i) if character in view)
        if view[start] == first and self.messages[i].keys() <= _PLAIN:
            return start
        # Reasoning or a call comes first: the turn starts where a prompt for it ends, or where a text would start.
        before, text, after = self._marked[:i], {"role": "assistant", "content": last}, self._marked[i + 1 :]
        texts = [self._try_render([*before, text, *rest]) for rest in ([], after)]
        texts = [found.split(last)[0] for found in texts if last in found]
        prompts = [self._try_render(before, add_generation_prompt=True, **o) for o in ({}, {"enable_thinking": True})]
        prompt, thinking = ([] if found in ("", self._try_render(before)) else [found] for found in prompts)
        previous = start - len(_MARKS.split(view[:start])[-1])
        for views in (texts + prompt, thinking):
            headers = [_MARKS.split(found)[-1] for found in views]
            if lengths := [len(header) for header in headers if view.startswith(header, previous)]:
                return previous + max(lengths)
        return None

    def _end(self, i: int, calls: bool) -> int | None:
        closing, count = self._closing(i) if calls else ("", 1)
        end, token = self._end_token(i, self._view, closing, count)
        if not token and not self._view[end:].strip():
            # Where the token that opens the next turn ends this one (GLM), the last turn lacks it: add it.
            longer = self._try_render([*self._marked, {"role": "tool" if calls else "user", "content": "-"}])
            token = self._end_token(i, longer, closing, count)[1]
            self._view = self._view[:end] + token
            self.text = _MARKS.sub("", self._view)
        return end + len(token) if token else None

    def _closing(self, i: int) -> tuple[str, int]:
        """What the template itself writes between message i's last mark and the end token, and the marks up to it."""
        _, last, call = _marks(i)
        view = self._try_render(self._marked[: i + 1])
        closing, count = _MARKS.split(view)[-1], len(re.findall(f"[{last}{call}]", view))
        footer = self._try_render([*self._marked[:i], {"role": "assistant", "content": last}]).partition(last)[2]
        if not footer.strip():
            return closing.rstrip(), count
        if closing.endswith(footer):
            return closing.removesuffix(footer), count
        end = re.search(self._renderer.end_tokens.pattern + r"\s*$", closing)  # a call may end unlike a text (gpt-oss)
        if not end:
            raise Untrainable(f"no special token ends the call in message {i + 1} in the rendered chat")
        return closing[: end.start()], count

    def _end_token(self, i: int, view: str, closing: str, count: int) -> tuple[int, str]:
        """Where the text of message i ends in the view, and the end token right after it."""
        _, last, call = _marks(i)
        ends = [match.end() for match in re.finditer(f"[{last}{call}]", view)]
        if len(ends) < count or not view.startswith(closing, ends[count - 1]):
            return len(view), ""
        end = ends[count - 1] + len(closing)
        token = self._renderer.end_tokens.match(view, end)
        return end, token[0] if token else ""


def _common(ends: list[list[str]]) -> int:
    """How many first tokens are the same in both."""
    pairs = zip(ends[0], ends[-1], strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _marks(i: int) -> tuple[str, str, str]:
    """Three characters for message i: before its text, after it, and in its calls."""
    if i >= _MOST:
        raise Untrainable("the conversation has too many messages to follow")
    return chr(0x100000 + 3 * i), chr(0x100001 + 3 * i), chr(0x100002 + 3 * i)


def _functions(message: Message) -> list[Message]:
    return [call.get("function", call) for call in message.get("tool_calls") or ()]


def _bare(message: Message) -> Message:
    """A copy without its weight, and with the arguments of calls as objects."""
    out = {key: deepcopy(value) if key == "tool_calls" else value for key, value in message.items() if key != "weight"}
    for function in _functions(out):
        arguments = function.get("arguments") or {}
        function["arguments"] = json.loads(arguments) if isinstance(arguments, str) else arguments
    return out


def _mark(message: Message, i: int, starts: bool) -> Message:
    """Mark the end (and start) of what an assistant wrote, and another message somewhere inside."""
    first, last, call = _marks(i)
    text, own = message.get("content"), message["role"] == "assistant"
    message = {key: deepcopy(value) if key == "tool_calls" else value for key, value in message.items()}
    if isinstance(text, str) and text.strip():
        # Others in the middle, because templates look at how a message starts and ends.
        cut = len(text.rstrip()) if own else len(text) // 2
        message["content"] = (first if own and starts else "") + text[:cut] + last + text[cut:]
    for function in _functions(message):
        texts = [key for key, value in function["arguments"].items() if isinstance(value, str)]
        place, key = (function["arguments"], texts[-1]) if texts else (function, "name")
        place[key] += call
    return message
