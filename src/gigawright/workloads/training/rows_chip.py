"""Accelerators by any usual spelling: ids, names, aliases, TPU slices; and near names where none is meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gigawright.catalogue.records import accelerator
from gigawright.catalogue.types import Accelerator
from gigawright.errors import CatalogueError
from gigawright.facts import FactBook

SILENT_WORDS = frozenset(
    {"nvidia", "amd", "google", "huawei", "intel", "aws", "amazon", "cloud", "instinct", "tesla"}
    | {"gpu", "tpu", "npu", "accelerator", "ascend", "dcu", "dgx", "hgx"}
    | {"sxm", "sxm2", "sxm4", "sxm5", "oam", "hbm2", "hbm2e", "hbm3", "hbm3e", "gddr6", "gddr6x", "gddr7"}
    | {"geforce", "tensor", "core", "superchip", "virtualized", "virtualised", "gen4", "gen5"}
)
"""Words beside a part's name that do not tell it from another part; form factors such as PCIe do."""


def accelerator_named(text: str, book: FactBook) -> Accelerator:
    """The chip that `text` spells: an id, a name or an alias, whatever the case and punctuation.

    The same letters go first, then the same words but `SILENT_WORDS` and the memory size, then a name that
    has all words of the text; each again without what stands in brackets, but for memory and form factor,
    without a count (`H200-SXM-141GBx8`) and without a slice (`v5e-8`). `A/B` says that either was used: the
    first, where both are of one generation. Raises CatalogueError where no chip is meant, with near names,
    or more than one.

    >>> from gigawright.catalogue.load import load_facts
    >>> accelerator_named("NVIDIA H200 (141GB)", FactBook(load_facts())).id
    'nv_h200_sxm'
    """
    if not squash(text) or _UNSTATED.search(text):
        raise CatalogueError(f"{text!r} is not in the catalogue: it does not say which accelerator")
    names = _spellings(book)
    if (item := _meant(text, names) or _either(text, names, book)) is not None:
        return accelerator(book, item)
    mixed = {found for part in _LISTED.split(text) if (found := _meant(part.strip(), names))}
    if len(mixed) > 1:
        raise CatalogueError(f"{text!r} mixes {' and '.join(sorted(mixed))}: one kind a row can be predicted")
    shown = [name for name in names if name.text != name.item]
    forms = {squash(form): name.text for name in shown for form in (" ".join(sorted(name.bare)), name.text)}
    raise CatalogueError(f"{text!r} is not in the catalogue{near(text, forms)}")


def _meant(text: str, names: list[_Spelling]) -> str | None:
    """The id of the chip a text spells; None where none is, CatalogueError where more than one can be."""
    bare, telling = unbracketed(text), " ".join(_TELLING.findall(_joined(text)))
    fewer = f"{_COUNT.sub('', bare)} {telling}"
    for spelled in dict.fromkeys((text, f"{bare} {telling}", fewer, without_slice(text))):
        for alike in (_same_letters, _same_words, _same_words_but_memory, _some_words):
            found = {name.item for name in names if alike(spelled, name)}
            if len(found) == 1:
                return found.pop()
            if found:
                raise CatalogueError(f"{text!r} can be any of {', '.join(sorted(found))}: write one of these")
    return None


def _either(text: str, names: list[_Spelling], book: FactBook) -> str | None:
    """The first of chips that a text joins by slashes, where all are known and of one generation."""
    found = [_meant(part, names) for part in unbracketed(text).split("/")]
    known = [item for item in found if item]
    if len(found) < 2 or len(known) < len(found):
        return None
    alike = {accelerator(book, item).generation or item for item in known}
    return known[0] if len(alike) == 1 else None


def slice_chips(text: str) -> int | None:
    """Chips of a TPU slice such as `v5p-1024`; None where the spelling is another.

    v2 to v4 and v5p slices are named by their cores, two a chip, later ones by their chips (Google Cloud
    documentation, "TPU configurations").

    >>> slice_chips("v5p-1024"), slice_chips("TPU v6e-256"), slice_chips("H100")
    (512, 256, None)
    """
    match = _SLICE.fullmatch(text.strip())
    if match is None:
        return None
    cores = int(match["count"])
    return cores // 2 if match["kind"].lower() in ("v2", "v3", "v4", "v5p") else cores


