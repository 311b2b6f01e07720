"""Runs from end to end: what their hash covers, that a folder appears whole, and how they fail."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from gigawright import cli, pipeline
from gigawright.errors import CatalogueError, OutputError, StudyError
from gigawright.facts import Fact
from gigawright.money import Money
from gigawright.pipeline import Run
from gigawright.study.load import load_study
from gigawright.study.model import Study

FIRST = (Path(__file__).parents[1] / "studies" / "first-hall.yaml").read_text(encoding="utf-8")


def study_of(tmp_path: Path, text: str = FIRST, name: str = "study.yaml") -> Study:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def fact(value: float = 1.0, source: str = "x") -> Fact:
    import datetime as dt

    return Fact("system", "s", "power_kw", value, "kW", source, "A", dt.date(2026, 1, 1))


def test_the_hash_is_of_what_the_study_says_not_of_where_it_stands(tmp_path: Path) -> None:
    first = pipeline.run_hash(study_of(tmp_path), [fact()])
    moved = FIRST.replace("name: First hall", "# a remark\nname:   First hall")
    assert pipeline.run_hash(study_of(tmp_path, moved, "elsewhere.yaml"), [fact()]) == first
    assert len(first) == 16


@pytest.mark.parametrize(
    ("old", "new"), [("400 M USD", "401 M USD"), ("2027Q4", "2028Q4"), ("tokens: 400", "tokens: 401")]
)
def test_the_hash_changes_with_the_study(tmp_path: Path, old: str, new: str) -> None:
    assert old in FIRST
    text = FIRST.replace(old, new).replace("2027: 300 M USD", "2027: 300 M USD, 2028: 1 USD")
    assert pipeline.run_hash(study_of(tmp_path), []) != pipeline.run_hash(study_of(tmp_path, text), [])


def test_the_hash_changes_with_a_fact_its_value_or_its_source(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    hashes = {
        pipeline.run_hash(study, facts)
        for facts in ([], [fact()], [fact(2.0)], [fact(source="y")], [fact(), fact(2.0)])
    }
    assert len(hashes) == 5
    assert pipeline.run_hash(study, [fact(), fact(2.0)]) == pipeline.run_hash(
        study, [fact(2.0), fact(), fact()]
    )


def test_the_hash_changes_with_code_and_data_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "gigawright"
    (package / "catalogue" / "data").mkdir(parents=True)
    (package / "plan.py").write_text("one = 1\n")
    (package / "catalogue" / "data" / "a.csv").write_text("a\n1\n")
    monkeypatch.setattr(pipeline, "files", lambda name: package)
    study = study_of(tmp_path)
    before = pipeline.run_hash(study, [])
    (package / "notes.txt").write_text("no part of it")
    (package / "plan.pyc").write_bytes(b"nor this")
    assert pipeline.run_hash(study, []) == before
    (package / "catalogue" / "data" / "a.csv").write_text("a\n2\n")
    data = pipeline.run_hash(study, [])
    (package / "plan.py").write_text("one = 2\n")
    assert len({before, data, pipeline.run_hash(study, [])}) == 3


def test_the_hash_tells_one_file_from_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows moved from the end of one data file to the start of the next are another catalogue."""
    study = study_of(tmp_path)
    found = set()
    for first, second in (("a\n1\n", "b\n2\n"), ("a\n1\nb\n", "2\n")):
        package = tmp_path / f"package{len(found)}"
        package.mkdir()
        (package / "a.csv").write_text(first)
        (package / "b.csv").write_text(second)
        monkeypatch.setattr(pipeline, "files", lambda name, package=package: package)
        found.add(pipeline.run_hash(study, []))
    assert len(found) == 2


def test_the_packages_own_files_are_its_code_and_data() -> None:
    names = [file.name for file in pipeline._own_files(files("gigawright"))]
    assert {"linear.py", "schema.csv", "systems.csv"} <= set(names)
    assert all(name.endswith((".py", ".csv")) for name in names)


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gigawright.evaluate

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    monkeypatch.setattr(gigawright.evaluate, "evaluate", never)
    file = tmp_path / "report"
    file.write_text("a file in the way")
    for out in (file, file / "below", file / "far" / "below"):
        with pytest.raises(OutputError, match=r"report is a file; a run needs a folder"):
            pipeline.run(study_of(tmp_path), out)
    assert file.read_text() == "a file in the way"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tutorial's study, planned and written once."""
    folder = tmp_path_factory.mktemp("run")
    return pipeline.run(study_of(folder), folder / "out")


