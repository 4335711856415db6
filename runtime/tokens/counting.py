"""How many tokens each row has, and how many of them are trained: with a tokenizer, or estimated."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from ...spec.rows.rowcheck import Row
from ...spec.tokens import estimate
from ...spec.tokens.chat import Chat, Message, Untrainable
from ...spec.tokens.labels import Span, covering, total, uncovered
from .tokenizer import Encoded, Tokenizer

BATCH = 512


@dataclass(frozen=True, slots=True)
class Piece:
    """A text to encode. `spans` is what is trained of it; with `inverse` what is not; None: all of it."""

    text: str
    spans: list[Span] | None
    inverse: bool = False
    plain: bool = False  # no chat: the tokenizer adds its own special tokens
    closed: bool = False  # the end token closes it, and is trained


@dataclass(slots=True)
class RowTokens:
    """One row: the length that `max_length` is held against, what an epoch reads of it, and what it trains."""

    length: int
    read: int
    trained: int
    kept: int  # of `trained`, what is left in max_length tokens


@dataclass
class Counted:
    """All rows of a split, in order."""

    exact: bool
    lengths: array[int] = field(default_factory=lambda: array("I"))
    read: array[int] = field(default_factory=lambda: array("I"))
    trained: array[int] = field(default_factory=lambda: array("I"))
    kept: array[int] = field(default_factory=lambda: array("I"))
    unfit: dict[int, str] = field(default_factory=dict)  # number of a row -> why it cannot be trained on

    def add(self, row: RowTokens | Untrainable) -> None:
        """The next row."""
        if isinstance(row, Untrainable):
            self.unfit[len(self.lengths)] = str(row)
            row = RowTokens(0, 0, 0, 0)
        for column, value in zip(
            (self.lengths, self.read, self.trained, self.kept),
            (row.length, row.read, row.trained, row.kept),
            strict=True,
        ):
            column.append(value)

    def read_in(self, row: int, limit: int) -> int:
        """Tokens that are read of a row cut to a limit: of answers as much less as they lost, else all beyond it."""
        if self.read[row] == self.lengths[row]:
            return min(self.read[row], limit)
        return self.read[row] - (self.trained[row] - self.kept[row])


@dataclass(frozen=True)
class Question:
    """What to count: the rows' shape, which of their tokens are trained, and the length that fits."""

    shape: str
    loss_on: str
    max_length: int | None = None


def count(rows: Iterable[Row], question: Question, tokenizer: Tokenizer | None) -> Counted:
    """Count rows in their canonical form. With a tokenizer exactly; without one by their characters."""
    counted = Counted(exact=tokenizer is not None)
    found = _exact(iter(rows), question, tokenizer) if tokenizer else _estimated(rows, question)
    for row in found:
        counted.add(row)
    return counted


def decoded(lines: Iterable[bytes]) -> Iterator[Row]:
    """Rows from their canonical lines."""
    return map(json.loads, lines)


def _exact(rows: Iterator[Row], question: Question, tokenizer: Tokenizer) -> Iterator[RowTokens | Untrainable]:
    """One batch is encoded while the next is rendered."""
    with ThreadPoolExecutor(1) as worker:
        waiting = None
        while batch := [pieces(row, question, tokenizer) for row in islice(rows, BATCH)]:
            encoding = worker.submit(encode, batch, question, tokenizer)
            if waiting:
                yield from waiting.result()
            waiting = encoding
        if waiting:
            yield from waiting.result()


def pieces(row: Row, question: Question, tokenizer: Tokenizer) -> list[Piece] | Untrainable:
    """What to encode of a row."""
    try:
        if question.shape == "chat":
            return [_chat(row, question.loss_on, tokenizer)]
        if question.shape == "text":
            return [Piece(row["text"], None, plain=True, closed=True)]
        if question.shape == "prompt":
            return [_prompt(row, tokenizer)]
        if question.shape == "prompt_completion":
            return [_completion(row["prompt"], row["completion"], everything=question.loss_on == "all")]
        sides = ("chosen", "rejected") if question.shape == "preference" else ("completion",)
        return [_answer(row, row[side], tokenizer) for side in sides]
    except Untrainable as error:
        return error


