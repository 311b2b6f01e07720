"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine: what passes here passes there.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

REPOSITORY = Path(__file__).resolve().parents[1]

# Tests keep response surfaces beside pytest's own cache, not in the cache of who runs them.
os.environ.setdefault("GIGAWRIGHT_CACHE", str(REPOSITORY / ".pytest_cache" / "gigawright"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Reference data that is not part of the repository: GIGAWRIGHT_SHARED, or `../shared`."""
    folder = Path(os.environ.get("GIGAWRIGHT_SHARED") or REPOSITORY.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set GIGAWRIGHT_SHARED to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium of this machine: GIGAWRIGHT_CHROMIUM, or one on the PATH."""
    for name in (os.environ.get("GIGAWRIGHT_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    pytest.skip("no Chromium on the PATH; install it or set GIGAWRIGHT_CHROMIUM")