def without_slice(text: str) -> str:
    """`TPU v5p` for `v5p-1024`; another spelling as it is."""
    match = _SLICE.fullmatch(text.strip())
    return f"TPU {match['kind'].replace('litepod', 'e')}" if match else text


_SLICE = re.compile(
    r"(?:cloud\s+)?(?:tpu[\s-]*)?(?P<kind>v\d(?:e|p|litepod)?)-(?P<count>\d{1,6})", re.IGNORECASE
)


_UNSTATED = re.compile(r"\bnot (?:stated|given|known)\b|\bunnamed\b|\bunknown\b", re.IGNORECASE)
"""What a table writes where its accelerator is not told."""

_LISTED = re.compile(r",\s|\s\+\s|\sand\s")
"""What stands between the kinds of a mixed system."""

_COUNT = re.compile(r"^\d+\s*x\s*(?=\D)|\s*x\s*\d{1,3}$", re.IGNORECASE)
"""How many there are, before or after a name."""

_TELLING = re.compile(r"\b(?:\d+gb|pcie|nvl)\b")
"""Words that tell one part of a name from another also where they stand in brackets."""


@dataclass(frozen=True)
class _Spelling:
    """One way to write a chip: its telling words, those outside brackets, and the word for its memory."""

    item: str
    text: str
    words: frozenset[str]
    bare: frozenset[str]
    memory: str


def _spellings(book: FactBook) -> list[_Spelling]:
    """Ids, names and aliases of all chips; read so that a look-up does not count as use of a fact."""
    found: list[_Spelling] = []
    for item in book.items("accelerator"):
        known = {name: book.history("accelerator", item, name) for name in ("name", "aliases", "memory_gb")}
        memory = f"{float(known['memory_gb'][-1].value):.0f}gb" if known["memory_gb"] else ""
        texts = [str(rows[-1].value) for rows in (known["name"], known["aliases"]) if rows]
        names = [item, *(name.strip() for text in texts for name in text.split("|"))]
        found += [
            _Spelling(item, name, _words(name), _words(unbracketed(name)), memory)
            for name in names
            if squash(name)
        ]
    return found


def _same_letters(text: str, name: _Spelling) -> bool:
    return squash(text) == squash(name.text)


def _same_words(text: str, name: _Spelling) -> bool:
    """Whether the telling words are the same; a text may write the memory size beside them."""
    return bool(name.words) and _words(text) - {name.memory} == name.words


def _same_words_but_memory(text: str, name: _Spelling) -> bool:
    words = name.bare - {name.memory}
    return bool(words) and _words(text) - {name.memory} == words


def _some_words(text: str, name: _Spelling) -> bool:
    words = _words(text) - {name.memory}
    return bool(words) and words <= name.bare


def near(text: str, names: Mapping[str, str]) -> str:
    """A hint at up to three of `names` (display by squashed form) that resemble a text."""
    found = difflib.get_close_matches(squash(unbracketed(text)), names, n=3, cutoff=0.6)
    shown = list(dict.fromkeys(names[form] for form in found))
    return f"; did you mean {' or '.join(map(repr, shown))}?" if shown else ""


def squash(text: str) -> str:
    """A name without case and punctuation."""
    return re.sub(r"[\W_]+", "", text.lower())


def _words(text: str) -> frozenset[str]:
    """The words of a name that tell it from another."""
    return frozenset(re.split(r"[\W_]+", _joined(text))) - SILENT_WORDS - {""}


def _joined(text: str) -> str:
    """Lower case, with memory sizes as one word: `80 GB` and `80G` are `80gb`."""
    return re.sub(r"(\d)\s*gi?b?\b", r"\1gb", text.lower())


def unbracketed(text: str) -> str:
    """A name without what stands in brackets."""
    return re.sub(r"\([^)]*\)", " ", text).strip()
