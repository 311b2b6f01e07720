"""Sites on a map drawn from the package's own outlines: no tiles, nothing fetched."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gigawright.report import words
from gigawright.report.colours import ACCENT, LAND, faded
from gigawright.report.figure import figure
from gigawright.report.view import TINY, View, records

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gigawright.evaluate import Result

LARGEST_PX, SMALLEST_PX = 50.0, 9.0
LABEL_PX_PER_CHARACTER, LABEL_HEIGHT_PX = 6.6, 15.0
ANTARCTIC_CIRCLE = -60.0
HALF_TURN, TURN = 180.0, 360.0
Box = tuple[float, float, float, float]


@cache
def land() -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """Longitudes and latitudes of the world's coasts, rings parted by None (Natural Earth 1:110m).

    A ring over the date line runs on beyond 180 degrees and is drawn a second time a turn further west;
    Antarctica is left out.
    """
    text = files("gigawright.report").joinpath("data/land.json").read_text(encoding="utf-8")
    longitude: list[float | None] = []
    latitude: list[float | None] = []
    for ring in json.loads(text)["rings"]:
        if max(point[1] for point in ring) < ANTARCTIC_CIRCLE:
            continue
        x, y = _unrolled([point[0] for point in ring]), [point[1] for point in ring]
        turns = (0.0, -TURN) if max(x) > HALF_TURN else (0.0, TURN) if min(x) < -HALF_TURN else (0.0,)
        for turn in turns:
            longitude += [value + turn for value in x] + [None]
            latitude += [*y, None]
    return tuple(longitude), tuple(latitude)


def _unrolled(longitudes: list[float]) -> list[float]:
    """Longitudes without the jump at the date line.

    >>> _unrolled([179.0, -179.0, -178.0])
    [179.0, 181.0, 182.0]
    """
    found = longitudes[:1]
    for before, value in pairwise(longitudes):
        step = (value - before + HALF_TURN) % TURN - HALF_TURN
        found.append(found[-1] + step)
    return found


def site_map(result: Result, country: str | None = None) -> go.Figure:
    """Sites, the area of a circle being IT power at the end of the horizon; hollow where nothing stands.

    Of one country where it is given; the map of the world leaves the labels of crowded sites out.
    """
    view = View(result)
    sites = site_table(result)
    sizes = _sizes(sites)
    if country is not None:
        kept = sites["country"] == country
        sites, sizes = sites[kept].reset_index(drop=True), [s for s, k in zip(sizes, kept, strict=True) if k]
    width, height = (900.0, 400.0)
    x_range, y_range = _extent(sites, width / height, 5.0 if country else 16.0)
    longitude, latitude = land()
    coast = {
        "type": "scatter", "mode": "lines", "x": longitude, "y": latitude, "fill": "toself",
        "hoverinfo": "skip", "line": {"color": LAND, "width": 0.7}, "fillcolor": faded(LAND, 0.45),
        "showlegend": False,
    }  # fmt: skip
    labels = _labels(view, sites, sizes, (x_range, y_range), (width, height))
    points = {
        "type": "scatter", "mode": "markers+text", "x": sites["longitude"].tolist(),
        "y": sites["latitude"].tolist(), "text": [text for text, _ in labels], "textfont": {"size": 11.5},
        "textposition": [place for _, place in labels], "showlegend": False, "cliponaxis": False,
        "customdata": [[view.site(str(r.site)), r.what] for r in records(sites)],
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
        "marker": {"size": sizes, "line": {"color": ACCENT, "width": 1.4}, "opacity": 1,
                   "color": [faded(ACCENT, 0.6 if mw > TINY else 0.0) for mw in sites["power_mw"]]},
    }  # fmt: skip
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    return figure(
        [coast, points], int(height), xaxis=hidden | {"range": x_range}, yaxis=hidden | {"range": y_range},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )  # fmt: skip


def _sizes(sites: pd.DataFrame) -> list[float]:
    """Diameters of the circles [px]: area as power."""
    most = max(float(sites["power_mw"].max()), TINY)
    return [max(SMALLEST_PX, LARGEST_PX * (float(mw) / most) ** 0.5) for mw in sites["power_mw"]]


def crowded_country(result: Result) -> str | None:
    """The country with most of the study's sites, where they are four or more and others have sites too."""
    counted = site_table(result)["country"].value_counts()
    return str(counted.index[0]) if len(counted) > 1 and counted.iloc[0] >= 4 else None


