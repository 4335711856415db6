"""A model's own tokenizer, through the `tokenizers` package alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...spec.tokens.chat import Message, Renderer
from .folder import Files, NoTokenizer, find, read
from .template import compile_template

INSTALL = "pip install 'tuneform[tokens]'"


@dataclass
class Encoded:
    """One text as tokens: how many, where each ends in the text (where asked for), and their ids."""

    raw: Any  # tokenizers.Encoding

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def ends(self) -> list[int]:
        """Where each token ends in the text, in characters."""
        return [end for _, end in self.raw.offsets]

    @property
    def ids(self) -> list[int]:
        """The tokens themselves."""
        found: list[int] = self.raw.ids
        return found


class Tokenizer:
    """Encodes texts and renders chats as transformers does for this model."""

    def __init__(self, files: Files, name: str) -> None:
        try:
            from tokenizers import Tokenizer as Bare
        except ImportError:
            raise NoTokenizer(f"the package `tokenizers` is not installed: {INSTALL}") from None
        try:
            self._bare = Bare.from_file(str(files.tokenizer))
        except Exception as error:  # the package raises a plain Exception
            raise NoTokenizer(f"{files.tokenizer} cannot be read: {error}") from error
        self._bare.no_truncation()
        self._bare.no_padding()
        self.name = name
        added = self._bare.get_added_tokens_decoder().values()
        self.special = sorted({token.content for token in added if token.special} | set(files.named.values()))
        eos = files.named.get("eos_token")
        self.eos: int | None = None if eos is None else self._bare.token_to_id(eos)
        self._eos_text = eos or ""
        self._adds_eos = eos is not None and self._bare.encode("a").ids[-1:] == [self.eos]
        ends = {token.content for token in added if token.special} | ({eos} if eos else set())
        self._renderers = [_renderer(source, files, ends) for source in (files.template, files.tool_template)]

    def renderer(self, row: Message) -> Renderer:
        """The chat template for a row. NoTokenizer where the model has none."""
        plain, with_tools = self._renderers
        found = with_tools if row.get("tools") and with_tools else plain
        if found is None:
            raise NoTokenizer(f"{self.name} has no chat template")
        return found

    def ends_with_eos(self, text: str, encoded: Encoded) -> bool:
        """Whether the text or the tokenizer itself has put the end token there; ids are costly to ask for."""
        return (self._adds_eos or text.rstrip().endswith(self._eos_text)) and encoded.ids[-1:] == [self.eos]

    def encode(self, texts: list[str], *, special: bool, offsets: bool) -> list[Encoded]:
        """Token counts of many texts at once, on all cores."""
        encode = self._bare.encode_batch if offsets else self._bare.encode_batch_fast
        return [Encoded(one) for one in encode(texts, add_special_tokens=special)]


def load(model: str, *, online: bool, template: str | None = None, folder: Path | None = None) -> Tokenizer:
    """The tokenizer of a model, by its folder or hub id. NoTokenizer where it cannot be had."""
    return Tokenizer(read(folder or find(model, online=online), template), model)


def _renderer(source: str | None, files: Files, ends: set[str]) -> Renderer | None:
    if source is None:
        return None
    try:
        return Renderer(compile_template(source, files.named), ends)
    except Exception as error:  # the source is untrusted: too deep, too large, no text
        raise NoTokenizer(f"the chat template is broken: {str(error) or type(error).__name__}") from error
