"""EPW files: hours, order, gaps, and what is refused, all problems at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from tests.facility.places import PLACES, epw_path, recorded
from tests.facility.weather.files import (
    LATITUDE,
    LONGITUDE,
    epw,
    epw_lines,
    set_cells,
    set_columns,
    sky,
    sunny_lines,
)

from gigawright.errors import CatalogueError
from gigawright.facility.weather import psychrometrics
from gigawright.facility.weather.epw import read_epw, read_epw_file, read_epw_place
from gigawright.facility.weather.sun import sun_year
from gigawright.facility.weather.year import to_local, to_utc


def test_hours_end_and_become_utc_hours_that_begin(tmp_path: Path) -> None:
    year = read_epw(epw(tmp_path, offset=8.0))
    # The first line, 00 to 01 h local, is 16 h UTC the day before; the year is a ring.
    assert year.dry_bulb_c[16] == 0.0
    assert year.dry_bulb_c[0] == 8.0
    assert (to_local(year.dry_bulb_c, 8.0)[:24] == np.arange(24)).all()


def test_place_label_and_kind(tmp_path: Path) -> None:
    path = epw(tmp_path)
    read = read_epw_file(path)
    assert (read.kind, read.years.labels, read.notes) == ("EPW", ("2025",), ())
    assert read.place == read_epw_place(path)
    assert (read.place.name, read.place.elevation_m, read.place.utc_offset_h) == ("Test", 30.0, 8.0)


def test_29_february_is_dropped_and_told(tmp_path: Path) -> None:
    lines = epw_lines(leap=True)
    set_cells(lines, range(59 * 24, 60 * 24), 6, "40.0")
    read = read_epw_file(epw(tmp_path, lines))
    assert read.weather.dry_bulb_c.max() == 23.0
    assert read.notes == ("29 February dropped (24 hours)",)


def test_lines_in_another_order_are_sorted_and_told(tmp_path: Path) -> None:
    lines = epw_lines()
    mixed = lines[:8] + lines[8 + 4000 :] + lines[8 : 8 + 4000]
    read = read_epw_file(epw(tmp_path, mixed))
    np.testing.assert_array_equal(read.weather.dry_bulb_c, read_epw(epw(tmp_path, lines)).dry_bulb_c)
    assert any("order" in note for note in read.notes)


def test_hours_that_stand_twice_are_refused(tmp_path: Path) -> None:
    lines = epw_lines()
    with pytest.raises(CatalogueError, match=r"24 hours stand more than once, the first is 4 Jan 00:00"):
        read_epw(epw(tmp_path, lines + lines[8 + 72 : 8 + 96]))


@pytest.mark.parametrize(("north", "first"), [(True, 60), (False, 91)])
def test_local_summer_time_goes_back_to_standard_time(tmp_path: Path, north: bool, first: int) -> None:
    """One hour is jumped over, one told twice: summer time lies between (north) or around them (south)."""
    lines = epw_lines(offset=-5.0 if north else 10.0)
    body = lines[8:]
    forward, back = (first * 24 + 2, 300 * 24 + 1) if north else (277 * 24 + 2, first * 24 + 2)
    local = []
    for hour in range(8760) if north else range(-1, 8759):
        summer = forward <= hour < back if north else not back <= hour < forward
        at = dt.datetime(2025, 1, 1) + dt.timedelta(hours=hour + int(summer))
        cells = body[hour].split(",")
        cells[1:4] = [str(at.month), str(at.day), str(at.hour + 1)]
        local.append(",".join(cells))
    read = read_epw_file(epw(tmp_path, lines[:8] + local))
    np.testing.assert_array_equal(read.weather.dry_bulb_c, read_epw(epw(tmp_path, lines)).dry_bulb_c)
    assert any("standard time" in note for note in read.notes)


def test_short_gaps_are_filled_and_told(tmp_path: Path) -> None:
    lines = epw_lines()
    set_cells(lines, range(100, 106), 6, "99.9")
    read = read_epw_file(epw(tmp_path, lines))
    assert to_local(read.weather.dry_bulb_c, 8.0)[100:106] == pytest.approx(np.arange(4.0, 10.0))
    # 5 January, 04:00 in Beijing is 20:00 UTC the day before.
    assert read.notes == ("dry_bulb_c: 6 missing hours interpolated, the first 4 Jan 20:00",)


def test_absent_lines_and_blank_fields_are_gaps(tmp_path: Path) -> None:
    lines = epw_lines()
    set_cells(lines, range(500, 502), 21, "")
    read = read_epw_file(epw(tmp_path, lines[:40] + lines[43:]))
    assert to_local(read.weather.dry_bulb_c, 8.0)[32:35] == pytest.approx([8.0, 9.0, 10.0])
    assert any(note.startswith("wind_speed_ms: 5 missing") for note in read.notes)


def test_a_gap_in_the_sun_follows_the_sun(tmp_path: Path) -> None:
    sun = sky()
    lines = sunny_lines(sun)
    whole = read_epw(epw(tmp_path, lines))
    dawn = 180 * 24 + 3
    set_cells(lines, range(dawn, dawn + 6), 13, "9999")
    filled = to_local(read_epw(epw(tmp_path, lines)).ghi_w_m2, 8.0)[dawn : dawn + 6]
    wanted = to_local(whole.ghi_w_m2, 8.0)[dawn : dawn + 6]
    assert filled[0] == 0.0
    assert (filled[wanted == 0.0] == 0.0).all()
    assert filled[3:] == pytest.approx(wanted[3:], rel=0.3)
    # A straight line would shine in the night and be far too low in the morning.
    assert abs(filled.sum() / wanted.sum() - 1.0) < 0.2


def test_long_gaps_are_refused_with_column_count_and_first_hour(tmp_path: Path) -> None:
    lines = epw_lines()
    set_cells(lines, range(100, 107), 6, "99.9")
    set_cells(lines, range(2000, 2030), 21, "999")
    with pytest.raises(CatalogueError) as told:
        read_epw(epw(tmp_path, lines))
    text = str(told.value)
    assert "2 problems" in text
    assert "dry_bulb_c is missing in 7 hours; the longest gap has 7, from 4 Jan 20:00" in text
    assert "wind_speed_ms is missing in 30 hours" in text


@pytest.mark.parametrize(
    ("column", "code", "note"),
    [
        (9, 999999, "the standard atmosphere"),
        (8, 999, "by its dew point"),
        (14, 9999, "after Erbs"),
        (13, 9999, "by beam and diffuse"),
    ],
)
def test_a_column_that_others_tell_is_made_from_them(
    tmp_path: Path, column: int, code: int, note: str
) -> None:
    read = read_epw_file(epw(tmp_path, **{f"c{column}": code}))
    assert any(note in one for one in read.notes), read.notes
    if column == 9:
        assert read.weather.pressure_pa[0] == pytest.approx(100965.0, abs=1.0)
    if column == 8:
        wanted = psychrometrics.saturation_pressure_pa(5.0) / psychrometrics.saturation_pressure_pa(23.0)
        assert read.weather.relative_humidity.min() == pytest.approx(float(wanted))


def test_a_column_that_nothing_tells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="dry_bulb_c is missing in 8760 hours"):
        read_epw(epw(tmp_path, c6=99.9))


def test_impossible_values_are_refused_where_they_stand(tmp_path: Path) -> None:
    lines = epw_lines()
    set_cells(lines, range(30, 32), 6, "88.0")
    set_cells(lines, range(40, 41), 9, "950.0")
    with pytest.raises(CatalogueError) as told:
        read_epw(epw(tmp_path, lines))
    assert "dry_bulb_c is outside -70 to 70 C in 2 hours, the first is 2 Jan 06:00 with 88" in str(told.value)
    assert "pressure_pa is outside 31000 to 120000 Pa in 1 hours" in str(told.value)


def test_another_kind_length_or_text_is_refused(tmp_path: Path) -> None:
    lines = epw_lines()
    with pytest.raises(CatalogueError, match="24 hours have no line, the first is 31 Dec 00:00: 8736 hours"):
        read_epw(epw(tmp_path, lines[:-24]))
    with pytest.raises(CatalogueError, match="does not begin with LOCATION"):
        read_epw(epw(tmp_path, ["hello", *lines[1:]]))
    with pytest.raises(CatalogueError, match=r"relative_humidity_pct, column 9.*line 9: 'damp'"):
        read_epw(epw(tmp_path, [*lines[:8], lines[8].replace(",50.0,", ",damp,"), *lines[9:]]))
    short = [",".join(line.split(",")[:14]) for line in lines[11:19]]
    with pytest.raises(CatalogueError, match="8 lines are cut short, the first is line 12 with 14 fields"):
        read_epw(epw(tmp_path, [*lines[:11], *short, *lines[19:]]))
    with pytest.raises(CatalogueError, match="month 13"):
        read_epw(epw(tmp_path, [*lines[:8], lines[8].replace("2025,1,1,1,", "2025,13,1,1,"), *lines[9:]]))
    with pytest.raises(CatalogueError, match="do not begin with year, month, day, hour"):
        read_epw(epw(tmp_path, [*lines[:8], lines[8].replace("2025,1,1,1,", "2025,Jan,1,1,"), *lines[9:]]))
    with pytest.raises(CatalogueError, match="must be numbers"):
        read_epw(epw(tmp_path, [lines[0].replace("40.0", "forty"), *lines[1:]]))
    with pytest.raises(CatalogueError, match="allowed are -90 to 90"):
        read_epw(epw(tmp_path, [lines[0].replace("40.0", "140.0"), *lines[1:]]))
    with pytest.raises(CatalogueError, match="does not begin with LOCATION"):
        read_epw(epw(tmp_path, [""]))


def test_hours_counted_from_0_are_refused(tmp_path: Path) -> None:
    lines = epw_lines()
    for place in range(8, len(lines)):
        cells = lines[place].split(",")
        lines[place] = ",".join([*cells[:3], str(int(cells[3]) - 1), *cells[4:]])
    with pytest.raises(CatalogueError, match="an EPW file counts 1 to 24"):
        read_epw(epw(tmp_path, lines))


def test_data_periods_are_heeded(tmp_path: Path) -> None:
    lines = epw_lines()
    twice = [line for line in lines[8:] for _ in range(2)]
    lines[7] = "DATA PERIODS,1,2,Data,Sunday, 1/ 1,12/31"
    read = read_epw_file(epw(tmp_path, lines[:8] + twice))
    assert any("2 records an hour" in note for note in read.notes)
    assert (to_local(read.weather.dry_bulb_c, 8.0)[:24] == np.arange(24)).all()
    lines[7] = "DATA PERIODS,2,1,Data,Sunday, 1/ 1,12/31"
    with pytest.raises(CatalogueError, match="2 periods"):
        read_epw(epw(tmp_path, lines))


def test_a_sun_half_an_hour_late_is_put_on_time(tmp_path: Path) -> None:
    sun, late = sky(), sky(late_h=0.5)
    lines = sunny_lines(late)
    read = read_epw_file(epw(tmp_path, lines))
    assert "0.5 h late" in read.notes[0]
    error = np.abs(read.weather.ghi_w_m2 - sun.ghi_w_m2).mean()
    assert error < 0.1 * np.abs(late.ghi_w_m2 - sun.ghi_w_m2).mean()


def test_a_half_hour_zone_keeps_its_sun(tmp_path: Path) -> None:
    """India's 5.5 hours are rounded to 6 for the hours, but not for the sun."""
    longitude = 82.5
    local = cosine_by_clock(longitude, 5.5)
    lines = epw_lines(offset=5.5)
    lines[0] = lines[0].replace(str(LONGITUDE), str(longitude))
    set_columns(lines, {13: local * 800.0, 15: local * 800.0})
    # A trace of beam, so that there is something to set on time.
    set_cells(lines, range(4000, 4001), 14, "1")
    read = read_epw_file(epw(tmp_path, lines))
    outside = sun_year(LATITUDE, longitude).extraterrestrial_w_m2
    fit = [np.corrcoef(np.roll(read.weather.ghi_w_m2, by), outside)[0, 1] for by in (-1, 0, 1)]
    assert fit[1] > 0.998
    assert fit[1] - max(fit[0], fit[2]) > 0.02


