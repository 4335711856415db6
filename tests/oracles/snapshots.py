"""`python -m tests.oracles.snapshots`: write the keys of the trainers' configs anew, from the trainers themselves."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tuneform.compilers.trainers import axolotl, trl, unsloth
from tuneform.compilers.trl_script import pins
from tuneform.runtime.envs import ALONE, ensure

HERE = Path(__file__).parent
KEYS = HERE.parent.parent / "compilers" / "trainers"
Pins = Mapping[str, str]


def snapshots() -> Iterator[tuple[str, str, Pins, Pins]]:
    """Each trainer, the file of its keys, and the packages that it is read from: with what they ask for, and without."""
    for version, file in trl.KEYS.items():
        yield "trl", file, trl.REQUIREMENTS[version], {}
    for version, file in axolotl.KEYS.items():
        yield "axolotl", file, axolotl.REQUIREMENTS[version], {}
    yield "unsloth", "unsloth_keys.json", unsloth.REQUIREMENTS, unsloth.OWN


def main() -> None:
    for name, file, *lists in snapshots():
        with tempfile.TemporaryDirectory() as folder:
            requirements = Path(folder) / "requirements.txt"
            for listed, wanted in zip((requirements, requirements.with_name(ALONE)), lists, strict=True):
                if wanted:
                    listed.write_text("".join(f"{line}\n" for line in pins(wanted)))
            python = ensure(requirements, print).python
        done = subprocess.run([python, str(HERE / f"snapshot_{name}.py")], capture_output=True, text=True, check=True)
        (KEYS / file).write_text(done.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
