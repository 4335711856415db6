"""The trainer's process: exit codes that outlive Tuneform, and no mix-up of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import Popen

import pytest

from tuneform.runtime import process
from tuneform.runtime.process import Files, Ident, Trainer

from .fakes import until


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "a.log", tmp_path / "a.pid", tmp_path / "a.exit")


@pytest.fixture
def begin(files: Files, tmp_path: Path) -> Callable[[Sequence[str]], tuple[Trainer, Popen[bytes]]]:
    return lambda argv: process.start(argv, tmp_path, dict(os.environ), files)


Begin = Callable[[Sequence[str]], tuple[Trainer, "Popen[bytes]"]]


def test_the_exit_code_is_on_disk_and_output_goes_to_the_log(begin: Begin, files: Files) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    trainer, shell = begin([sys.executable, "-c", code])
    assert shell.wait() == 7
    assert process.exit_code(files) == 7
    assert files.log.read_text() == "out\nerr\n"
    assert not trainer.alive()


def test_words_of_the_user_are_not_read_by_the_shell(begin: Begin, files: Files, tmp_path: Path) -> None:
    words = ["$(touch hacked)", "`touch hacked`", "; touch hacked", "a b", "'", '"', "*", "\n", "-c", ""]
    _, shell = begin([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words])
    shell.wait()
    assert files.log.read_text() == f"{words!r}\n"
    assert not (tmp_path / "hacked").exists()


def test_sigterm_reaches_the_trainer_and_its_exit_code_is_kept(begin: Begin, files: Files) -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *a: sys.exit(3)); print('up'); time.sleep(60)"
    trainer, shell = begin([sys.executable, "-c", code])
    until(lambda: "up" in files.log.read_text())
    trainer.ask()
    shell.wait(timeout=10)
    assert process.exit_code(files) == 3


def test_a_signal_to_the_whole_group_does_not_end_the_wrapper(begin: Begin, files: Files) -> None:
    trainer, shell = begin([sys.executable, "-c", "import time; print('up'); time.sleep(60)"])
    until(lambda: "up" in files.log.read_text())
    os.killpg(trainer.leader.pid, signal.SIGTERM)
    shell.wait(timeout=10)
    assert process.exit_code(files) == 143


@pytest.mark.parametrize("ps", [True, False])
def test_kill_ends_all_descendants_and_leaves_no_exit_code(
    begin: Begin, files: Files, ps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = "import time; time.sleep(60)"
    code = (
        "import subprocess, sys, time\n"
        f"print(subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True).pid)\n"
        "time.sleep(60)"
    )
    trainer, shell = begin([sys.executable, "-c", code])
    until(lambda: files.log.read_text().endswith("\n"))
    left = int(files.log.read_text())
    assert process.start_time(left)
    if not ps:  # as in a small container
        monkeypatch.setenv("PATH", "/nowhere")
    trainer.kill()
    shell.wait(timeout=10)
    until(lambda: process.start_time(left) is None)
    until(lambda: not trainer.alive())
    assert process.exit_code(files) is None
    trainer.kill()
    trainer.ask()


def test_the_trainer_is_in_a_session_of_its_own(begin: Begin) -> None:
    trainer, shell = begin([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert trainer.process is not None
        assert os.getsid(trainer.process.pid) == trainer.leader.pid != os.getsid(0)
    finally:
        trainer.kill()
        shell.wait()


def test_a_process_that_got_the_number_later_is_another() -> None:
    mine = Ident(os.getpid(), process.start_time(os.getpid()) or "")
    assert mine.alive()
    assert not Ident(os.getpid(), "an earlier boot:1").alive()
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not Ident(gone.pid, "1").alive()


def test_a_reused_number_gets_no_signal() -> None:
    victim = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        reused = Ident(victim.pid, "an earlier boot:1")
        for trainer in (Trainer(reused, reused), Trainer(reused, None)):
            trainer.ask()
            trainer.kill()
        time.sleep(0.05)
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["true"])
    until(lambda: process.start_time(child.pid) is None)
    child.wait()


def test_a_trainer_is_found_by_what_it_noted_itself(begin: Begin, files: Files) -> None:
    trainer, shell = begin([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert process.find(files) == trainer
        assert Trainer.from_dict(trainer.as_dict()) == trainer
    finally:
        trainer.kill()
        shell.wait()
    until(lambda: process.find(files) is None)
    files.pid.write_text(f"{os.getpid()}\nsome-boot\n1 (x) S {' '.join(str(n) for n in range(40))}\n")
    assert process.find(files) is None


@pytest.mark.parametrize("argv", [["/no/such/program"], ["no-such-program-anywhere"]])
def test_a_program_that_is_not_there_is_an_exit_code(argv: list[str], begin: Begin, files: Files) -> None:
    _, shell = begin(argv)
    assert shell.wait() == process.exit_code(files) == 127
    assert "not found" in files.log.read_text()


def test_only_the_trainer_is_asked_and_not_its_data_workers(begin: Begin, files: Files) -> None:
    """A data worker that gets a SIGTERM dies of it, and PyTorch then fails the training before it has saved."""
    code = (
        "import signal, subprocess, sys, time\n"
        "worker = subprocess.Popen(['sleep', '60'])\n"
        "def stop(*a):\n"
        "    time.sleep(0.3); print('worker', worker.poll()); worker.kill(); sys.exit(0)\n"
        "signal.signal(15, stop)\n"
        "print('up')\n"
        "signal.pause()\n"
    )
    trainer, shell = begin([sys.executable, "-c", code])
    until(lambda: "up" in files.log.read_text())
    trainer.ask()
    shell.wait(timeout=10)
    assert files.log.read_text() == "up\nworker None\n"


def test_the_group_is_ended_where_nothing_tells_of_its_descendants(
    begin: Begin, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, shell = begin([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert process._ps_parents() == {}
    monkeypatch.setattr(process, "_linux_parents", process._ps_parents)
    trainer.kill()
    assert shell.wait(timeout=10) == -signal.SIGKILL
