"""The wheel puts one name into site-packages, with everything that is needed inside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("tuneform", "spec", "compilers", "runtime", "templates")
PARTS = ("*.py", "*.j2", "*.json", "py.typed")


def test_the_wheel_has_one_name_and_every_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in (*FOLDERS, "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == {"tuneform"}
    for folder in FOLDERS:
        for pattern in PARTS:
            for file in (ROOT / folder).rglob(pattern):
                inside = file.relative_to(ROOT).as_posix()
                assert (inside if folder == "tuneform" else f"tuneform/{inside}") in names
