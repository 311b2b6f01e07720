"""How functions of the engine are compiled: free of Python's lock, and never with loose arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from gigawright.workloads.requests import pace

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Without Python's lock, without checks for division by zero, without counted references."""

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """A function that compiled functions call: it becomes a part of them.

    Passing an engine's dozen arrays to a call costs more than most of these functions do, and so would
    counting references to arrays that Python holds anyway: both are left out.
    """
    return cast(F, numba.njit(**OPTIONS, forceinline=True)(function))


def merged(function: F) -> F:
    """A small function that few call: it is compiled as lines of those, which spares the compiler work."""
    return cast(F, numba.njit(**OPTIONS, inline="always")(function))


def kept(function: F) -> F:
    """A function that Python calls; its machine code is kept on disk, by the source or in the user's cache.

    Numba looks at the file of this function alone to see whether what it kept is stale. So the function must
    close over `source_mark()`: what is closed over is part of the key.
    """
    return cast(F, numba.njit(**OPTIONS, cache=True)(function))


def source_mark() -> int:
    """A number that changes with any source file that is compiled."""
    digest = hashlib.sha256()
    for path in (Path(pace.__file__), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")
