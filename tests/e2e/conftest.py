"""The tiny model of the oracles, and the real one of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracles.conftest import tiny_model, trl_python

__all__ = ["smollm2", "tiny_model", "trl_python"]


@pytest.fixture(scope="session")
def smollm2(trl_python: str) -> Path:
    """SmolLM2-135M-Instruct as a checkpoint folder; made once, as the demo makes it."""
    from examples import demo

    demo.make_model(trl_python)
    return demo.MODEL
