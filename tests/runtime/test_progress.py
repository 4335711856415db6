"""What is shown while a run goes on."""

from __future__ import annotations

import io

from tuneform.runtime import progress
from tuneform.runtime.progress import Bar, Pace, Plain
from tuneform.runtime.records import Metric, Split


def loss(step: int, value: float | None = 1.5, split: Split = "train") -> Metric:
    return Metric(step, 0.1, split, "loss", value, None, "x", None if value is not None else "nan")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_have_no_escape_codes_and_do_not_flood() -> None:
    out = io.StringIO()
    shown = progress.on(out)
    assert isinstance(shown, Plain)
    for step in range(1, 200):
        shown.update(step, 200, [loss(step)])
    shown.update(200, 200, [loss(200, split="eval"), loss(200, None)])
    shown.update(200, 200, [])
    shown.close()
    lines = out.getvalue().splitlines()
    assert lines[0] == "step 1/200  loss 1.5"
    assert lines[-1].startswith("step 200/200  eval loss 1.5")
    assert len(lines) == 2 and "\x1b" not in out.getvalue() and "\r" not in out.getvalue()


def test_the_bar_is_drawn_at_most_twice_a_second_and_at_the_end() -> None:
    out = Terminal()
    shown = progress.on(out)
    assert isinstance(shown, Bar)
    shown.note("before")
    for step in range(1, 2000):
        shown.update(step, 2000, [loss(step), loss(step, 2.5, "eval")])
    shown.note("between")
    shown.close()
    text = out.getvalue()
    assert "before" in text and "between" in text and "1999/2000" in text and "eval loss 2.5" in text
    assert text.count("/2000") < 10


def test_an_unknown_total_is_no_problem() -> None:
    out = Terminal()
    shown = progress.on(out)
    shown.update(3, None, [])
    shown.close()
    assert "3/?" in out.getvalue()


def test_pace() -> None:
    pace = Pace()
    assert pace.text(10) == ""
    pace.add(0, 0.0)
    pace.add(0, 5.0)
    assert pace.seconds() is None
    pace.add(10, 20.0)
    assert pace.text(90) == "2.0 s/step, 3 min left"
    fast = Pace()
    fast.add(0, 0.0)
    fast.add(100, 10.0)
    assert fast.text(None) == "600 steps/min"


def test_durations() -> None:
    assert [progress.duration(s) for s in (5, 600, 12000)] == ["5 s", "10 min", "3 h 20 min"]
