"""Every phase on every system: names, shares a planner may count on, and refusals that say why."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawright.catalogue.resolve import resolve
from gigawright.study.load import load_study
from gigawright.study.model import Study
from gigawright.workloads.architecture import language_model
from gigawright.workloads.power import IDLE_SHARE
from gigawright.workloads.predict import Performance, phases_of, predict
from gigawright.workloads.training.planned import train

STUDY = """\
name: mix
horizon: {start: 2026Q1, end: 2026Q4}
buyer: {name: Example, headquarters: United States}
budgets: {capital: {2026: 1 M USD}, leasing: {2026: 1 M USD}}
sites: [{site: abilene}]
systems: [{system: dgx_h200}, {system: dgx_b200}]
workloads:
  - {name: chat, family: llm-serving, model: llama-3.1-70b, input_tokens: 1500, output_tokens: 400,
     value: 1 USD per M tokens, headroom: 10 %, availability: 90 %, demand: {per_day: 1 bn}}
  - {name: lm, family: llm-training, model: llama-3.1-70b, precision: bf16, value: 1 USD per M tokens,
     availability: 90 %, goodput: 50 %,
     batch_tokens: 8M, programmes: [{name: one, tokens: 1 T, start: 2026Q1, due: 2026Q4},
       {name: two, tokens: 1 T, start: 2026Q1, due: 2026Q4, model: llama-3-8b, precision: fp8, seq_len: 4096,
        cluster: 512, batch_tokens: 4M}, {name: three, tokens: 1 T, start: 2026Q2, due: 2026Q4}]}
  - {name: tune, group: research, family: llm-training, model: llama-3.1-70b, precision: bf16,
     value: 1 USD per M tokens, demand: {per_day: 1 bn, regions: home}}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path: Path = tmp_path_factory.mktemp("predict") / "study.yaml"
    path.write_text(STUDY)
    return load_study(path)


def test_phases_have_names_units_and_profiles(study: Study) -> None:
    found = [phase for workload in study.workloads for phase in phases_of(workload)]
    assert [(p.name, p.unit, p.profile, p.group) for p in found] == [
        ("chat.prefill", "input-token", "daily", "chat"),
        ("chat.decode", "output-token", "daily", "chat"),
        ("lm:one", "trained-token", "flat", "lm"),
        ("lm:two", "trained-token", "flat", "lm"),
        ("lm:three", "trained-token", "flat", "lm"),
        ("tune.training", "trained-token", "flat", "research"),
    ]


def test_every_pairing_is_predicted_within_its_nameplate(study: Study) -> None:
    catalogue = resolve(study)
    found = predict(study, catalogue)
    assert set(found.table) == {(p.name, s) for p in found.phases for s in ("dgx_h200", "dgx_b200")}
    for (_, system), answer in found.table.items():
        assert not answer.refused
        assert answer.work_per_s > 0.0
        nameplate = catalogue.systems[system].kw_per_accelerator * 1e3
        assert IDLE_SHARE * nameplate <= answer.watts <= nameplate * (1 + 1e-9)
    assert found.idle_kw["dgx_h200"] == pytest.approx(catalogue.systems["dgx_h200"].kw_per_accelerator * 0.3)


def test_net_shares_are_the_studys_or_the_catalogues(study: Study) -> None:
    catalogue = resolve(study)
    net = predict(study, catalogue).net_share
    constants = {
        name: catalogue.book.number("economics", name, "value") for name in ("availability", "goodput")
    }
    for system in ("dgx_h200", "dgx_b200"):
        assert net["chat.prefill", system] == net["chat.decode", system] == pytest.approx(0.9 * 0.9)
        assert net["lm:one", system] == pytest.approx(0.9 * 0.5)
        assert net["tune.training", system] == pytest.approx(constants["availability"] * constants["goodput"])


def served(folder: Path, more: str = "") -> Performance:
    """A language model that serves, its headroom left to response surfaces."""
    path = folder / "served.yaml"
    head = STUDY[: STUDY.index("  - {name: lm")].replace("headroom: 10 %,", more)
    path.write_text(head)
    study = load_study(path)
    return predict(study, resolve(study))


