"""EPW files that are written: read again by us and by pvlib."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.facility.places import PLACES, epw_path
from tests.facility.weather.files import known_year

from gigawright.errors import OutputError
from gigawright.facility.weather.epw import read_epw_file
from gigawright.facility.weather.epw_write import write_epw
from gigawright.facility.weather.year import to_local
from gigawright.facility.weather.years import Place

BEIJING = Place(40.0, 116.0, 35.0, 8.0, "Beijing, made")
# Half of the last decimal that is written, and what follows from it for the derived ones; the wet bulb jumps
# by 0.4 K where it freezes.
WITHIN = {
    "dry_bulb_c": 0.0051,
    "relative_humidity": 5.1e-5,
    "humidity_ratio": 2e-5,
    "wet_bulb_c": 0.02,
    "pressure_pa": 0.051,
    "ghi_w_m2": 0.051,
    "dni_w_m2": 0.051,
    "dhi_w_m2": 0.051,
    "wind_speed_ms": 0.0051,
}


@pytest.mark.parametrize("offset", [-9.0, 0.0, 5.5, 8.0])
def test_what_is_written_is_read_again(tmp_path: Path, offset: float) -> None:
    year = known_year()
    place = Place(40.0, 116.0, 35.0, offset, "Beijing, made")
    path = tmp_path / "new" / "made.epw"
    hashed = write_epw(path, year, place, ("a, b", "c"), 2023)
    read = read_epw_file(path)
    assert len(hashed) == 64
    assert (read.place.name, read.place.elevation_m) == ("Beijing; made", 35.0)
    assert read.place.utc_offset_h == round(offset)
    assert (read.years.labels, read.notes) == (("2023",), ())
    for name, within in WITHIN.items():
        ours, theirs = getattr(read.weather, name), getattr(year, name)
        far = np.abs(ours) > 0.5 if name == "wet_bulb_c" else slice(None)
        np.testing.assert_allclose(ours[far], theirs[far], rtol=0, atol=within)


def test_pvlib_reads_it_too(tmp_path: Path) -> None:
    from pvlib.iotools import read_epw

    path = tmp_path / "made.epw"
    year = known_year()
    write_epw(path, year, BEIJING)
    frame, about = read_epw(str(path))
    assert (about["latitude"], about["longitude"], about["TZ"], about["altitude"]) == (40.0, 116.0, 8.0, 35.0)
    assert len(frame) == 8760
    assert str(frame.index[0]) == "2018-01-01 00:00:00+08:00"
    for theirs, ours, within in (
        ("temp_air", year.dry_bulb_c, 0.0051),
        ("relative_humidity", year.relative_humidity * 100.0, 0.0051),
        ("ghi", year.ghi_w_m2, 0.051),
        ("dni", year.dni_w_m2, 0.051),
        ("wind_speed", year.wind_speed_ms, 0.0051),
        ("atmospheric_pressure", year.pressure_pa, 0.051),
    ):
        np.testing.assert_allclose(frame[theirs], to_local(ours, 8.0), rtol=0, atol=within)


def test_every_line_has_its_35_fields_and_no_minus_zero(tmp_path: Path) -> None:
    path = tmp_path / "made.epw"
    write_epw(path, known_year(), BEIJING)
    lines = path.read_text().splitlines()
    assert len(lines) == 8768
    assert lines[7] == "DATA PERIODS,1,1,Data,Monday, 1/ 1,12/31"
    assert {len(line.split(",")) for line in lines[8:]} == {35}
    assert not {cell for line in lines[8:] for cell in line.split(",")} & {"-0.0", "-0.00"}
    assert lines[8].startswith("2018,1,1,1,60,")
    assert lines[8 + 59 * 24 - 1].startswith("2018,2,28,24,60,")


@pytest.mark.parametrize("place", PLACES)
def test_recorded_files_survive_the_round(shared_folder: Path, tmp_path: Path, place: str) -> None:
    read = read_epw_file(epw_path(shared_folder, place))
    path = tmp_path / "again.epw"
    write_epw(path, read.weather, read.place)
    again = read_epw_file(path)
    for name in ("dry_bulb_c", "wet_bulb_c", "ghi_w_m2", "dni_w_m2", "wind_speed_ms"):
        within = 0.5 if name == "wet_bulb_c" else 0.06
        np.testing.assert_allclose(getattr(again.weather, name), getattr(read.weather, name), atol=within)
    # What was put on time once is on time.
    assert not any("late" in note for note in again.notes)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_epw(tmp_path, known_year(), BEIJING)
