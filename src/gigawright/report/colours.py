"""One palette that colour-blind readers can tell apart; a vendor or group keeps its colour everywhere.

Hues for groups are Paul Tol's "bright" scheme, for vendors his "vibrant" one
(Tol, Colour Schemes, SRON/EPS/TN/09-002, issue 3.2, 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

GROUP_HUES = (
    "#4477AA",
    "#EE6677",
    "#228833",
    "#CCBB44",
    "#66CCEE",
    "#AA3377",
    "#999999",
    "#DDAA88",
    "#336B66",
)
VENDOR_HUES = {"NVIDIA": "#009988", "Huawei": "#CC3311", "AMD": "#EE7733", "Cambricon": "#0077BB"}
OTHER_VENDOR_HUES = ("#AA4499", "#33BBEE", "#997700", "#666677", "#EE3377", "#44AA55")
KIND_COLOURS = {"capital": "#33566B", "leasing": "#C98A2B", "operating": "#7D8F69"}
FLOW_COLOURS = {
    "import": "#8A97A8",
    "solar": "#E3B23C",
    "wind": "#5FA8A0",
    "discharge": "#9A6FB0",
    "charge": "#9A6FB0",
    "shed": "#CC3311",
    "need": "#20303C",
    "plant": "#B5651D",
}
PLANT_HUES = ("#B5651D", "#7D8F69", "#4477AA", "#AA3377", "#228833")
BUILD_COLOURS = {"air": "#7FA3BF", "liquid": "#2F6B8F", "grid": "#C98A2B"}
ACCENT, MUTED, LAND = "#0B6B5D", "#9AA5AE", "#C9CFCB"


def flow_colours(sources: Sequence[str]) -> dict[str, str]:
    """A colour for each source or flow; plants take theirs in turn."""
    known = FLOW_COLOURS | {"grid": FLOW_COLOURS["import"]}
    others = [source for source in sources if source not in known]
    return known | {name: PLANT_HUES[i % len(PLANT_HUES)] for i, name in enumerate(others)}


def group_colours(groups: Sequence[str]) -> dict[str, str]:
    """A colour for each workload group, by its place in the study."""
    return {group: GROUP_HUES[i % len(GROUP_HUES)] for i, group in enumerate(groups)}


def system_colours(systems: Sequence[tuple[str, str]]) -> dict[str, str]:
    """A colour for each (system, vendor): the vendor's hue, in shades.

    >>> colours = system_colours([("h200", "NVIDIA"), ("b200", "NVIDIA"), ("910c", "Huawei")])
    >>> colours["h200"], colours["910c"], colours["b200"] != colours["h200"]
    ('#009988', '#CC3311', True)
    """
    hues = dict(VENDOR_HUES)
    others = iter(OTHER_VENDOR_HUES)
    by_vendor: dict[str, list[str]] = {}
    for system, vendor in systems:
        if vendor not in hues:
            hues[vendor] = next(others, "#666677")
        by_vendor.setdefault(vendor, []).append(system)
    return {
        system: _shade(hues[vendor], place, len(family))
        for vendor, family in by_vendor.items()
        for place, system in enumerate(family)
    }


def _shade(hue: str, place: int, count: int) -> str:
    """The hue itself first, then in turn lighter and darker, so that neighbours differ."""
    if place == 0:
        return hue
    step = (place + 1) // 2 / max(1, count // 2)
    return mixed(hue, "#FFFFFF", 0.2 + 0.48 * step) if place % 2 else mixed(hue, "#101820", 0.15 + 0.4 * step)


def mixed(colour: str, other: str, part: float) -> str:
    """`part` of another colour in a colour.

    >>> mixed("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in pairs)


def faded(colour: str, alpha: float) -> str:
    """A colour with opacity.

    >>> faded("#FF0000", 0.4)
    'rgba(255,0,0,0.4)'
    """
    return f"rgba({','.join(map(str, _channels(colour)))},{alpha:g})"


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
