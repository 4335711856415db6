"""GPUs and their memory.

Sources: NVIDIA's list of products (https://docs.nvidia.com/datacenter/tesla/mig-user-guide/supported-gpus.html), the
table of Hugging Face (https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/hardware.ts), and
for GB300 and B300 https://docs.nvidia.com/nim/large-language-models/2.0.6/day-0/support-matrix-day-0.html. Names are
those that SkyPilot and the vendors use (https://docs.skypilot.co/en/stable/compute/gpus.html). Vendors write GB and
mean GiB, less what the driver keeps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..words import suggest

# Where a name is sold with several sizes, the largest; `A100-40GB` says another.
MEMORY: dict[str, int] = {
    "GB300": 288, "B300": 288, "GB200": 186, "B200": 180, "H200": 141, "GH200": 96, "H100": 80, "H100 NVL": 94,
    "H20": 96, "H800": 80, "A100": 80, "A800": 80, "A40": 48, "A30": 24, "A16": 16, "A10": 24, "A10G": 24, "L40": 48,
    "L40S": 48, "L20": 48, "L4": 24, "T4": 16, "V100": 32, "P100": 16,
    "RTX PRO 6000": 96, "RTX PRO 5000": 48, "RTX PRO 4500": 32, "RTX 6000 Ada": 48, "RTX 5000 Ada": 32,
    "RTX 4000 Ada": 20, "RTX A6000": 48, "RTX A5000": 24, "RTX A4500": 20, "RTX A4000": 16,
    "RTX 5090": 32, "RTX 5080": 16, "RTX 5070 Ti": 16, "RTX 5070": 12, "RTX 4090": 24, "RTX 4080": 16,
    "RTX 4080 SUPER": 16, "RTX 4070": 12, "RTX 4070 Ti": 12, "RTX 4070 SUPER": 12, "RTX 4070 Ti SUPER": 16,
    "RTX 4060 Ti": 16, "RTX 4060": 8, "RTX 3090": 24, "RTX 3090 Ti": 24, "RTX 3080": 12, "RTX 3080 Ti": 12,
    "RTX 3070": 8, "RTX 3070 Ti": 8, "RTX 3060": 12, "RTX 3060 Ti": 8, "RTX 2080 Ti": 11, "TITAN RTX": 24,
    "MI355X": 288, "MI350X": 288, "MI325X": 256, "MI300X": 192, "MI300": 192, "MI250X": 128, "MI250": 128, "MI210": 64,
    "MI100": 32, "RX 7900 XTX": 24, "RX 7900 XT": 20,
}  # fmt: skip

_VENDORS = re.compile(r"nvidia|geforce|tesla|quadro|amd|instinct|radeon|blackwell|tensor ?core|gpu")
_SIZE = re.compile(r"(\d+) ?gi?b")
_FORM = re.compile(r"hbm\d?e?|sxm\d?|pcie|mega|(server|workstation|max q) edition")
_SEPARATORS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that is known, under the vendor's name for it. Memory in GiB."""

    name: str
    memory: int


def _key(text: str) -> str:
    return _SEPARATORS.sub("", text.lower())


_BY_KEY = {_key(name): name for name in MEMORY}
_BY_KEY |= {_key(name.removeprefix("RTX ")): name for name in MEMORY if re.match(r"RTX A?\d{4}", name)}


def find(text: str) -> Gpu | None:
    """The GPU that a text names: `H100`, `rtx4090`, `A100-40GB`, `NVIDIA H100 80GB HBM3`."""
    words = _VENDORS.sub(" ", _SEPARATORS.sub(" ", text.lower()))
    sizes = _SIZE.findall(words)
    for bare in (words, _SIZE.sub(" ", words), _FORM.sub(" ", _SIZE.sub(" ", words))):
        name = _BY_KEY.get(_key(bare))
        if name is not None and len(sizes) < 2:
            return Gpu(name, int(sizes[0]) if sizes and int(sizes[0]) else MEMORY[name])
    return None


def near(text: str) -> str | None:
    """The name of a known GPU that a text may mean."""
    found = suggest(_key(text), _BY_KEY)
    return _BY_KEY[found] if found else None


def larger(memory: float) -> Gpu | None:
    """The smallest common GPU with at least so much memory (GiB)."""
    common = ("L4", "L40S", "A100", "H100", "H200", "B200", "B300")
    return next((Gpu(name, MEMORY[name]) for name in common if MEMORY[name] >= memory), None)
