"""The pages of docs/ that are made from the code. `python -m tests.pages.write` writes them anew."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
