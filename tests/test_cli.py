"""The command line: thin, quick to start, and never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gigawright
from gigawright import cli
from gigawright.errors import CheckFailed, GigawrightError, InfeasibleStudy, OutputError, SolverError

BAD_STUDY = "name: x\nhorizon: {start: 2026Q1, end: 2026Q9}\nsites: 5\n"


def gigawright_command(*arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "gigawright.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def test_help_names_the_commands() -> None:
    done = gigawright_command("--help")
    assert done.returncode == 0
    assert "check" in done.stdout
    assert "schema" in done.stdout


def test_version() -> None:
    done = gigawright_command("--version")
    assert (done.returncode, done.stdout.strip()) == (0, gigawright.__version__)


def test_a_bad_study_is_told_in_full_and_exits_2(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD_STUDY)
    done = gigawright_command("check", str(path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"{path}:2:31 horizon.end: '2026Q9' is not a quarter; write it like 2026Q3" in done.stderr
    assert f"{path}:3:8 sites: saw 5; a list" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], 'Did you mean "check"?'),
        (["check"], "requires an argument"),
        (["check", "a.yaml", "b.yaml"], "b.yaml"),
        (["check", "nothing.yaml"], "nothing.yaml study: there is no such file"),
        (["check", "."], ". study: this is a folder"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_use_exits_2_with_a_word(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("gigawright: ")
    assert words in error


def test_a_sound_study_is_counted(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(repository / "studies" / "first-hall.yaml")]) == 0
    assert "first-hall.yaml reads well: " in capsys.readouterr().out


def test_schema_is_json_with_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "sites" in schema["properties"]
    assert '"x-unit": "MW"' in json.dumps(schema)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OutputError("runs/x cannot be written: the disk is full"), 2, "the disk is full"),
        (InfeasibleStudy(["budget 2026: 3 bn CNY more"]), 3, "budget 2026: 3 bn CNY more"),
        (SolverError("HiGHS stopped"), 4, "HiGHS stopped"),
        (CheckFailed(["never_spend_more_than_budgeted 2026: 3 M USD"]), 4, "never_spend_more"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("division by zero"), 4, "please report it: ZeroDivisionError: division by zero"),
    ],
)
def test_every_error_has_its_exit_code_and_words(
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(path: Path) -> None:
        raise error

    monkeypatch.setattr("gigawright.study.load.load_study", fails)
    monkeypatch.delenv("GIGAWRIGHT_TRACEBACK", raising=False)
    assert cli.main(["check", "any.yaml"]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


def test_the_tree_of_errors_has_the_codes_it_documents() -> None:
    assert (GigawrightError.exit_code, OutputError.exit_code) == (1, 2)
    assert (InfeasibleStudy.exit_code, CheckFailed.exit_code) == (3, 4)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell's pipe")
def test_a_reader_that_leaves_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gigawright.cli", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="needs a fifo and SIGINT")
def test_control_c_exits_130_with_a_word(tmp_path: Path) -> None:
    program = (
        "import sys, time, gigawright.study.load as load; from gigawright import cli\n"
        "def slow(path):\n    print('reading', flush=True); time.sleep(30)\n"
        "load.load_study = slow\nsys.exit(cli.main(['check', 'x.yaml']))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "reading\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    assert process.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told