def site_table(result: Result) -> pd.DataFrame:
    """Sites with what stands at the end: place, IT power, accelerators, halls, grid [MW], and words."""
    view, rows = View(result), []
    standing, capacity = view.standing(), view.table("capacity")
    for item, site in result.catalogue.sites.items():
        here = standing[standing["site"] == item] if len(standing) else standing
        halls = (
            capacity[(capacity["site"] == item) & (capacity["quarter"] == view.quarters[-1])]
            if len(capacity)
            else capacity
        )
        built = float(halls[halls["what"] != "grid"]["mw"].sum()) if len(halls) else 0.0
        grid = float(halls[halls["what"] == "grid"]["mw"].sum()) if len(halls) else 0.0
        number = float(here["accelerators"].sum()) if len(here) else 0.0
        mw = float(here["power_mw"].sum()) if len(here) else 0.0
        fleet = f"{words.count(number)} accelerators, {words.power(mw)} of IT"
        what = f"{fleet}; halls {words.power(built)}, grid {words.power(grid)}"
        rows.append((item, site.country, site.longitude, site.latitude, mw, number, built, grid, what))
    columns = [
        "site",
        "country",
        "longitude",
        "latitude",
        "power_mw",
        "accelerators",
        "halls_mw",
        "grid_mw",
        "what",
    ]
    return pd.DataFrame(rows, columns=columns).sort_values("power_mw", ascending=False, ignore_index=True)


def _extent(sites: pd.DataFrame, aspect: float, room: float) -> tuple[list[float], list[float]]:
    """Ranges of longitude and latitude that hold all sites with room around, at the picture's aspect."""
    west, east = float(sites["longitude"].min()) - room, float(sites["longitude"].max()) + room
    south, north = float(sites["latitude"].min()) - room / 2, float(sites["latitude"].max()) + room / 2
    x, y = (west + east) / 2, (south + north) / 2
    squeeze = 1.0 if east - west > HALF_TURN else float(np.cos(np.radians(y)))
    high = max(north - south, (east - west) / aspect * squeeze, 16.0)
    wide = high * aspect / squeeze
    return [x - wide / 2, x + wide / 2], [y - high / 2, y + high / 2]


def _labels(
    view: View,
    sites: pd.DataFrame,
    sizes: list[float],
    ranges: tuple[list[float], list[float]],
    picture: tuple[float, float],
) -> list[tuple[str, str]]:
    """Each site's label and where it stands; none where every place is taken."""
    (x0, x1), (y0, y1) = ranges
    width, height = picture
    centres = [
        ((float(r.longitude) - x0) / (x1 - x0) * width, (y1 - float(r.latitude)) / (y1 - y0) * height)
        for r in records(sites)
    ]
    circles = [(x - s / 2, y - s / 2, x + s / 2, y + s / 2) for (x, y), s in zip(centres, sizes, strict=True)]
    taken: list[Box] = []
    found = []
    for i, row in enumerate(records(sites)):
        name = view.site(str(row.site))
        boxes = _places(centres[i], sizes[i] / 2 + 2, LABEL_PX_PER_CHARACTER * len(name))
        others = [*circles[:i], *circles[i + 1 :], *taken]
        free = [place for place, box in boxes.items() if not any(_overlap(box, other) for other in others)]
        if free:
            taken.append(boxes[free[0]])
        found.append((name, free[0]) if free else ("", "middle right"))
    return found


def _places(centre: tuple[float, float], radius: float, width: float) -> dict[str, Box]:
    """Where a label may stand about its circle."""
    x, y, high = *centre, LABEL_HEIGHT_PX
    return {
        "middle right": (x + radius, y - high / 2, x + radius + width, y + high / 2),
        "middle left": (x - radius - width, y - high / 2, x - radius, y + high / 2),
        "top center": (x - width / 2, y - radius - high, x + width / 2, y - radius),
        "bottom center": (x - width / 2, y + radius, x + width / 2, y + radius + high),
        "top right": (x + radius, y - radius - high, x + radius + width, y - radius),
        "bottom right": (x + radius, y + radius, x + radius + width, y + radius + high),
        "top left": (x - radius - width, y - radius - high, x - radius, y - radius),
        "bottom left": (x - radius - width, y + radius, x - radius, y + radius + high),
    }


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
