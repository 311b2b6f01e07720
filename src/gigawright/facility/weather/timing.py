"""When a file's sun shines: found from the file itself, and moved to the middle of its hours where needed.

Hour h of a year begins at h, so its sun stands where it is at h:30. Satellites look at some minute of the
hour, and some files have their radiation half an hour late: the beam would be reckoned from a wrong angle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gigawright.arrays import Floats
from gigawright.clock import HOURS_PER_YEAR
from gigawright.facility.weather.hours import Findings
from gigawright.facility.weather.sun import HAURWITZ_EXTINCTION, HAURWITZ_W_M2, sun_year

HOURS_PER_DEGREE = 1.0 / 15.0
LAGS_H = np.round(np.arange(-1.5, 1.51, 0.05), 2)
"""Lags that are tried [h], positive where the file's sun is late."""

BRIGHT_BEAM_W_M2 = 50.0
# Assumptions, from six files: where the radiation was split at another time than the hour's middle, global
# and beam agree there to 4-6 W/m2 and here to 23-32; where they agree nowhere (39 W/m2) nothing is sure.
SURE_SHARE = 0.5
LEAST_LAG_H, MOST_LAG_H, AGREEING_H = 0.2, 0.75, 0.25
# Correlation of a year's global with the sun outside: 0.86 to 0.99 at six stations; an assumption of what is
# not the sun of the place, such as hours from UTC with the wrong sign.
LEAST_FOLLOWING = 0.6
# A file's lag that is moved for: beyond rounding of the grid of lags.
WORTH_MOVING_H = 0.02
# A sun lower than 2 degrees gives no beam: the hour's middle says too little there.
LOWEST_COSINE = 0.0349


@dataclass(frozen=True)
class Radiation:
    """Global and diffuse on the horizontal, and beam at right angles [W/m2], each (8760,) by UTC hour."""

    ghi_w_m2: Floats
    dni_w_m2: Floats
    dhi_w_m2: Floats


@dataclass(frozen=True)
class Lag:
    """How late a file's sun is [h]: by global and beam together (`split_h`), by the course of the global.

    `misfit_w_m2` is the mean distance between the global and what beam and diffuse make at `split_h`,
    `misfit_now_w_m2` the same at the middle of the hour; `follows` is the correlation of the global with the
    sun outside at `course_h`.
    """

    split_h: float
    course_h: float
    misfit_w_m2: float
    misfit_now_w_m2: float
    follows: float

    @property
    def is_sure(self) -> bool:
        """Whether both ways agree that the sun is late or early, and the first leaves little doubt."""
        return (
            self.misfit_w_m2 < SURE_SHARE * self.misfit_now_w_m2
            and abs(self.split_h) >= LEAST_LAG_H
            and abs(self.split_h - self.course_h) <= AGREEING_H
        )


def cosine_of_zenith(latitude: float, longitude: float, late_h: float = 0.0) -> Floats:
    """Cosine of the sun's zenith, not below 0, `late_h` before the middle of each UTC hour. Shape (8760,).

    cos z = sin(latitude) sin(declination) + cos(latitude) cos(declination) cos(hour angle), declination and
    equation of time by Spencer (1971), as `sun_year` has them; here without its memory, for a scan of lags.
    """
    declination, equation_min = _course()
    clock_h = np.arange(HOURS_PER_YEAR) % 24 + 0.5 - late_h + equation_min / 60.0
    angle = np.radians(15.0 * (clock_h - 12.0) + longitude)
    north = np.radians(latitude)
    cosine = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(angle)
    return np.asarray(np.maximum(cosine, 0.0))


@lru_cache(maxsize=1)
def _course() -> tuple[Floats, Floats]:
    """Declination [rad] and equation of time [min] of each hour of the year."""
    from pvlib import solarposition

    day = 1.0 + (np.arange(HOURS_PER_YEAR) + 0.5) / 24.0
    declination = solarposition.declination_spencer71(day)
    return np.asarray(declination), np.asarray(solarposition.equation_of_time_spencer71(day))


def lag_of(radiation: Radiation, latitude: float, longitude: float) -> Lag:
    """How late the sun of a file is, found in two independent ways.

    Where global, beam and diffuse are told, GHI = DNI cos z + DHI holds at the time they were split for, and
    nowhere else. And the global follows the sun: its correlation with the sun outside the atmosphere is best
    at its own time, but for weather that prefers mornings or afternoons.
    """
    bright = radiation.dni_w_m2 > BRIGHT_BEAM_W_M2
    beam = radiation.dni_w_m2[bright]
    level = (radiation.ghi_w_m2 - radiation.dhi_w_m2)[bright]
    misfits, follows = [], []
    for lag in LAGS_H:
        cosine = cosine_of_zenith(latitude, longitude, float(lag))
        misfits.append(float(np.abs(level - beam * cosine[bright]).mean()) if bright.any() else 0.0)
        follows.append(float(np.corrcoef(radiation.ghi_w_m2, cosine)[0, 1]))
    best = int(np.argmin(misfits)) if bright.any() else int(np.argmax(follows))
    now = int(np.flatnonzero(LAGS_H == 0.0)[0])
    course = int(np.argmax(follows))
    return Lag(
        float(LAGS_H[best]), float(LAGS_H[course]), misfits[best], misfits[now], float(follows[course])
    )


