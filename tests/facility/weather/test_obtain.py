"""What is asked for, and what is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.facility.weather.files import epw, known_year, open_meteo_answer, saved

from gigawright.errors import CatalogueError, UserError
from gigawright.facility.weather.obtain import Asked, coordinates, obtain


def test_a_site_by_its_normals() -> None:
    read = obtain(Asked("ulanqab", source="synthetic"))
    assert (read.place.name, read.years.labels) == ("Ulanqab (Jining)", ("synthetic",))
    assert read.place.utc_offset_h == 8.0
    others = obtain(Asked("ulanqab", source="synthetic", years="3,0-1"))
    assert others.years.labels == ("synthetic 3", "synthetic 0", "synthetic 1")
    means = others.years.stacked("dry_bulb_c").mean(axis=1)
    assert np.ptp(means) > 0.05


def test_a_point_by_the_stations_around() -> None:
    read = obtain(Asked("-33.87,151.21", source="synthetic"))
    assert "from normals of stations; the nearest is " in read.kind
    assert read.place.utc_offset_h == 10.0
    # January is summer there.
    assert read.weather.dry_bulb_c[:744].mean() > read.weather.dry_bulb_c[4344:5088].mean() + 5.0


def test_a_file_is_warmed_and_told(tmp_path: Path) -> None:
    read = obtain(Asked(file=epw(tmp_path), warming_k=2.0))
    assert read.weather.dry_bulb_c.min() == 2.0
    assert any("air +2 K" in note for note in read.notes)


def test_a_file_of_elsewhere_is_told(tmp_path: Path) -> None:
    assert obtain(Asked("40.1,116.1", file=epw(tmp_path))).notes == ()
    (note,) = obtain(Asked("52.5,13.4", file=epw(tmp_path))).notes
    # Beijing (40, 116) to Berlin: 7,360 km by the great circle.
    assert note.startswith("the file is of Test, 7,3")


def test_a_sites_name_and_clock_are_given_to_a_nameless_answer(tmp_path: Path) -> None:
    near = open_meteo_answer() | {"latitude": 41.0, "longitude": 113.1}
    read = obtain(Asked("ulanqab", file=saved(tmp_path, near)))
    assert (read.place.name, read.place.latitude) == ("Ulanqab (Jining)", 41.0)
    # Its longitude alone would tell 7.5 hours, the other way.
    assert (read.place.utc_offset_h, read.notes) == (8.0, ())
    far = obtain(Asked("ulanqab", file=saved(tmp_path, open_meteo_answer())))
    assert far.place.name == ""
    assert any("the file is of 40.00 N, 116.00 E, 2" in note for note in far.notes)


def test_one_typical_year_of_several(tmp_path: Path) -> None:
    several = saved(tmp_path, open_meteo_answer("2021-01-01", hours=2 * 8760))
    read = obtain(Asked(file=several, typical=True))
    assert read.years.labels == ("typical",)
    assert any("ISO 15927-4, months of 202" in note for note in read.notes)
    np.testing.assert_allclose(read.weather.dry_bulb_c, known_year().dry_bulb_c, atol=1e-3)
    with pytest.raises(UserError, match="--typical needs several years"):
        obtain(Asked(file=epw(tmp_path), typical=True))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(), "no place is given"),
        (Asked("ulanqab", source="synthetic", years="one"), "are no years"),
        (Asked("ulanqab", source="pvgis", years="2020"), "--source open-meteo"),
        (Asked("ulanqab", file=Path("x.epw"), source="pvgis"), "leave --source and --year out"),
        (Asked("95,10", source="synthetic"), "nowhere: latitude"),
        (Asked("ulanqab", source="synthetic", warming_k=40.0), "from -15 to 15"),
    ],
)
def test_what_cannot_be_had_is_told(asked: Asked, words: str) -> None:
    with pytest.raises(UserError, match=words):
        obtain(asked)


def test_an_unknown_site_gets_a_suggestion() -> None:
    with pytest.raises(CatalogueError, match="did you mean ulanqab"):
        obtain(Asked("ulanquab"))


def test_points_are_told_from_names() -> None:
    assert coordinates("ulanqab") is None
    point = coordinates(" -33.87 ; +151.2 ")
    assert point is not None
    assert (point.latitude, point.longitude, point.utc_offset_h) == (-33.87, 151.2, 10.0)
