"""Reading, checking, converting and writing rows, beside a bare orjson loop: `python benchmarks/data.py`.

400,000 rows as in Alpaca (about 200 MB, seeded). Each way runs in a process of its own, interleaved, medians of several
rounds; memory is the process's largest. Nothing here is a test with a limit.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROWS, SEED = 400_000, 7
DATASETS = 10.9e3  # rows/s of `datasets` load_dataset, map and to_json, measured on this kind of rows


def generate(path: Path, rows: int) -> None:
    """Rows with an instruction, in every other row an input, and an answer of a few lines with quotes in some."""
    rng = random.Random(SEED)
    letters = "abcdefghijklmnopqrstuvwxyzéß"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(5000)]

    def text(count: int) -> str:
        return " ".join(rng.choices(words, k=count)).capitalize()

    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            said = f' He said: "{text(4)}".' if number % 5 == 0 else ""
            output = f"{text(rng.randint(20, 40))}.\n\n{text(rng.randint(10, 25))}.{said}"
            row = {"instruction": f"{text(12)}: {number}?", "input": text(9) if number % 2 else "", "output": output}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def bare(path: Path, out: Path) -> None:
    """The least that a conversion can do: decode, reshape, encode."""
    import orjson

    loads, dumps = orjson.loads, orjson.dumps
    with path.open("rb") as file, out.open("wb") as to:
        for line in file:
            row = loads(line)
            asked = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
            messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": row["output"]}]
            to.write(dumps({"messages": messages}) + b"\n")


def tuneform(path: Path, out: Path, workers: int = 1) -> None:
    """Everything that `tuneform compile` does with rows."""
    from tuneform.compilers.base import DataStep
    from tuneform.runtime.data import DataRequest, Source, read_data, write_data

    result = read_data(DataRequest(train=[Source(path, path.name)]))
    assert result.ok, result.diagnostics
    write_data(result, [DataStep("train", "chat", out.name)], out.parent)


def two_workers(path: Path, out: Path) -> None:
    """The same, with two worker processes."""
    tuneform(path, out, 2)


WAYS: dict[str, Callable[[Path, Path], None]] = {"bare": bare, "tuneform": tuneform, "two_workers": two_workers}


def measure(way: str, path: Path, out: Path) -> tuple[float, float]:
    """Seconds and the largest MiB of one way, in a process of its own; imports are not counted."""
    command = [sys.executable, __file__, "--way", way, "--file", str(path), "--out", str(out)]
    seconds, size = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(size)


def alone(way: str, path: Path, out: Path) -> None:
    """One way, in this process."""
    if way != "bare":
        import tuneform.runtime.data  # noqa: F401
    began = time.perf_counter()
    WAYS[way](path, out)
    print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def compare(rows: int, rounds: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        generate(path, rows)
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(measure(way, path, Path(folder) / f"{way}.jsonl"))
        digests = {(Path(folder) / f"{way}.jsonl").read_bytes() == (Path(folder) / "bare.jsonl").read_bytes() for way in WAYS}
        assert digests == {True}, "the ways wrote different rows"
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, medians of {rounds}")
    base = statistics.median(seconds for seconds, _ in found["bare"])
    for way, results in found.items():
        seconds = statistics.median(seconds for seconds, _ in results)
        size = max(size for _, size in results)
        rate = rows / seconds
        print(
            f"  {way:<12} {rate / 1e3:7.1f} k rows/s  {base / seconds:5.2f} x bare"
            f"  {rate / DATASETS:6.1f} x datasets  {size:6.0f} MiB"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.way:
        alone(asked.way, asked.file, asked.out)
    else:
        compare(asked.rows, asked.rounds)


if __name__ == "__main__":
    main()
