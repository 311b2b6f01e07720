"""The programme's own figures, held against each other and against sources that do not know of them."""

from __future__ import annotations

import csv
import datetime as dt
import json
from importlib.resources import files
from itertools import pairwise

import pytest

from gigawright.catalogue.load import load_facts
from gigawright.facts import FactBook
from gigawright.money import Money, Rate, Rates

ARTICLE_DAY = dt.date(2025, 12, 23)


@pytest.fixture(scope="module")
def book() -> FactBook:
    """Everything the catalogue knows."""
    return FactBook(load_facts())


@pytest.fixture(scope="module")
def book_of_2025() -> FactBook:
    """What a planner could know on the day the plan was reported."""
    return FactBook(load_facts(), as_of=ARTICLE_DAY)


def rates_of(book: FactBook) -> Rates:
    """The catalogue's exchange rates, each on its own day."""
    return Rates(
        Rate(currency, dt.date.fromisoformat(day), float(fact.value))
        for currency in book.items("currency")
        for day, fact in book.points("currency", currency, "per_usd").items()
    )


def test_160_bn_yuan_are_23_bn_dollars_at_a_rate_from_elsewhere(book_of_2025: FactBook) -> None:
    plan_cny = book_of_2025.number("programme", "bytedance_capex_2026", "value")
    plan_usd = book_of_2025.number("programme", "bytedance_capex_2026_usd", "value")
    rate = list(book_of_2025.points("currency", "CNY", "per_usd").values())[-1]
    assert "Foreign Exchange Trade System" in rate.source
    converted_usd = rates_of(book_of_2025).to_usd(Money(plan_cny, "CNY"), ARTICLE_DAY)
    assert plan_cny == 160e9
    assert converted_usd == pytest.approx(plan_usd, rel=0.02)


def test_the_plan_was_raised_in_2026_and_nobody_knew_before(book: FactBook, book_of_2025: FactBook) -> None:
    assert book.number("programme", "bytedance_capex_2026", "value") == 200e9
    assert book_of_2025.number("programme", "bytedance_capex_2026", "value") == 160e9


def test_processors_are_about_half_of_the_capital(book_of_2025: FactBook) -> None:
    processors_cny = book_of_2025.number("programme", "bytedance_processors_2026", "value")
    plan_cny = book_of_2025.number("programme", "bytedance_capex_2026", "value")
    assert processors_cny / plan_cny == pytest.approx(0.53, abs=0.01)


def test_doubao_tokens_only_grow(book: FactBook) -> None:
    points = book.points("programme", "doubao_daily_tokens", "at")
    tokens = [float(points[month].value) for month in sorted(points)]
    assert len(tokens) == 9
    assert all(later > earlier for earlier, later in pairwise(tokens))
    # Launch to December 2025 is printed as a factor of 417, to June 2026 as 1,500.
    assert tokens[6] / tokens[0] == pytest.approx(417, rel=0.01)
    assert tokens[8] / tokens[0] == pytest.approx(1500, rel=0.01)


def test_doubao_tokens_of_2026_are_unknown_in_december_2025(book_of_2025: FactBook) -> None:
    assert max(book_of_2025.points("programme", "doubao_daily_tokens", "at")) == "2025-12"


@pytest.mark.parametrize(
    ("region", "peak_hour", "peak_to_mean"),
    [
        ("cn_north", 19, 1.6), ("cn_east", 19, 1.6), ("cn_south", 21, 1.6), ("cn_west", 21, 1.6),
        ("sea", 21, 1.6), ("jp_kr", 22, 1.6), ("south_asia", 22, 1.6), ("middle_east", 22, 1.6),
        ("europe", 20, 1.5), ("us_east", 23, 1.5), ("us_west", 21, 1.5), ("latam", 21, 1.6),
        ("africa", 22, 1.6),
    ],
)  # fmt: skip
def test_daily_shapes_keep_the_mean_and_peak_where_stated(
    book: FactBook, region: str, peak_hour: int, peak_to_mean: float
) -> None:
    shape = book.points("region", region, "hourly")
    ratios = [float(shape[f"{hour:02d}"].value) for hour in range(24)]
    assert sum(ratios) / 24 == pytest.approx(1.0, abs=0.002)
    assert ratios.index(max(ratios)) == peak_hour
    assert max(ratios) == pytest.approx(peak_to_mean)
    assert min(ratios) > 0.0