def trained_tokens(piece: Piece, encoded: Encoded, tokenizer: Tokenizer) -> tuple[int, list[range]]:
    """How many tokens a piece has with the end token that closes it, and which are trained, as ranges of numbers."""
    count = len(encoded)
    if piece.spans is None:
        found = [range(count)]
    else:
        found = covering(encoded.ends, piece.spans)
        found = uncovered(count, found) if piece.inverse else found
    if piece.closed and tokenizer.eos is not None:
        count += not tokenizer.ends_with_eos(piece.text, encoded)
        if not found or found[-1].stop < count:
            found.append(range(count - 1, count))
    return count, found


def _chat(row: Row, loss_on: str, tokenizer: Tokenizer) -> Piece:
    chat = Chat(tokenizer.renderer(row), row["messages"], row)
    turns = [i for i, message in enumerate(chat.messages) if message["role"] == "assistant"]
    left_out = [i for i in turns if row["messages"][i].get("weight") == 0]
    if loss_on == "all":
        return Piece(chat.text, [chat.turn(i) for i in left_out], inverse=True)
    wanted = turns[-1:] if loss_on == "last_assistant" else turns
    spans = [chat.turn(i) for i in wanted if i not in left_out]
    return Piece(chat.text, spans)  # after the turns, which may add an end token to the text


def _prompt(row: Row, tokenizer: Tokenizer) -> Piece:
    prompt = row["prompt"]
    if isinstance(prompt, str):
        return Piece(prompt, [], plain=True)
    try:
        return Piece(tokenizer.renderer(row).render(prompt, add_generation_prompt=True), [])
    except Exception as error:
        raise Untrainable(f"the chat template refuses it: {error}") from error


def _completion(prompt: str, completion: str, everything: bool = False) -> Piece:
    text = prompt + completion
    return Piece(text, None if everything else [(len(prompt), len(text))], plain=True, closed=True)


def _answer(row: Row, answer: str | list[Message], tokenizer: Tokenizer) -> Piece:
    if isinstance(answer, str):
        return _completion(row["prompt"], answer)
    chat = Chat(tokenizer.renderer(row), row["prompt"] + answer, row)
    span = chat.turn(len(row["prompt"]))
    return Piece(chat.text, [span])


def encode(
    batch: Sequence[list[Piece] | Untrainable], question: Question, tokenizer: Tokenizer
) -> list[RowTokens | Untrainable]:
    """Tokens of a batch of rows."""
    flat = [piece for found in batch if isinstance(found, list) for piece in found]
    special, offsets = any(p.plain for p in flat), any(p.spans is not None for p in flat)
    encoded = iter(tokenizer.encode([p.text for p in flat], special=special, offsets=offsets))
    out: list[RowTokens | Untrainable] = []
    for found in batch:
        if isinstance(found, Untrainable):
            out.append(found)
        else:
            out.append(_row(found, list(islice(encoded, len(found))), question, tokenizer))
    return out


def _row(
    found: list[Piece], encoded: list[Encoded], question: Question, tokenizer: Tokenizer
) -> RowTokens | Untrainable:
    limit = question.max_length
    counts = [trained_tokens(piece, one, tokenizer) for piece, one in zip(found, encoded, strict=True)]
    if question.shape in ("preference", "unpaired_preference"):
        return _answers(encoded, [trained for _, trained in counts], limit)
    count, trained = counts[0]
    return RowTokens(count, count, total(trained), total(trained, limit))


def _answers(encoded: list[Encoded], trained: list[list[range]], limit: int | None) -> RowTokens | Untrainable:
    """A pair of answers, or one: each is read with the prompt before it."""
    if not all(trained):
        return Untrainable("an answer has no tokens")
    start, stops = min(parts[0].start for parts in trained), [parts[-1].stop for parts in trained]
    if len(encoded) > 1 and encoded[0].ids[:start] != encoded[1].ids[:start]:
        return Untrainable("chosen and rejected do not have the same prompt")
    answers = [stop - start for stop in stops]
    left = max(answers) if limit is None else max(limit - start, 0)
    return RowTokens(max(stops), sum(stops), sum(answers), sum(min(answer, left) for answer in answers))


def _estimated(rows: Iterable[Row], question: Question) -> Iterator[RowTokens]:
    for row in rows:
        length, read, trained = estimate.row(row, question.shape, question.loss_on)
        limit = question.max_length
        over = 0 if limit is None else max(length - limit, 0)
        yield RowTokens(length, read, trained, max(trained - over, 0))
