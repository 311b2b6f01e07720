"""Reading studies: every problem at once, each at its line; no file breaks the reader."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from gigawright.errors import StudyError
from gigawright.study.fields import Count, MoneyField, PowerMW, QuarterField, RangedShare
from gigawright.study.load import load, load_with_source, loads
from gigawright.study.source import MAX_BYTES, Source, plain_value


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Site(Strict):
    name: str = Field(pattern=r"^[a-z]+$", description="short name: a-z")
    max_it: PowerMW | None = None
    design: Literal["air", "liquid"] = "air"
    tags: tuple[str, ...] = ()


class Chat(Strict):
    family: Literal["chat"]
    users: Count
    share: RangedShare = RangedShare(value=1.0)


class Training(Strict):
    family: Literal["training"]
    steps: Annotated[int, Field(ge=1, le=1000)]


class Tiny(Strict):
    name: str
    start: QuarterField
    budgets: dict[int, MoneyField] = {}
    sites: tuple[Site, ...] = Field(min_length=1)
    workloads: list[Annotated[Chat | Training, Field(discriminator="family")]] = []
    free: float | str = 0.0
    _source: Source | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names_differ(self) -> Tiny:
        if len({site.name for site in self.sites}) < len(self.sites):
            raise ValueError("site names must differ")
        return self


GOOD = """\
# a comment
name: first hall
start: 2026Q1
budgets:
  2026: 160 bn CNY
  2027: 23e9 CNY
sites:
  - name: ulanqab
    max_it: 1.2 GW
    tags: [NO, "5"]
  - {name: horinger, design: liquid}
