"""What the free text of a row says: size, frames, steps, guidance, split, batch, precision, software."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gigawright.workloads.generation.task import Split

HEIGHTS = {
    240: (426, 240),
    360: (640, 360),
    480: (832, 480),
    540: (960, 544),
    544: (960, 544),
    704: (1280, 704),
    720: (1280, 720),
    768: (1360, 768),
    1080: (1920, 1080),
    2160: (3840, 2160),
}
"""Width and height of a clip by the number before the P; as Wan and HunyuanVideo have them."""

THOUSANDS = {1: 1024, 2: 2048, 4: 4096}
"""Side of a square picture by the number before the K."""

LOW = ("fp4", "nvfp4", "mxfp4", "int4", "w4a4", "int8", "w8a8", "fp8", "float8", "e4m3")
"""Formats below 16 bits, the smallest first."""

NAMES = {
    **dict.fromkeys(("fp4", "nvfp4", "mxfp4", "int4", "w4a4"), "fp4"),
    **dict.fromkeys(("int8", "w8a8"), "int8"),
    **dict.fromkeys(("fp8", "float8", "e4m3"), "fp8"),
    **dict.fromkeys(("bf16", "bfloat16", "fp16", "float16", "half", "16-bit", "mixed", "amp"), "bf16"),
    **dict.fromkeys(("fp32", "float32", "tf32", "full"), "fp32"),
}
"""Formats by any usual name."""

_PLAIN = re.compile(r"(?:w/o|without|no)[ -]flash|naive attention|math attention|unfused")
"""Attention that is not fused, by its usual names."""

_PARTS = (
    ("backbone", re.compile(r"unet|transformer|dit|backbone|denois")),
    ("decoder", re.compile(r"vae|decoder")),
    ("text", re.compile(r"clip|t5|text|encoder")),
)


@dataclass(frozen=True)
class Setting:
    """What a setting says; None or False where it is silent."""

    size: tuple[int, int] | None = None
    label: int | None = None
    frames: int | None = None
    clip_s: float | None = None
    steps: int | None = None
    forwards: float | None = None
    batch: int | None = None
    split: Split | None = None
    mode: str | None = None
    sharded: bool = False
    parallel_decoder: bool = False
    server: bool = False
    offline: bool = False
    mlperf: bool = False
    newer_attention: bool | None = None
    plain_attention: bool = False


def setting_of(text: str) -> Setting:
    """A setting from free text.

    >>> found = setting_of("960x960 129f 50 steps Ulysses-2 torch.compile")
    >>> found.size, found.frames, found.steps, found.split, found.mode
    ((960, 960), 129, 50, Split(ulysses=2, ring=1, cfg=1), 'compiled')
    """
    low = re.sub(r"(?<=\d)(?:px)?\s*[x\u00d7*]\s*(?=\d)|(?<=\d)px(?=\d)", "x", text.lower())
    size, frames = _size(low)
    return Setting(
        size=size,
        label=_integer(r"\b(\d{3,4})\s*p\b", low),
        frames=frames
        or _integer(r"(?<!\d)(\d{1,4})\s*-?\s*f(?:rames?)?\b", low)
        or _integer(r"frames?\s*[=:]\s*(\d{1,4})\b", low),
        clip_s=_decimal(r"(?<![\w.])(\d{1,4}(?:\.\d+)?)\s*-?\s*s(?:ec(?:onds?)?)?\b", low),
        steps=_integer(r"\b(\d{1,4})\s*-?\s*(?:sampling |denoising |inference )?steps?\b", low)
        or _integer(r"\bsteps?\s*[=:]?\s*(\d{1,4})\b", low),
        forwards=_forwards(low),
        batch=_integer(r"\b(?:batch(?:[ _-]?size)?|bs)\s*[=:_-]?\s*(\d{1,5})\b", low),
        split=_split(low),
        mode=_mode(low),
        sharded="fsdp" in low,
        parallel_decoder=bool(re.search(r"parallel[ _-]?vae|vae[ _-]?parallel|distvae", low)),
        server=bool(re.search(r"\bserver\b|interactive|online", low)),
        offline="offline" in low,
        mlperf="mlperf" in low,
        newer_attention=_attention(low),
        plain_attention=bool(_PLAIN.search(low)),
    )


def _size(text: str) -> tuple[tuple[int, int] | None, int | None]:
    """Width and height, and frames where a third number follows (1280x720x129, or 129x720x1280)."""
    if found := re.search(r"\b(\d{2,4})\s*x\s*(\d{2,4})\s*x\s*(\d{2,4})(?!\d)", text):
        numbers = [int(part) for part in found.groups()]
        if numbers[0] < min(numbers[1:]):
            return (numbers[1], numbers[2]), numbers[0]
        return (numbers[0], numbers[1]), numbers[2]
    if found := re.search(r"\b(\d{2,4})\s*x\s*(\d{2,4})(?!\d)", text):
        return (int(found[1]), int(found[2])), None
    if found := re.search(r"\b(\d{3,4})\s*px\b", text):
        return (int(found[1]), int(found[1])), None
    if found := re.search(r"\b([124])\s*k\b", text):
        side = THOUSANDS[int(found[1])]
        return (side, side), None
    if found := re.fullmatch(r"\s*(256|512|768|1024|1328|1536|2048|4096)\b.*", text):
        return (int(found[1]), int(found[1])), None
    return None, None


def _integer(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return int(found[1]) if found and int(found[1]) > 0 else None


def _decimal(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return float(found[1]) if found and float(found[1]) > 0 else None


def _forwards(text: str) -> float | None:
    """Passes a step where the text speaks of guidance."""
    if re.search(r"(?:no|without|w/o)[ -](?:cfg|guidance)|cfg[ -]?distill|cfg\s*[=:]?\s*1(?:\.0)?\b", text):
        return 1.0
    if re.search(r"true[ -_]?cfg|with (?:cfg|classifier-free)", text):
        return 2.0
    return None


def _split(text: str) -> Split | None:
    """Ulysses-4, Ring-2, U2xR2, Ulysses-2 x Ring-2, CFG-2, SP8, TP4, PipeFusion-2."""
    short = re.search(r"\bu(\d)\s*x?\s*r(\d)\b", text)
    ulysses = int(short[1]) if short else _integer(r"ulysses(?:[ _-]?degree)?\s*[-=:]?\s*(\d{1,2})\b", text)
    ring = int(short[2]) if short else _integer(r"\bring(?:[ _-]?degree)?\s*[-=:]?\s*(\d{1,2})\b", text)
    other = _integer(r"\b(?:sp|usp|tp|pp|cp|pipefusion|pipefusion[ _-]parallel)\s*[-=:]?\s*(\d{1,2})\b", text)
    cfg = 2 if re.search(r"\bcfg[ _-]?(?:parallel|p\b|2)", text) else 1
    if not (ulysses or ring or other) and cfg == 1:
        return None
    return Split((ulysses or 1) * (other or 1), ring or 1, cfg)


def _mode(text: str) -> str | None:
    if re.search(r"\beager\b|without compile|no compile|w/o compile", text):
        return "eager"
    if re.search(r"tensorrt|\btrt\b|shark|iree|thestage|jax|flax|maxdiffusion|\bxla\b|openvino|onnx", text):
        return "engine"
    return "compiled" if re.search(r"compile|inductor|onediff|nexfort|cuda ?graph", text) else None


def _attention(text: str) -> bool | None:
    """Whether attention overlaps: the package flash-attn is FlashAttention-2 where it is not called 3."""
    if re.search(r"\bfa-?[34]|flash[ _-]?att(?:entio)?n[ _-]?[34]|sage", text):
        return True
    return False if re.search(r"\bfa-?2|flash[ _-]?att(?:entio)?n|sdpa|xformers", text) else None


def precisions(text: str) -> tuple[str, str | None] | None:
    """Precision of the backbone and, where it is told, of the decoder; None for a text that tells neither.

    Where several are named without their parts, products run in the smallest.

    >>> precisions("{'clip1': 'fp16', 'clip2': 'fp16', 'unet': 'fp8', 'vae': 'int8'}")
    ('fp8', 'int8')
    >>> precisions("fp8,fp16,int8"), precisions("bf16"), precisions("verbose")
    (('int8', None), ('bf16', None), None)
    """
    low = text.lower()
    told: dict[str, str] = {}
    for name, value in re.findall(r"([a-z][\w ]*?)\d*'?\s*[:=]\s*'?([\w-]+)", low):
        part = next((part for part, pattern in _PARTS if pattern.search(name)), None)
        if part and value in NAMES:
            told.setdefault(part, NAMES[value])
    if told:
        return told.get("backbone", "bf16"), told.get("decoder")
    named = [word for word in re.split(r"[^\w-]+", low) if word in NAMES]
    if not named:
        return None
    ordered = sorted(named, key=lambda word: LOW.index(word) if word in LOW else len(LOW))
    return NAMES[ordered[0]], None
