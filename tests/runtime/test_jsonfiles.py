"""Files that are replaced in one step, and what stays as it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuneform.runtime.jsonfiles import write_parts, write_text


@pytest.fixture
def umask() -> Iterator[None]:
    old = os.umask(0o027)
    yield
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path, umask: None) -> None:
    write_text(tmp_path / "a", "new")
    assert mode(tmp_path / "a") == 0o640 and os.listdir(tmp_path) == ["a"]


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o600)
    write_text(tmp_path / "a", "new")
    assert mode(tmp_path / "a") == 0o600 and (tmp_path / "a").read_text() == "new"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_names_is_replaced(tmp_path: Path, there: bool) -> None:
    (tmp_path / "data").mkdir()
    real, link = tmp_path / "data" / "real", tmp_path / "link"
    if there:
        real.write_text("old")
    link.symlink_to("data/real")
    write_text(link, "new")
    assert link.is_symlink() and real.read_text() == "new" and os.listdir(real.parent) == ["real"]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    handle = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_parts(pipe, [b"a", b"b"])
    assert os.read(handle, 9) == b"ab" and stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(handle)


def test_what_fails_midway_leaves_the_older_file(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"half"
        raise OSError("no space left")

    (tmp_path / "a").write_text("old")
    with pytest.raises(OSError, match="no space"):
        write_parts(tmp_path / "a", parts())
    assert (tmp_path / "a").read_text() == "old" and os.listdir(tmp_path) == ["a"]
