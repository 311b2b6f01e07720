"""One reader for all: by content, not by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.facility.weather.files import epw, known_year, open_meteo_answer, pvgis_answer, saved

from gigawright.errors import CatalogueError
from gigawright.facility.weather.read import read_place, read_weather


def test_files_are_told_apart_by_content(tmp_path: Path) -> None:
    renamed = tmp_path / "weather.txt"
    epw(tmp_path).rename(renamed)
    assert read_weather(renamed).kind == "EPW"
    assert read_weather(saved(tmp_path, pvgis_answer(), "a.epw")).kind.startswith("PVGIS typical year")
    assert read_weather(saved(tmp_path, open_meteo_answer(), "b")).kind == "Open-Meteo"
    assert read_place(renamed).latitude == 40.0
    assert read_place(tmp_path / "b").longitude == 116.0


def test_all_kinds_of_one_year_agree(tmp_path: Path) -> None:
    from gigawright.facility.weather.epw_write import write_epw

    pvgis = read_weather(saved(tmp_path, pvgis_answer(), "p.json"))
    meteo = read_weather(saved(tmp_path, open_meteo_answer(), "m.json"))
    write_epw(tmp_path / "e.epw", known_year(), pvgis.place)
    written = read_weather(tmp_path / "e.epw")
    for name in known_year().__dataclass_fields__:
        for one in (meteo, written):
            ours, theirs = getattr(one.weather, name), getattr(pvgis.weather, name)
            # The wet bulb jumps by 0.4 K where it freezes.
            within = 0.5 if name == "wet_bulb_c" else 0.06
            np.testing.assert_allclose(ours, theirs, atol=within, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"outputs": {"tmy_hourly": [', "not whole JSON"),
        ('{"some": "thing"}', "no weather that is known here; known is an EPW file"),
        ("[1, 2]", "no weather that is known here"),
        ("date,temperature\n", "no weather file that is known here"),
        ("", "no weather file that is known here"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=words):
        read_weather(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read: No such file"):
        read_weather(tmp_path / "nothing.epw")
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_weather(tmp_path)


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    path = epw(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_weather(path).place.name == "Test"