def test_a_run_writes_its_tables_its_report_and_what_it_was_made_from(done: Run) -> None:
    assert done.folder is not None
    assert done.report is not None
    assert done.report.stat().st_size > 10_000
    body = json.loads((done.folder / "run.json").read_text())
    assert body["hash"] == done.hash
    assert body["study"]["name"] == "First hall"
    tables = {path.stem for path in (done.folder / "tables" / "all-knowledge").glob("*.parquet")}
    assert {"orders", "fleet", "service", "energy", "payments", "dispatch", "prices"} <= tables
    assert [path.name for path in done.folder.parent.iterdir() if path.name.startswith(".")] == []


def test_a_run_keeps_its_gaps(done: Run) -> None:
    summary = done.results[0].plan.summary
    assert summary["master_gap"] <= 0.0041
    assert summary["energy_gap"] <= 0.0041
    assert summary["bound_musd"] <= summary["objective_musd"] + 1e-6


def test_a_run_can_be_written_again_over_itself(done: Run, tmp_path: Path) -> None:
    assert done.folder is not None
    copy = tmp_path / "out"
    shutil.copytree(done.folder, copy)
    (copy / "run.json").write_text("stale")
    written = pipeline.write(done, copy)
    assert written.hash == done.hash
    assert json.loads((copy / "run.json").read_text())["hash"] == done.hash


def test_what_fails_while_writing_leaves_the_old_run_whole(
    done: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gigawright.report

    assert done.folder is not None
    copy = tmp_path / "out"
    shutil.copytree(done.folder, copy)
    before = (copy / "run.json").read_bytes()

    def broken(*_: object, **__: object) -> None:
        raise CatalogueError("no more ink")

    monkeypatch.setattr(gigawright.report, "write_report", broken)
    with pytest.raises(CatalogueError, match="no more ink"):
        pipeline.write(done, copy)
    assert (copy / "run.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_somebody_elses_is_left_alone(done: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    with pytest.raises(OutputError, match="holds files that no run wrote"):
        pipeline.write(done, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"


def test_money_adds_up_across_the_tables(done: Run) -> None:
    """Each order's price is in the payments, and nothing is paid outside the horizon."""
    result = done.results[0]
    tables, problem = result.plan.tables, result.plan.problem
    capital = tables["payments"].query("kind == 'capital'")["musd"].sum()
    bought = tables["orders"]["cost_musd"].sum() + tables["construction"]["cost_musd"].sum()
    assert capital == pytest.approx(bought, rel=1e-6)
    assert set(tables["payments"]["quarter"]) <= set(problem.sets.q)


IMPOSSIBLE = FIRST.replace("400 M USD, 2027: 300 M USD", "4 M USD, 2027: 3 M USD") + (
    "commitments: [{system: dgx_h200, accelerators: 10k, by: 2027Q4}]\n"
)


def test_an_infeasible_study_is_told_in_its_own_words_and_exits_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "impossible.yaml"
    path.write_text(IMPOSSIBLE)
    code = cli.main(["run", str(path), "--out", str(tmp_path / "out")])
    told = capsys.readouterr().err
    assert code == 3
    assert "no plan keeps every rule of this study" in told
    assert "`commitments` dgx_h200:2027Q4" in told
    assert not (tmp_path / "out").exists()


def test_an_unknown_name_exits_2_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "unknown.yaml"
    path.write_text(FIRST.replace("dgx_h200", "dgx_h2000"))
    code = cli.main(["run", str(path), "--out", str(tmp_path / "out")])
    assert code == 2
    assert "unknown.yaml:11:" in capsys.readouterr().err
    with pytest.raises(StudyError):
        pipeline.run(load_study(path))


def test_least_cost_serves_at_least_as_much_as_most_value(repository: Path) -> None:
    """With the objective `cost` work is served though it is worth less than it costs."""
    study = load_study(repository / "studies" / "first-hall.yaml")
    (workload,) = study.workloads
    assert workload.value is not None
    worthless = workload.value.model_copy(update={"value": (Money(1e-7, "USD"), "token")})
    cheap = study.model_copy(update={"workloads": [workload.model_copy(update={"value": worthless})]})
    least_cost = cheap.model_copy(update={"objective": "cost"})
    served = [
        pipeline.run(asked).results[0].plan.tables["service"]["served"].sum() for asked in (cheap, least_cost)
    ]
    assert served[0] < served[1]
