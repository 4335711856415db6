"""`python -m tests.oracles.snapshots`: write the keys of TRL's config classes anew, from TRL itself."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tuneform.compilers.trainers.trl import REQUIREMENTS
from tuneform.runtime.envs import ensure

HERE = Path(__file__).parent
KEYS = HERE.parent.parent / "compilers" / "trainers" / "trl_keys.json"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text("".join(f"{name}=={version}\n" for name, version in sorted(REQUIREMENTS.items())))
        python = ensure(requirements, print).python
    done = subprocess.run([python, str(HERE / "snapshot_trl.py")], capture_output=True, text=True, check=True)
    KEYS.write_text(done.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