workloads:
  - family: chat
    users: 1.5 bn
    share: {value: 30 %, low: 20 %}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        loads(text, Tiny, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


def problem_of_bytes(folder: Path, data: bytes) -> str:
    path = folder / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(StudyError) as caught:
        load(path, Tiny)
    (problem,) = caught.value.problems
    return str(problem).replace(str(folder) + os.sep, "")


def test_reads_a_good_study(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text("\ufeff" + GOOD, encoding="utf-8")
    study, source = load_with_source(path, Tiny)
    assert study.name == "first hall"
    assert study.budgets[2027].amount == 23e9
    assert study.sites[0].tags == ("NO", "5")
    assert study.sites[0].max_it == 1200.0
    assert isinstance(study.workloads[0], Chat)
    assert study.workloads[0].share.low == 0.2
    assert study._source is source
    assert load(path, Tiny) == study


def test_tells_where_each_part_stands() -> None:
    _, source = loads(GOOD, Tiny, "x.yaml")
    assert source.locate(()) == (2, 1)
    assert source.locate(("name",)) == (2, 7)
    assert source.locate(("name",), key=True) == (2, 1)
    assert source.locate(("budgets", 2026)) == (5, 9)
    assert source.locate(("sites", 0, "tags", 1)) == (10, 16)
    assert source.locate(("sites", 1, "design")) == (11, 30)
    assert source.locate(("workloads", 0, "share", "low")) == (15, 31)
    assert source.locate(("sites", 1, "max_it")) == (11, 5), "a default stands where its parent does"
    assert source.locate(("sites", 7)) == (8, 3)
    told = source.problem(("sites", 1, "name"), "no such site.", "horringer")
    assert str(told) == "x.yaml:11:12 sites[1].name: no such site. Did you mean 'horringer'?"


def test_a_source_is_no_part_of_what_a_study_says() -> None:
    first, source = loads(GOOD, Tiny, "a.yaml")
    second, _ = loads("\n" + GOOD, Tiny, "b.yaml")
    assert first == second
    assert pickle.loads(pickle.dumps(source)).locate(("name",)) == (2, 7)


def test_all_problems_at_once_each_at_its_line() -> None:
    text = """\
name: 12
start: 2026Q5
budgts: {}
budgets:
  2026: 160 bn
  next: 3 bn CNY
sites:
  - name: Ulanqab
    max_it: 1.2 GWh
    desgin: air
  - name: horinger
    design: liqid
    max_it: -5 MW
  - 7
workloads:
  - family: chat
    users: .nan
    share: {valu: 3 %}
  - family: trainin
  - users: 3
  - family: training
    steps: 0
free: [1]
name: again
"""
    assert problems(text) == [
        "x.yaml:1:7 name: saw 12; text (in quotes where it looks like a number) is meant here",
        "x.yaml:2:8 start: '2026Q5' is not a quarter; write it like 2026Q3",
        "x.yaml:3:1 budgts: unknown key; allowed: name, start, budgets, sites, workloads, free. "
        "Did you mean 'budgets'?",
        "x.yaml:5:9 budgets.2026: 160 bn has no currency; "
        "write an amount with its currency like 160 bn CNY or 20 kUSD",
        "x.yaml:6:3 budgets.next: saw next; a whole number is meant here",
        "x.yaml:8:11 sites[0].name: saw Ulanqab; short name: a-z is meant here",
        "x.yaml:9:13 sites[0].max_it: 1.2 GWh is an energy; a power like 1.2 GW is meant here",
        "x.yaml:10:5 sites[0].desgin: unknown key; allowed: name, max_it, design, tags. "
        "Did you mean 'design'?",
        "x.yaml:12:13 sites[1].design: saw liqid; allowed: air, liquid. Did you mean 'liquid'?",
        "x.yaml:13:13 sites[1].max_it: -5 MW is negative; a power like 1.2 GW is meant here, zero or more",
        "x.yaml:14:5 sites[2]: saw 7; a mapping (`key: value` lines) is meant here",
        "x.yaml:17:12 workloads[0].users: .nan is not a finite number",
        "x.yaml:18:12 workloads[0].share.value: is missing: a share of the whole: 25 % or 0.25",
        "x.yaml:18:13 workloads[0].share.valu: unknown key; "
        "allowed: value, low, high, source, confidence, note. Did you mean 'value'?",
        "x.yaml:19:13 workloads[1].family: saw trainin; allowed: chat, training. Did you mean 'training'?",
        "x.yaml:20:5 workloads[2]: the key `family` is missing; it says what this is",
        "x.yaml:22:12 workloads[3].steps: saw 0; it must be 1 or more",
        "x.yaml:23:7 free: saw a list; a number is meant here; or "
        "saw a list; text (in quotes where it looks like a number) is meant here",
        "x.yaml:24:1 name: the key 'name' stands here a second time; the first is at line 1",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sites: []", "x.yaml:1:8 sites: saw a list; it must hold 1 or more"),
        ("sites:", "x.yaml:1:7 sites: saw an empty value; a list (lines that start with `- `, or [a, b])"),
        ("sites: {a: 1}", "x.yaml:1:8 sites: saw a mapping; a list"),
        ("sites: [{name: a}, {name: a}]\nname: x\nstart: 2026Q1", "x.yaml:1:1 study: site names must differ"),
        ("budgets: {2026: 1e400}", "x.yaml:1:17 budgets.2026: 1e400 is too large; numbers go up to 1.8e308"),
        ("budgets: {2026: -1 CNY}", "x.yaml:1:17 budgets.2026: -1 CNY is negative"),
        ("free: -.inf", "x.yaml:1:7 free: -.inf is not a finite number"),
        ("workloads: [{family: training, steps: 1.5}]", "steps: saw 1.5; a whole number is meant here"),
        ("workloads: [{family: training, step: 1}]", "allowed: family, steps. Did you mean 'steps'?"),
        ("name: x", "x.yaml:1:1 sites: is missing"),
        ("name: {a: {b: 1}}", "x.yaml:1:7 name: saw a mapping; text"),
    ],
)
def test_schema_problems_in_plain_words(text: str, expected: str) -> None:
    found = problems(text)
    assert any(expected in problem for problem in found), found
    words = " ".join(found).lower()
    assert not any(
        jargon in words for jargon in ("input should", "pydantic", "validation", "dict", "value error")
    )


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "x.yaml study: the file is empty"),
        ("# only a comment\n", "x.yaml study: the file is empty"),
        ("- a\n- b\n", "x.yaml:1:1 study: a study is a mapping of `key: value` lines"),
        ("just text", "x.yaml:1:1 study: a study is a mapping"),
        ("name: a: b\n", "x.yaml:1:8 study: this is not YAML: a second `key:` on one line"),
        ("name: x\n\tstart: 2026Q1\n", "x.yaml:2:1 study: a tab; YAML indents with spaces only"),
        ("sites:\n\t- name: a\n", "x.yaml:2:1 study: a tab"),
        ("name: 'x\n", "a quote or bracket that is never closed"),
        ("sites: [1, 2\n", "study: this is not YAML: a list in [ ] that is never closed"),
        ("name: @x\n", "x.yaml:1:7 study: this is not YAML: a character that starts no value"),
        ("name: x\n---\nname: y\n", "x.yaml:2:1 study: a second document"),
        ("? [a, b]\n: 1\n", "study: a key must be plain text"),
        ("name: *nobody\n", "x.yaml:1:7 study: *nobody stands for nothing"),
        ("name: &a [*a]\n", "x.yaml:1:11 study: *a stands for nothing; &a must come, complete, before it"),
        ("name: !!python/object/apply:os.system [ls]\n", "tags like !!python/object/apply:os.system are not"),
        ("name: !secret x\n", "x.yaml:1:7 study: tags like !secret are not allowed"),
        ("name: !!binary aGk=\n", "tags like !!binary are not allowed"),
        ("name: " + "[" * 5000 + "]" * 5000, "study: nested deeper than 64 levels"),
        ("name: " + "{a: " * 5000 + "1" + "}" * 5000, "study: nested deeper than 64 levels"),
        ("\n".join(" " * level + "a:" for level in range(5000)), "x.yaml:65:65 study: nested deeper"),
        ("name: " + "[" * 5000, "study: nested deeper than 64 levels"),
        (BOMB, "the aliases (*name) of this file repeat too much; write it out"),
        ("a:\n" + "- 1\n" * 300_100, "the file holds more than 300,000 keys and values"),
        (f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 10_000)}]\n", "the aliases (*name) of this file"),
    ],
)
def test_what_no_study_can_be_is_told_in_one_line(text: str, expected: str) -> None:
    (problem,) = problems(text)
    assert expected in problem


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"name: a\0b\n" + b"# text that goes on, so that this is no binary file\n",
            "x.yaml:1:8 study: a NUL",
        ),
        (b"name: x\nstart: \x1b[31m\n# text text text\n", "x.yaml:2:8 study: the control character U+001B"),
        (b"name: x\nstart: caf\xe9\n", "x.yaml:2:11 study: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("name: café".encode("utf-16"), "x.yaml study: this is a binary file"),
        (bytes(range(256)) * 20, "x.yaml study: this is a binary file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2000), "x.yaml study: this is a binary file"),
        (b"", "x.yaml study: the file is empty"),
        (b"#" * (MAX_BYTES + 1), "x.yaml study: the file is larger than 16 MB"),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, data: bytes, expected: str) -> None:
    assert problem_of_bytes(tmp_path, data).startswith(expected)


def test_a_folder_or_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"study: this is a folder; give the study's \.yaml file"):
        load(tmp_path, Tiny)
    with pytest.raises(StudyError, match="study: there is no such file"):
        load(tmp_path / "nothing.yaml", Tiny)
    with pytest.raises(StudyError, match="study: there is no such file"):
        load("a\0b.yaml", Tiny)
    with pytest.raises(StudyError, match="study: this is no ordinary file"):
        load(os.devnull, Tiny)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(GOOD)

    def refuses(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuses)
    with pytest.raises(StudyError, match="study: the file cannot be read: Permission denied"):
        load(path, Tiny)


