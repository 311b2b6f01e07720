"""What is on disk is whole or absent, also after kill -9, and says so where it cannot be written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gigawright import tables
from gigawright.errors import OutputError

FLEET = pd.DataFrame({"site": ["ulanqab", "horinger"], "quarter": ["2026Q1", "2026Q2"], "it_mw": [1.5, 0.1]})


def test_tables_round_trip_in_both_forms(tmp_path: Path) -> None:
    hashes = tables.write_table(tmp_path, "fleet", FLEET)
    pd.testing.assert_frame_equal(tables.read_table(tmp_path, "fleet"), FLEET)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "fleet.csv"), FLEET)
    assert hashes == tables.hash_of_files(tmp_path)
    assert set(hashes) == {"fleet.parquet", "fleet.csv"}


def test_equal_tables_have_equal_bytes_and_hashes(tmp_path: Path) -> None:
    first = tables.write_tables(tmp_path / "a", {"fleet": FLEET})
    second = tables.write_tables(tmp_path / "b", {"fleet": FLEET.copy()})
    assert first == second
    assert tables.hash_of_table(FLEET) == tables.hash_of_table(FLEET.set_index("site").reset_index())
    assert tables.hash_of_table(FLEET) != tables.hash_of_table(FLEET.assign(it_mw=[1.5, 0.1000001]))
    assert tables.hash_of_table(FLEET) != tables.hash_of_table(FLEET.rename(columns={"it_mw": "mw"}))


def test_json_is_sorted_and_knows_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "x.json"
    digest = tables.write_json(path, {"b": 1, "a": "乌兰察布"})
    assert path.read_text(encoding="utf-8") == '{\n "a": "乌兰察布",\n "b": 1\n}\n'
    assert digest == tables.hash_of_file(path)
    assert tables.read_json(path) == {"b": 1, "a": "乌兰察布"}
    with pytest.raises(ValueError, match="Out of range float"):
        tables.write_json(path, float("nan"))
    assert tables.read_json(path) == {"b": 1, "a": "乌兰察布"}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.txt"
    tables.write_text(path, "old")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OutputError, match=r"x\.txt cannot be written: the disk is full"):
        tables.write_text(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.txt"]


def fill(text: str) -> Callable[[Path], None]:
    def writer(folder: Path) -> None:
        tables.write_table(folder / "tables", "fleet", FLEET)
        tables.write_text(folder / "report.html", text)

    return writer


def test_a_folder_appears_whole_with_its_manifest(tmp_path: Path) -> None:
    target = tmp_path / "runs" / "first"
    tables.write_folder_atomically(target, fill("one"))
    assert (target / "report.html").read_text() == "one"
    manifest = tables.read_json(target / tables.MANIFEST)
    assert set(manifest) == {"report.html", "tables/fleet.csv", "tables/fleet.parquet"}
    assert tables.broken_files(target) == ()
    tables.write_folder_atomically(target, fill("two"))
    assert (target / "report.html").read_text() == "two"
    assert [entry.name for entry in target.parent.iterdir()] == ["first"]


def test_a_changed_or_missing_file_shows(tmp_path: Path) -> None:
    target = tmp_path / "first"
    tables.write_folder_atomically(target, fill("one"))
    (target / "report.html").write_text("tampered")
    (target / "tables" / "fleet.csv").unlink()
    assert tables.broken_files(target) == ("report.html", "tables/fleet.csv")
    with pytest.raises(OutputError, match="holds no run"):
        tables.broken_files(tmp_path)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no"), OSError(28, "No space")])
def test_what_stops_the_writer_leaves_the_old_run(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "first"
    tables.write_folder_atomically(target, fill("one"))

    def fails(folder: Path) -> None:
        tables.write_text(folder / "report.html", "half")
        raise error

    with pytest.raises((KeyboardInterrupt, RuntimeError, OutputError)):
        tables.write_folder_atomically(target, fails)
    assert (target / "report.html").read_text() == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["first"]


def test_other_errors_of_the_system_pass_as_they_are(tmp_path: Path) -> None:
    def reads_nothing(folder: Path) -> None:
        (folder / "absent").read_text()

    with pytest.raises(FileNotFoundError):
        tables.write_folder_atomically(tmp_path / "run", reads_nothing)


def test_an_interrupt_between_the_renames_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "first"
    tables.write_folder_atomically(target, fill("one"))
    rename = Path.rename

    def interrupted(self: Path, to: Path) -> Path:
        if self.name.endswith(".writing"):
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tables.write_folder_atomically(target, fill("two"))
    assert (target / "report.html").read_text() == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["first"]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("x")
    with pytest.raises(OutputError, match="file is a file; give a folder"):
        tables.write_folder_atomically(tmp_path / "file", fill("x"))
    with pytest.raises(OutputError, match="a part of the path is a file"):
        tables.write_folder_atomically(tmp_path / "file" / "run", fill("x"))
    with pytest.raises(OutputError, match="the name is too long"):
        tables.write_folder_atomically(tmp_path / ("n" * 300), fill("x"))
    with pytest.raises(OutputError, match="holds files that no run wrote"):
        tables.write_folder_atomically(tmp_path / "mine", fill("x"))
    with pytest.raises(OutputError, match="mine is a folder; a file cannot take its place"):
        tables.write_text(tmp_path / "mine", "x")
    assert (tmp_path / "mine" / "thesis.doc").exists()
    (tmp_path / "empty").mkdir()
    tables.write_folder_atomically(tmp_path / "empty", fill("x"))


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuses)
    with pytest.raises(OutputError, match="run cannot be written: you may not write there"):
        tables.write_folder_atomically(tmp_path / "run", fill("x"))


@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="needs Linux's /proc as a place that takes no folder"
)
def test_a_place_of_the_system() -> None:
    with pytest.raises(OutputError, match="/proc/run cannot be written"):
        tables.write_folder_atomically("/proc/run", fill("x"))


WRITER = """
    import sys, time
    from pathlib import Path
    from gigawright import tables
    def writer(folder):
        for step in range(100_000):
            tables.write_text(folder / f"{step % 5}.txt", sys.argv[2] * 1000)
            if step == 5:
                print("writing", flush=True)
    tables.write_folder_atomically(sys.argv[1], writer)
