"""Tokens: how fast they are counted beside the bare `tokenizers` package, and how far the estimate is off.

    python benchmarks/tokens.py MODEL_FOLDER ROWS...      # rows as .jsonl or .json; columns as prompt=question,...

Rows are read before the clock starts. `encode` is what Tuneform does to rendered texts: encoding with offsets, and
finding the trained tokens. `count` is all of it: rows from JSON, the chat template, where each turn is, and that.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer as Bare

from tuneform.runtime.loaded import Source
from tuneform.runtime.problems import Place, Problems
from tuneform.runtime.sources import SourceReading
from tuneform.runtime.tokens import counting
from tuneform.runtime.tokens.tokenizer import Tokenizer, load

ROUNDS = 7


def timed(*works: Callable[[], object]) -> list[float]:
    """Medians of several rounds, interleaved."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for kept, work in zip(times, works, strict=True):
            began = time.perf_counter()
            work()
            kept.append(time.perf_counter() - began)
    return [statistics.median(kept) for kept in times]


def read(name: str) -> tuple[list[bytes], str, dict[str, str]]:
    path, _, mapped = name.partition(",")
    columns = dict(pair.split("=") for pair in mapped.split(",") if pair)
    source = Source(Path(path), path, columns=columns)
    loaded = SourceReading(source, Place("data.train", path, path), None, True, Problems()).run()
    return list(loaded.lines()), loaded.shape or "", columns


def compare(name: str, tokenizer: Tokenizer, bare: Bare) -> None:
    lines, shape, _ = read(name)
    question = counting.Question(shape, "completion" if shape == "prompt_completion" else "assistant", 2048)
    found = [counting.pieces(row, question, tokenizer) for row in counting.decoded(lines)]
    texts = [piece.text for pieces in found if isinstance(pieces, list) for piece in pieces]
    plain = bool(shape in ("text", "prompt_completion"))

    def encode() -> None:
        for start in range(0, len(found), counting.BATCH):
            counting.encode(found[start : start + counting.BATCH], question, tokenizer)

    base, ours, whole = timed(
        lambda: bare.encode_batch(texts, add_special_tokens=plain),
        encode,
        lambda: counting.count(counting.decoded(lines), question, tokenizer),
    )
    exact, guess = (
        counting.count(counting.decoded(lines), question, tokenizer),
        counting.count(counting.decoded(lines), question, None),
    )
    fit = [i for i in range(len(lines)) if i not in exact.unfit]
    real, said = sum(exact.read[i] for i in fit), sum(guess.read[i] for i in fit)
    rows = statistics.quantiles([abs(guess.lengths[i] / exact.lengths[i] - 1) for i in fit], n=20)[18]
    print(f"{Path(name.partition(',')[0]).name:<30} {shape:<20} {len(lines):>5} rows {real:>8,} tokens", end="  ")
    print(f"encode {base / ours:.2f}x of bare, count {base / whole:.2f}x", end="  ")
    print(f"estimate {said / real - 1:+.1%} in all, 95 of 100 rows within {rows:.0%}")


def main() -> None:
    folder, *names = sys.argv[1:]
    tokenizer = load(folder, online=False)
    bare = Bare.from_file(str(Path(folder) / "tokenizer.json"))
    for name in names:
        compare(name, tokenizer, bare)


if __name__ == "__main__":
    main()
