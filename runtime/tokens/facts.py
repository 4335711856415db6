"""Tokens of a plan's training rows: with the model's own tokenizer where it is on this machine, else estimated."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ...spec.bundle_paths import from_spec
from ...spec.fields import is_local
from ...spec.load import Document
from ...spec.method import REWARDED
from ...spec.plan import DataFacts, TokenFacts
from ...spec.rows.rowcheck import Row
from .counting import Counted, Question, count
from .folder import NoTokenizer, find
from .tokenizer import Tokenizer, load

LOSS_ON = {"prompt_completion": "completion", "text": "all"}


class TokenCounter:
    """Counts for the targets of a project; the network is not asked."""

    def __init__(self) -> None:
        self._tokenizers: dict[tuple[str, str | None], Tokenizer | str] = {}
        self._counted: dict[object, Counted] = {}

    def facts(self, document: Document, known: DataFacts, rows: Iterable[Row], digest: str) -> TokenFacts | None:
        """The token facts of training rows. `digest` tells rows apart, so that targets share what is counted."""
        spec, shape = document.spec, known.shape
        assert spec is not None
        if shape is None:
            return None
        tokenizer = self._tokenizer(document)
        question = Question(shape, spec.data.loss_on or LOSS_ON.get(shape, "assistant"), _limit(document))
        while True:
            try:
                own = tokenizer if isinstance(tokenizer, Tokenizer) else None
                key = (digest, question, own and id(own))
                if key not in self._counted:
                    self._counted[key] = count(rows, question, own)
                break
            except NoTokenizer as error:  # a chat, and no template for it
                tokenizer = str(error)
        how = f"counted with the tokenizer of {own.name}" if own else f"estimated from characters: {tokenizer}"
        return _facts(self._counted[key], question, spec.training.on_too_long, how)

    def _tokenizer(self, document: Document) -> Tokenizer | str:
        """The tokenizer, or why there is none."""
        name, folder = _model(document)
        template = _template(document)
        key = (str(folder or name), template)
        if key not in self._tokenizers:
            try:
                self._tokenizers[key] = load(
                    name, online=False, template=template, folder=folder and find(str(folder), online=False)
                )
            except NoTokenizer as error:
                self._tokenizers[key] = str(error)
        return self._tokenizers[key]


def _model(document: Document) -> tuple[str, Path | None]:
    """The tokenizer's name, and its folder where it is a local one."""
    assert document.spec is not None
    model = document.spec.model
    field = "tokenizer" if model.tokenizer else "start_from" if model.start_from else "id"
    name = getattr(model, field)
    assert isinstance(name, str)
    return name, _beside(document, field, name) if is_local(name) else None


def _template(document: Document) -> str | None:
    assert document.spec is not None
    named = document.spec.model.chat_template
    if named is None:
        return None
    try:
        return _beside(document, "chat_template", named).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None  # which compiling tells


def _beside(document: Document, field: str, text: str) -> Path:
    here = Path(document.file).parent / from_spec(document, ["model", field], text)
    return Path(document.sources.at(os.path.abspath(here)))


def _limit(document: Document) -> int:
    assert document.spec is not None
    spec = document.spec
    answers = spec.method.grpo.max_completion_length if spec.method.grpo else 0
    return spec.training.max_length - answers if spec.method.name in REWARDED else spec.training.max_length


def _facts(counted: Counted, question: Question, on_too_long: str, how: str) -> TokenFacts:
    limit, cut = question.max_length or 0, on_too_long == "truncate" and question.shape != "prompt"
    answers = question.shape != "prompt"
    unfit = {i for i, trained in enumerate(counted.trained) if i in counted.unfit or (answers and not trained)}
    long = {i for i, length in enumerate(counted.lengths) if length > limit and i not in unfit}
    dropped = {i for i in long if not (cut and counted.kept[i])}
    left = [i for i in range(len(counted.lengths)) if i not in unfit and i not in dropped]
    return TokenFacts(
        exact=counted.exact,
        how=how,
        tokens_train=sum(counted.read_in(i, limit) for i in left),
        trained_tokens=sum(counted.kept[i] for i in left),
        longest=max((length for i, length in enumerate(counted.lengths) if i not in unfit), default=0),
        rows_dropped=len(dropped),
        rows_cut=len(long) - len(dropped),
        rows_unfit=len(unfit),
    )