def test_capacity_that_users_leave_is_read_off_response_surfaces(tmp_path: Path) -> None:
    found = served(tmp_path)
    assert set(found.surfaces) == set(found.table)
    for pairing, surface in found.surfaces.items():
        limit = {"ttft": 2.0, "tpot": 0.05}[surface.felt]
        load = found.planned_load[pairing]
        assert load == surface.most(limit)
        assert found.net_share[pairing] == pytest.approx(0.9 * load)
        assert 0.5 < load <= 1.0
        assert load == 1.0 or surface.at(load).seconds[99] == pytest.approx(limit)
        idle, full = surface.idle_watts, found.table[pairing].watts
        assert idle < surface.at(0.3).watts <= surface.at(0.7).watts <= full * (1 + 1e-9)
        assert surface.felt == "tpot" or surface.at(0.3).watts < surface.at(0.7).watts


def test_a_shorter_limit_leaves_less(tmp_path: Path) -> None:
    usual, quick = served(tmp_path), served(tmp_path, "ttft_limit: 800 ms,")

    def counted(found: Performance, phase: str, system: str) -> float:
        return found.table[phase, system].work_per_s * found.net_share[phase, system]

    for system in ("dgx_h200", "dgx_b200"):
        assert counted(quick, "chat.prefill", system) < 0.97 * counted(usual, "chat.prefill", system)
        assert counted(quick, "chat.decode", system) == counted(usual, "chat.decode", system)


def test_a_limit_that_no_load_keeps_refuses_the_phase(tmp_path: Path) -> None:
    found = served(tmp_path, "ttft_limit: 20 ms,")
    answer = found.table["chat.prefill", "dgx_h200"]
    assert answer.work_per_s == 0.0
    assert "for a first token at 10% load, the limit is 20 ms" in answer.refused
    assert found.net_share["chat.prefill", "dgx_h200"] == 0.0
    kept = served(tmp_path, "ttft_limit: 20 ms, headroom: 25 %,")
    assert kept.table["chat.prefill", "dgx_h200"].work_per_s > 0.0
    assert kept.net_share["chat.prefill", "dgx_h200"] == pytest.approx(0.9 * 0.75)


def test_a_programme_trains_as_it_says_or_as_its_workload_says(study: Study) -> None:
    catalogue = resolve(study)
    found = predict(study, catalogue).table
    small = {"precision": "fp8", "seq_len": 4096, "accelerators": 512, "batch_tokens": 4e6}
    for name, model, rest in (
        ("lm:one", "llama-3.1-70b", {"precision": "bf16", "batch_tokens": 8e6}),
        ("lm:two", "llama-3-8b", small),
        ("lm:three", "llama-3.1-70b", {"precision": "bf16", "batch_tokens": 8e6}),
        ("tune.training", "llama-3.1-70b", {"precision": "bf16"}),
    ):
        for system in catalogue.systems.values():
            alone = train(language_model(model), system, phase=name, **rest)  # type: ignore[arg-type]
            assert found[name, system.id] == alone
    assert found["lm:two", "dgx_h200"].work_per_s > 2 * found["lm:one", "dgx_h200"].work_per_s


def test_a_newer_system_decodes_faster(study: Study) -> None:
    table = predict(study, resolve(study)).table
    assert table["chat.decode", "dgx_b200"].work_per_s > table["chat.decode", "dgx_h200"].work_per_s


def test_what_cannot_be_predicted_says_why(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        STUDY.replace("{system: dgx_b200}", "{system: atlas350_8, buy: false, lease: true}") + OWN_LEASE
    )
    study = load_study(path)
    answers = [a for (_, system), a in predict(study, resolve(study)).table.items() if system == "atlas350_8"]
    assert answers
    for answer in answers:
        assert (answer.work_per_s > 0.0) != bool(answer.refused)


OWN_LEASE = "catalogue: [{kind: system, item: atlas350_8, attribute: lease_usd_h, value: 1.0, unit: USD/h}]\n"