def on_time(
    radiation: Radiation, latitude: float, longitude: float, findings: Findings, known_h: float = 0.0
) -> Radiation:
    """A file's radiation at the middle of its hours: moved where its lag is sure, told where it is not.

    known_h: how late its sun must be by what else is known, such as hours rounded from a half-hour zone.
    """
    if not radiation.ghi_w_m2.any() or not radiation.dni_w_m2.any():
        return radiation
    lag = lag_of(radiation, latitude, longitude)
    if lag.follows < LEAST_FOLLOWING:
        findings.note(
            f"the file's radiation does not follow the sun of its place (correlation {lag.follows:.2f}): "
            "check its longitude and its hours from UTC; left as it is"
        )
        return radiation
    own_h = lag.split_h - known_h
    words = f"the file's sun is {abs(own_h):.2g} h {'late' if own_h > 0 else 'early'}"
    if not lag.is_sure or abs(own_h) < LEAST_LAG_H:
        return moved(radiation, latitude, longitude, known_h)
    if abs(lag.split_h) > MOST_LAG_H:
        findings.note(f"{words}: check its longitude and its hours from UTC; left as it is")
        return radiation
    findings.note(
        f"{words} (global, beam and diffuse agree there to {lag.misfit_w_m2:.1f} W/m2, at its own hours to "
        f"{lag.misfit_now_w_m2:.1f}); put on time, days' sums kept"
    )
    return moved(radiation, latitude, longitude, lag.split_h)


def moved(radiation: Radiation, latitude: float, longitude: float, late_h: float) -> Radiation:
    """Radiation of a sun that is `late_h` behind the middle of its hours, moved there.

    Beam over Meinel's clear beam, and diffuse over Haurwitz' clear sky, are interpolated in time, weighted by
    the sun, and put on the sun of the hours' middle; then GHI = DNI cos z + DHI, with the sums of GHI of each
    day (from midnight to midnight by the sun) as they were. Late and early by one hour at most.
    """
    if abs(late_h) < WORTH_MOVING_H:
        return radiation
    theirs = cosine_of_zenith(latitude, longitude, late_h)
    ours = cosine_of_zenith(latitude, longitude)
    beam = _moved(radiation.dni_w_m2, clear_beam(theirs), clear_beam(ours), late_h)
    diffuse = _moved(radiation.dhi_w_m2, clear_sky(theirs), clear_sky(ours), late_h)
    kept = _day_factor(radiation.ghi_w_m2, beam * ours + diffuse, longitude)
    beam = np.minimum(beam * kept, sun_year(latitude, longitude).normal_w_m2)
    diffuse = diffuse * kept
    return Radiation(beam * ours + diffuse, beam, diffuse)


def beam_of_level(
    level_w_m2: Floats, dhi_w_m2: Floats, latitude: float, longitude: float, late_h: float = 0.0
) -> Radiation:
    """Radiation by beam and diffuse on the horizontal; a beam the sun cannot give counts as diffuse."""
    cosine = cosine_of_zenith(latitude, longitude, late_h)
    outside = sun_year(latitude, longitude).normal_w_m2
    beam = np.where(cosine > LOWEST_COSINE, level_w_m2 / np.maximum(cosine, LOWEST_COSINE), 0.0)
    beam = np.minimum(beam, outside)
    ghi = level_w_m2 + dhi_w_m2
    return Radiation(ghi, beam, ghi - beam * cosine)


def clear_beam(cosine: Floats) -> Floats:
    """Beam of a clear sky over that outside, 0.7^(AM^0.678), by the cosine of the zenith.

    Meinel and Meinel (1976), Applied Solar Energy, as at pveducation.org; air mass by Kasten and
    Young (1989), Applied Optics 28.
    """
    low = 90.0 - np.degrees(np.arccos(np.clip(cosine, 0.0, 1.0)))
    mass = 1.0 / (cosine + 0.50572 * (low + 6.07995) ** -1.6364)
    return np.where(cosine > 0.0, 0.7 ** (mass**0.678), 0.0)


def clear_sky(cosine: Floats) -> Floats:
    """Global of a clear sky [W/m2] by the cosine of the zenith, after Haurwitz (1945)."""
    safe = np.maximum(cosine, 1e-6)
    return np.where(cosine > 0.0, HAURWITZ_W_M2 * safe * np.exp(-HAURWITZ_EXTINCTION / safe), 0.0)


def _moved(values: Floats, theirs: Floats, ours: Floats, late_h: float) -> Floats:
    """One series, from the clear sky of its own time to that of the hours' middle."""
    # Late by a share of an hour: our time lies between their hour and the next one.
    other, share = (-1, late_h) if late_h > 0 else (1, -late_h)
    told = (1.0 - share) * values + share * np.roll(values, other)
    clear = (1.0 - share) * theirs + share * np.roll(theirs, other)
    return np.where(clear > 0.0, told / np.maximum(clear, 1e-12), 0.0) * ours


def _day_factor(wanted: Floats, made: Floats, longitude: float) -> Floats:
    """What makes the days' sums of `made` those of `wanted`; a day begins at the sun's midnight."""
    by = round(longitude * HOURS_PER_DEGREE)
    sums = [np.roll(values, by).reshape(-1, 24).sum(axis=1) for values in (wanted, made)]
    factor = np.where(sums[1] > 0.0, sums[0] / np.maximum(sums[1], 1e-9), 1.0)
    return np.roll(np.repeat(factor, 24), -by)
