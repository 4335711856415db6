"""`python -m tests.oracles.snapshots`: write the keys of the trainers' configs anew, from the trainers themselves."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tuneform.compilers.trainers import axolotl, trl
from tuneform.runtime.envs import ensure

HERE = Path(__file__).parent
KEYS = HERE.parent.parent / "compilers" / "trainers"
TRAINERS: Mapping[str, Mapping[str, str]] = {"trl": trl.REQUIREMENTS, "axolotl": axolotl.REQUIREMENTS}


def main() -> None:
    for name, wanted in TRAINERS.items():
        with tempfile.TemporaryDirectory() as folder:
            requirements = Path(folder) / "requirements.txt"
            requirements.write_text("".join(f"{package}=={version}\n" for package, version in sorted(wanted.items())))
            python = ensure(requirements, print).python
        done = subprocess.run([python, str(HERE / f"snapshot_{name}.py")], capture_output=True, text=True, check=True)
        (KEYS / f"{name}_keys.json").write_text(done.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
