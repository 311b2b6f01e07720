"""What is imported when, and the public names."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import gigawright

HEAVY = (
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "highspy",
    "pvlib",
    "plotly",
    "pydantic",
    "yaml",
    "xlsxwriter",
    "h5py",
)


def modules_after(program: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after a program."""
    tail = "\nimport json, sys\nsys.stderr.write('MODULES' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program + tail], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stderr.split("MODULES")[1]))


@pytest.mark.parametrize(
    "program",
    [
        "import gigawright",
        "import gigawright.units, gigawright.clock, gigawright.money, gigawright.facts, gigawright.tables",
        "from gigawright.cli import main; main(['--help'])",
        "from gigawright.cli import main; main(['--version'])",
        "from gigawright.cli import main; main(['check', '--help'])",
        "from gigawright.cli import main; main(['predict', 'serving', '--help'])",
        "from gigawright.cli import main; main(['search', 'serving', '--help'])",
        "from gigawright.cli import main; main(['simulate', 'requests', '--help'])",
        "from gigawright.cli import main; main(['weather', '--help'])",
        "from gigawright.cli import main; main(['energy', '--help'])",
        "from gigawright.cli import main; main(['facility', '--help'])",
        "from gigawright.cli import main; main(['nonsense'])",
    ],
)
def test_nothing_heavy_before_it_is_needed(program: str) -> None:
    loaded = modules_after(program)
    assert "gigawright" in loaded
    assert not {name for name in loaded if name.split(".")[0] in HEAVY}


def test_reading_a_study_needs_no_numbers() -> None:
    loaded = modules_after("import gigawright.study.load, gigawright.study.model")
    assert "pydantic" in loaded
    assert not loaded & {"numpy", "pandas", "highspy", "pvlib", "plotly"}


def test_public_names_exist_and_are_listed() -> None:
    for name in gigawright.__all__:
        assert getattr(gigawright, name) is not None
        assert name in dir(gigawright)
    assert callable(gigawright.load_study)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'lod_study'; it has .*load_study"):
        gigawright.lod_study  # noqa: B018
