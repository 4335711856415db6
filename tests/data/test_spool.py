"""Lines that are kept for later come back as they were, however they lie in blocks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneform.runtime import spool
from tuneform.runtime.spool import Spool

LINES = st.lists(st.binary(max_size=30).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b"") + b"\n"))


@given(LINES, st.integers(1, 9))
def test_lines_come_back_as_they_were(lines: Sequence[bytes], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "BLOCK", block)
        patch.setattr(spool, "_IN_MEMORY", 20)
        kept = Spool()
        for line in lines:
            kept.add(line)
        assert [line for some in kept.lines(0, kept.size) for line in some] == list(lines)
        second = len(b"".join(lines[:1]))
        assert [line for some in kept.lines(second, kept.size) for line in some] == list(lines[1:])