def test_the_regions_hold_the_programmes_1_5_bn_users(book_of_2025: FactBook) -> None:
    regions = book_of_2025.items("region")
    users_m = sum(book_of_2025.number("region", region, "users") for region in regions)
    assert len(regions) == 13
    assert users_m * 1e6 == pytest.approx(
        book_of_2025.number("programme", "short_video_monthly_users", "value"), rel=0.01
    )
    assistant = [book_of_2025.number("region", region, "assistant_users_share") for region in regions]
    assert sum(assistant) == pytest.approx(1.0)


def test_every_region_reaches_every_site(book_of_2025: FactBook) -> None:
    for region in book_of_2025.items("region"):
        assert set(book_of_2025.points("region", region, "rtt")) == set(book_of_2025.items("site"))


def required(kind: str) -> list[str]:
    """Required attributes of a kind, a monthly family written out."""
    lines = (files("gigawright.catalogue") / "schema.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row["kind"] == kind and row["required"] == "yes"]
    months = [f"{month:02d}" for month in range(1, 13)]
    names = [row["attribute"] for row in rows]
    return [name + month for name in names for month in (months if name.endswith("@") else [""])]


def test_28_sites_have_all_that_is_required_by_december_2025(book_of_2025: FactBook) -> None:
    sites = book_of_2025.items("site")
    assert len(sites) == 28
    names = required("site")
    missing = [(site, name) for site in sites for name in names if not book_of_2025.has("site", site, name)]
    assert missing == []


def test_no_month_is_colder_at_noon_than_at_night(book: FactBook) -> None:
    for site in book.items("site"):
        low, mean, high = (book.points("site", site, f"dry_bulb_{name}") for name in ("min", "mean", "max"))
        for month in mean:
            night_c, day_c, noon_c = (float(curve[month].value) for curve in (low, mean, high))
            assert night_c < day_c < noon_c, (site, month)


def test_only_guian_is_cheaper_for_domestic_chips(book: FactBook) -> None:
    cheaper = [site for site in book.items("site") if book.has("site", site, "price_domestic_only")]
    assert cheaper == ["guian"]
    for site in cheaper:
        assert book.number("site", site, "price_domestic_only") < book.number("site", site, "price")


def test_the_map_is_small_closed_and_of_this_planet() -> None:
    text = (files("gigawright.report") / "data" / "land.json").read_text(encoding="utf-8")
    land = json.loads(text)
    assert len(text) < 150_000
    assert "Natural Earth" in land["source"]
    for ring in land["rings"]:
        assert ring[0] == ring[-1]
        assert all(-180 <= longitude <= 180 and -90 <= latitude <= 90 for longitude, latitude in ring)


KINDS = ("site", "region", "technology", "role", "currency", "programme", "economics")


def test_every_number_lies_in_its_range_and_every_assumed_number_has_one() -> None:
    for fact in load_facts():
        if fact.kind not in KINDS or isinstance(fact.value, str):
            continue
        where = f"{fact.name} known from {fact.known_from}"
        assert fact.low is None or fact.low <= fact.value, where
        assert fact.high is None or fact.value <= fact.high, where
        if fact.confidence == "assumption":
            assert fact.low is not None, where
            assert fact.high is not None, where


def test_nothing_rests_on_a_weather_file_that_may_not_be_passed_on() -> None:
    named = [fact.name for fact in load_facts() if "IWEC" in f"{fact.source} {fact.locator} {fact.note}"]
    assert named == []
