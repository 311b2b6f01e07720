"""How the fast dispatch is compiled: free of Python's lock, and never with loose arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Without Python's lock, without checks for division by zero, without counted references."""
SOURCES = ("compiled.py", "hour.py", "storage.py", "entries.py")

F = TypeVar("F", bound=Callable[..., Any])


def inner(function: F) -> F:
    """A compiled function that compiled functions call."""
    return cast(F, numba.njit(**OPTIONS)(function))


def kept(function: F) -> F:
    """A function that Python calls; its machine code is kept on disk.

    Numba looks at the file of this function alone to see whether what it kept is stale. So the function must
    close over `source_mark()`: what is closed over is part of the key.
    """
    return cast(F, numba.njit(**OPTIONS, cache=True)(function))


def source_mark() -> int:
    """A number that changes with any source file that is compiled."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")
