"""One spec for fine-tuning, compiled into what each tool or service takes natively."""

from pathlib import Path

__version__ = "0.1.0"

# In a checkout the subpackages sit beside this folder; in a wheel they sit inside it.
_here = Path(__file__).parent
if not (_here / "spec").is_dir():
    __path__.append(str(_here.parent))
