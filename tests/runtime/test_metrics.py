"""Reading what transformers prints and saves. The fixtures are a real run of TRL 1.16.0, stopped once and resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneform.runtime import metrics
from tuneform.runtime.hf_trainer import Attempt, Follower, HFTrainer, Schedule, metrics_of
from tuneform.runtime.jsonfiles import append_lines, read_lines, write_json
from tuneform.runtime.records import Metric
from tuneform.runtime.trainer_log import Bar, LogReader, logged_dict

REAL = Path(__file__).parent / "fixtures"
CONFIG = {
    "source": "hf_trainer",
    "output": "output",
    "logging_steps": 4,
    "logging_first_step": True,
    "eval_steps": 4,
    "eval_on_start": True,
}


def steps(found: list[Metric], split: str, name: str) -> list[int | None]:
    return [m.step for m in found if (m.split, m.name) == (split, name)]


def read_whole(log: bytes, piece: int, resumed_from: int | None = None) -> list[Metric]:
    follower = Follower(Schedule.of(CONFIG), resumed_from, None)
    found = []
    for at in range(0, len(log), piece):
        found += follower.feed(log[at : at + piece])
    return found + follower.close()


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_a_real_log_gives_every_step_however_it_is_cut(piece: int) -> None:
    found = read_whole((REAL / "trl-attempt-1.log").read_bytes(), piece)
    assert steps(found, "eval", "loss") == [0, 4, 8]
    assert steps(found, "train", "loss") == [1, 4, 8]
    assert steps(found, "train", "runtime") == [9]


def test_the_live_steps_of_a_real_run_are_those_of_its_state() -> None:
    for attempt, resumed_from in ((1, None), (2, 8)):
        state = json.loads((REAL / f"trl-attempt-{attempt}.state.json").read_text())
        exact = {m.key: m for row in state["log_history"] for m in metrics_of(row, row["step"], "state")}
        live = read_whole((REAL / f"trl-attempt-{attempt}.log").read_bytes(), 1000, resumed_from)
        assert len(live) > 15
        for metric in live:
            value = exact[metric.key].value
            assert value is not None and metric.value == pytest.approx(value, rel=1e-3)


def test_the_last_evaluation_is_at_the_last_step() -> None:
    found = read_whole((REAL / "trl-attempt-2.log").read_bytes(), 1 << 20, 8)
    assert steps(found, "eval", "loss") == [8, 12, 14]
    assert steps(found, "train", "loss") == [12]


def test_a_real_stopped_and_resumed_run_is_exact_and_has_nothing_twice(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / "trainer_state.json").write_bytes((REAL / "trl-attempt-2.state.json").read_bytes())
    attempts = [
        Attempt(REAL / "trl-attempt-1.log", None, REAL / "trl-attempt-1.state.json"),
        Attempt(REAL / "trl-attempt-2.log", 8),
    ]
    found = HFTrainer(CONFIG, 14).collect(tmp_path, attempts)
    assert len({m.key for m in found}) == len(found)
    assert {m.source for m in found} == {"hf_trainer.state"}
    assert steps(found, "train", "loss") == [1, 4, 8, 12]
    assert steps(found, "eval", "loss") == [0, 4, 8, 12, 14]
    assert steps(found, "train", "runtime") == [14]  # that of the first attempt lay after its checkpoint


def test_without_a_state_the_log_is_what_there_is(tmp_path: Path) -> None:
    found = HFTrainer(CONFIG, None).collect(tmp_path, [Attempt(REAL / "trl-attempt-1.log", None)])
    assert {m.source for m in found} == {"hf_trainer.log"}
    assert len({m.key for m in found}) == len(found) > 20


def test_a_step_that_the_log_got_wrong_is_corrected_by_the_state(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("{'loss': '2', 'epoch': '0.1'}\n{'loss': '1', 'epoch': '0.2'}\n")
    history = [{"step": s, "loss": 2.0 / s, "epoch": s / 10} for s in (2, 6)]
    (tmp_path / "output").mkdir()
    write_json(tmp_path / "output" / "trainer_state.json", {"global_step": 6, "max_steps": 6, "log_history": history})
    found = HFTrainer(CONFIG, None).collect(tmp_path, [Attempt(log, None)])
    assert steps(found, "train", "loss") == [2, 6]


def test_what_was_logged_at_the_step_of_a_checkpoint_after_it_stays(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("{'loss': '2', 'epoch': '0.1'}\n{'loss': '1', 'epoch': '0.4'}\n")
    folder = tmp_path / "output" / "checkpoint-4"
    folder.mkdir(parents=True)
    history = [{"step": 1, "loss": 2.0001, "epoch": 0.1}]
    write_json(folder / "trainer_state.json", {"global_step": 4, "max_steps": 10, "log_history": history})
    found = HFTrainer(CONFIG, None).collect(tmp_path, [Attempt(log, None)])
    assert [(m.step, m.value) for m in found] == [(1, 2.0001), (4, 1.0)]


NAMES = {
    "loss": ("train", "loss"),
    "mean_token_accuracy": ("train", "token_accuracy"),
    "eval_mean_token_accuracy": ("eval", "token_accuracy"),
    "num_tokens": ("train", "tokens"),
    "eval_num_tokens": ("eval", "tokens"),
    "eval_runtime": ("eval", "runtime"),
    "train_runtime": ("train", "runtime"),
    "train_samples_per_second": ("train", "samples_per_second"),
    "train_loss": ("train", "mean_loss"),
    "reward": ("train", "reward"),
    "rewards/chosen": ("train", "rewards/chosen"),
    "eval_rewards/chosen": ("eval", "rewards/chosen"),
    "test_loss": (None, "test_loss"),
    "something_new": ("train", "something_new"),
}


@pytest.mark.parametrize("key", NAMES)
def test_names(key: str) -> None:
    (metric,) = metrics_of({key: "1.5", "epoch": "0.5", "step": 3}, 3, "log")
    assert (metric.split, metric.name) == NAMES[key]
    assert (metric.value, metric.epoch, metric.step) == (1.5, 0.5, 3)


@pytest.mark.parametrize(
    ("printed", "note"),
    [("nan", "nan"), (float("nan"), "nan"), ("-inf", "-inf"), (float("inf"), "inf"), (None, "None"), ("hm", "hm")],
)
def test_what_is_no_number_is_null_with_a_note(printed: Any, note: str) -> None:
    (metric,) = metrics_of({"loss": printed, "epoch": 1}, 3, "log")
    assert (metric.value, metric.note) == (None, note)
    assert json.loads(json.dumps(metric.as_dict(), allow_nan=False))["note"] == note
    assert Metric.from_dict(metric.as_dict()) == metric


@pytest.mark.parametrize(
    "text", ["{'a': 1}", "config {'epoch': 1", "{'epoch': open('x')}", "{1: 2, 'epoch': 3}", "{'epoch'}", "{' }"]
)
def test_other_dicts_are_no_metrics(text: str) -> None:
    assert logged_dict(text) is None


def test_bars_of_other_things_are_not_the_training() -> None:
    reader = LogReader()
    log = (
        "\rLoading weights:   0%|          | 0/21 [00:00<?, ?it/s]"
        "\r  0%|          | 0/10 [00:00<?, ?it/s]\n\r  0%|          | 0/2 [00:00<?, ?it/s]\x1b[A"
        "\n\r 90%|█████████ | 9/10 [00:00<?, ?it/s]\x1b[A"
        "\r 40%|████      | 4/10 [00:01<00:02,  2.87it/s]\r 50%|█████     | 5/10 [00:01<00:02,  2.87it/s]"
    )
    assert list(reader.feed(log.encode())) == [Bar(0, 10), Bar(4, 10)]
    assert reader.peek() == Bar(5, 10)


def test_rebuilding_keeps_times_and_writes_only_what_changed(tmp_path: Path) -> None:
    path, source = tmp_path / "metrics.jsonl", HFTrainer(CONFIG, 14)
    attempts = [Attempt(REAL / "trl-attempt-1.log", None)]
    seen = metrics.Collector(path, attempts[0].log, source.follow(None)).poll()
    assert seen and all(m.time for m in seen)
    before = path.stat().st_ino
    found = metrics.rebuild(path, source, tmp_path, attempts)
    assert {m.key: m.time for m in found} == {m.key: m.time for m in seen}
    again = path.stat().st_ino
    metrics.rebuild(path, source, tmp_path, attempts)
    assert path.stat().st_ino == again and before != 0


def test_rebuilding_without_any_log_left_keeps_the_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    append_lines(path, [Metric(1, 0.1, "train", "loss", 2.0, None, "x").as_dict()])
    metrics.rebuild(path, HFTrainer(CONFIG, 1), tmp_path, [Attempt(tmp_path / "gone.log", None)])
    assert len(metrics.read(path)) == 1


def test_a_half_written_line_breaks_no_reader_and_no_later_writer(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    whole = Metric(1, 0.1, "train", "loss", 2.0, None, "x")
    append_lines(path, [whole.as_dict()])
    with path.open("a") as out:
        out.write('{"step": 2, "epo')
    assert metrics.read(path) == [whole]
    append_lines(path, [whole.as_dict()])
    assert metrics.read(path) == [whole, whole]
    with path.open("ab") as out:
        out.write(b'{"step": "\xc3')
    assert len(list(read_lines(path))) == 2


def test_a_collector_reads_on_and_repeats_nothing(tmp_path: Path) -> None:
    log, path = tmp_path / "log", tmp_path / "metrics.jsonl"
    text = (REAL / "trl-attempt-1.log").read_bytes()
    collector = metrics.Collector(path, log, HFTrainer(CONFIG, 14).follow(None))
    assert collector.poll() == []
    log.write_bytes(text[:3000])
    first = collector.poll()
    assert collector.poll() == []
    log.write_bytes(text)
    second = collector.poll()
    assert len(first) + len(second) == len(read_whole(text, 1 << 20))
    other = metrics.Collector(path, log, HFTrainer(CONFIG, 14).follow(None))
    assert other.poll() == []