def cosine_by_clock(longitude: float, offset: float) -> np.ndarray:
    """The sun's height over a year of local hours, of a zone that need not be whole."""
    from gigawright.facility.weather.timing import cosine_of_zenith

    whole = round(offset)
    return to_local(cosine_of_zenith(LATITUDE, longitude, offset - whole), offset)


def test_recorded_files_hold_what_they_are_known_for(shared_folder: Path) -> None:
    singapore, _ = recorded(epw_path(shared_folder, "Changi"))
    assert singapore.dry_bulb_c.mean() == pytest.approx(27.6, abs=0.5)
    # The file's own dew point, column 8, against ours from its relative humidity (whole per cents).
    path = epw_path(shared_folder, "Leesburg")
    rows = [line.split(",") for line in path.read_text(errors="replace").splitlines()[8:]]
    theirs = to_utc(np.array([float(row[7]) for row in rows]), -5.0)
    year, _ = recorded(path)
    vapour = year.relative_humidity * psychrometrics.saturation_pressure_pa(year.dry_bulb_c)
    warm = year.dry_bulb_c > 5.0
    assert np.median(np.abs(psychrometrics.dew_point_c(vapour) - theirs)[warm]) < 0.3


def test_recorded_files_have_their_sun_on_time(shared_folder: Path) -> None:
    """Shanghai, Dallas and Leesburg come half an hour late and are put on time; the others are left."""
    for place in PLACES:
        read = read_epw_file(epw_path(shared_folder, place))
        late = [note for note in read.notes if "0.5 h late" in note]
        assert bool(late) == (place in ("Shanghai", "Dallas", "Leesburg")), (place, read.notes)
        sun = sun_year(read.place.latitude, read.place.longitude)
        year = read.weather
        fit = [np.corrcoef(np.roll(year.ghi_w_m2, by), sun.extraterrestrial_w_m2)[0, 1] for by in (-1, 0, 1)]
        assert fit[1] == max(fit), (place, fit)
        assert year.ghi_w_m2[sun.zenith_deg > 95.0].sum() < 0.003 * year.ghi_w_m2.sum()


def test_what_the_move_keeps_of_a_recorded_file(shared_folder: Path) -> None:
    """The year's GHI stays as recorded; beam by 3 %, for its hours are no longer cut at the horizon."""
    path = epw_path(shared_folder, "Leesburg")
    rows = [line.split(",") for line in path.read_text(errors="replace").splitlines()[8:]]
    ghi, dni, dhi = (np.array([float(row[place]) for row in rows]) for place in (13, 14, 15))
    year, _ = recorded(path)
    assert year.ghi_w_m2.sum() == pytest.approx(ghi.sum(), rel=1e-9)
    assert year.dni_w_m2.sum() == pytest.approx(dni.sum(), rel=0.03)
    assert year.dhi_w_m2.sum() == pytest.approx(dhi.sum(), rel=0.01)


def test_impossible_humidity_of_phoenix_is_told(shared_folder: Path) -> None:
    read = read_epw_file(epw_path(shared_folder, "Phoenix"))
    assert any("dew points up to 32" in note and "10 Jul" in note for note in read.notes)
