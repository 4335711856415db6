"""`python -m tests.oracles.snapshots`: write the keys of the trainers' configs anew, from the trainers themselves."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tuneform.compilers.trainers import axolotl, trl, unsloth
from tuneform.compilers.trl_script import pins
from tuneform.runtime.envs import ALONE, ensure

HERE = Path(__file__).parent
KEYS = HERE.parent.parent / "compilers" / "trainers"
Pins = Mapping[str, str]
TRAINERS: Mapping[str, tuple[Pins, Pins]] = {
    "trl": (trl.REQUIREMENTS, {}),
    "axolotl": (axolotl.REQUIREMENTS, {}),
    "unsloth": (unsloth.REQUIREMENTS, unsloth.OWN),
}


def main() -> None:
    for name, lists in TRAINERS.items():
        with tempfile.TemporaryDirectory() as folder:
            requirements = Path(folder) / "requirements.txt"
            for file, wanted in zip((requirements, requirements.with_name(ALONE)), lists, strict=True):
                if wanted:
                    file.write_text("".join(f"{line}\n" for line in pins(wanted)))
            python = ensure(requirements, print).python
        done = subprocess.run([python, str(HERE / f"snapshot_{name}.py")], capture_output=True, text=True, check=True)
        (KEYS / f"{name}_keys.json").write_text(done.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
