"""One spec for fine-tuning, compiled into what each tool or service takes natively."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Context",
    "DataFacts",
    "Document",
    "RunError",
    "SpecError",
    "TuneformError",
    "compile",
    "load",
    "lower",
    "run",
]

# In a checkout the subpackages sit beside this folder; in a wheel they sit inside it.
_here = Path(__file__).parent
if not (_here / "spec").is_dir():
    __path__.append(str(_here.parent))

if TYPE_CHECKING:
    from tuneform.runtime.api import Context, DataFacts, Document, compile, load, lower, run
    from tuneform.spec.diagnostics import RunError, SpecError, TuneformError


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that `import tuneform` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'tuneform' has no attribute {name!r}")
    module = "tuneform.spec.diagnostics" if name.endswith("Error") else "tuneform.runtime.api"
    return getattr(import_module(module), name)