"""


def kill_while_writing(target: Path, delay_s: float) -> None:
    """Start a writer of the folder and kill it without warning."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(target), "new"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
@pytest.mark.parametrize("delay_s", [0.0, 0.02])
def test_kill_9_leaves_the_old_run_and_the_next_writer_cleans_up(tmp_path: Path, delay_s: float) -> None:
    target = tmp_path / "run"
    tables.write_folder_atomically(target, fill("old"))
    kill_while_writing(target, delay_s)
    assert (target / "report.html").read_text() == "old"
    assert tables.broken_files(target) == ()
    left = [entry.name for entry in tmp_path.iterdir() if entry.name != "run"]
    assert len(left) == 1, "the temporary stays behind, under a name that nothing opens"
    assert left[0].startswith(".run.")
    tables.write_folder_atomically(target, fill("next"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_kill_9_of_the_first_run_leaves_nothing_that_opens(tmp_path: Path) -> None:
    kill_while_writing(tmp_path / "run", 0.0)
    assert not (tmp_path / "run").exists()


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_run_moved_aside_for_one_that_never_came_goes_back(tmp_path: Path) -> None:
    target = tmp_path / "run"
    tables.write_folder_atomically(target, fill("old"))
    target.rename(tmp_path / f".run.{dead_pid()}-0123abcd.replaced")
    tables.remove_stale_temporaries(tmp_path)
    assert (target / "report.html").read_text() == "old"


def test_temporaries_of_the_living_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / f".run.{os.getpid()}-0123abcd.writing").mkdir()
    (tmp_path / ".run.writing").write_text("somebody's")
    (tmp_path / f".x.json.{dead_pid()}-0123abcd.writing").write_text(json.dumps({}))
    tables.remove_stale_temporaries(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        f".run.{os.getpid()}-0123abcd.writing",
        ".run.writing",
    ]
