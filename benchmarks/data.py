"""Reading, checking, converting and writing rows, beside a bare orjson loop: `python benchmarks/data.py`.

400,000 rows as in Alpaca (about 200 MB, seeded). Each way runs in a process of its own, interleaved, medians of some
rounds. Memory is the largest process's; processor time counts all of them, and says more where the machine is shared.
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
from importlib import import_module
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

    result = read_data(DataRequest(train=[Source(path, path.name)]), workers=workers)
    assert result.ok, result.diagnostics
    write_data(result, [DataStep("train", "chat", out.name)], out.parent)


def two_workers(path: Path, out: Path) -> None:
    """The same, with two worker processes."""
    tuneform(path, out, 2)


WAYS: dict[str, Callable[[Path, Path], None]] = {"bare": bare, "tuneform": tuneform, "two_workers": two_workers}


def measure(way: str, path: Path, out: Path) -> tuple[float, ...]:
    """Seconds, seconds of processors, and the largest MiB of one way, in a process of its own, without imports."""
    command = [sys.executable, __file__, "--way", way, "--file", str(path), "--out", str(out)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return tuple(map(float, said.split()))


def alone(way: str, path: Path, out: Path) -> None:
    """One way, in this process."""
    if way != "bare":
        import_module("tuneform.runtime.data")
    began, before = time.perf_counter(), busy()
    WAYS[way](path, out)
    took = time.perf_counter() - began
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(took, busy() - before, max(used) / 1024)


def busy() -> float:
    """Seconds that processors have worked for this process and those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def compare(rows: int, rounds: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        generate(path, rows)
        found: dict[str, list[tuple[float, ...]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(measure(way, path, Path(folder) / f"{way}.jsonl"))
        digests = {
            (Path(folder) / f"{way}.jsonl").read_bytes() == (Path(folder) / "bare.jsonl").read_bytes() for way in WAYS
        }
        assert digests == {True}, "the ways wrote different rows"
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, medians of {rounds}")
    base, base_busy, _ = _medians(found["bare"])
    for way, results in found.items():
        seconds, worked, _ = _medians(results)
        print(
            f"  {way:<12} {rows / seconds / 1e3:6.1f} k rows/s  {base / seconds:4.2f} x bare"
            f"  ({base_busy / worked:4.2f} by processor time)  {rows / seconds / DATASETS:5.1f} x datasets"
            f"  {max(size for *_, size in results):4.0f} MiB"
        )


def _medians(results: list[tuple[float, ...]]) -> list[float]:
    return [statistics.median(values) for values in zip(*results, strict=True)]


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