def test_aliases_that_repeat_little_are_fine() -> None:
    text = GOOD + "free: &f text\n"
    text = text.replace("name: ulanqab", "name: &n ulanqab").replace("tags: [NO", "tags: [*n")
    study, source = loads(text, Tiny)
    assert study.sites[0].tags == ("ulanqab", "5")
    assert source.locate(("sites", 0, "tags", 0)) == (10, 12)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("23e9", 23e9),
        ("1.5", 1.5),
        ("-7", -7),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("2026-10-31", "2026-10-31"),
        ("1.2 GW", "1.2 GW"),
        ("=", "="),
        ("<<", "<<"),
        ("9" * 5000, "9" * 400),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    if len(text) > 400:
        with pytest.raises(ValueError, match="too large"):
            plain_value(text)
        return
    read = plain_value(text)
    assert read == value
    assert type(read) is type(value)


def test_quoted_scalars_are_text() -> None:
    study, _ = loads(GOOD.replace("name: first hall", 'name: "12"'), Tiny)
    assert study.name == "12"


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
KEYS = st.sampled_from(
    ["name", "start", "sites", "workloads", "family", "budgets", "2026", "share", "value", "x"]
)


@given(
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
    )
)
def test_any_yaml_is_read_or_refused_at_a_line(value: object) -> None:
    import yaml

    text = yaml.safe_dump({"name": value, "sites": value, "workloads": [value]})
    try:
        loads(text, Tiny)
    except StudyError as error:
        assert all(problem.message for problem in error.problems)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError):
        load(path, Tiny)


@pytest.fixture
def long_study() -> Callable[[int], str]:
    def write(sites: int) -> str:
        head = "name: long\nstart: 2026Q1\nsites:\n"
        letters = "abcdefghijklmnopqrstuvwxyz"
        names = (letters[i // 676 % 26] + letters[i // 26 % 26] + letters[i % 26] for i in range(sites))
        return head + "".join(f"  - name: {name}\n    max_it: 20 MW\n    tags: [a]\n" for name in names)

    return write


def test_a_mistake_in_a_long_study_is_found_at_its_line(long_study: Callable[[int], str]) -> None:
    lines = long_study(3000).splitlines()
    lines[8998] = "    max_it: 20 MWh"
    (problem,) = problems("\n".join(lines))
    assert problem.startswith("x.yaml:8999:13 sites[2998].max_it: 20 MWh is an energy")
