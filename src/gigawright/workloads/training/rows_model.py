"""The model of a row of training runs, by its name and by the columns that describe it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from gigawright.errors import CatalogueError
from gigawright.workloads.architecture import load_models
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.training.rows_chip import near, squash, unbracketed

VOCAB_PADDING = 0.03
"""Share by which a padded vocabulary differs; assumption: GPT-2's 50,257 become 51,200 in Megatron, 1.9%."""

SAME_COUNT = 0.002
"""Share by which two recounts of the parameters are equally good; assumption: norms and biases are less."""

UNLIKE_COUNT = 0.1
"""Share beyond which columns do not describe a model of the stated size; assumption."""

MTP_LAYERS = {"deepseek-v3": 1, "deepseek-r1": 1, "deepseek-v3.2": 1}
"""Multi-token-prediction layers that are trained along (arXiv:2412.19437, section 4.2: depth 1)."""

COLUMN_FIELDS = {
    "hidden": "hidden",
    "heads": "heads",
    "kv_heads": "kv_heads",
    "head_dim": "head_dim",
    "ffn": "ffn",
    "vocab": "vocab",
    "experts": "experts",
    "topk": "experts_per_token",
    "moe_ffn": "moe_ffn",
    "shared_ffn": "shared_ffn",
    "layers": "layers",
}
"""Columns that describe a model, and the field of `LanguageModel` that each one fills."""

NEEDED = ("layers", "hidden", "heads", "vocab")
"""Columns without which a model that the catalogue lacks cannot be built."""

MIXERS = ("full_layers", "window_layers", "csa_layers", "hca_layers", "linear_layers")
"""Counts of attention layers by kind; they sum to the layers."""


@dataclass(frozen=True)
class Named:
    """A model as a row has it: `dropped`, `mtp` and `parallel_block` come from words beside its name."""

    model: LanguageModel
    mtp: int = 0
    dropped: bool = False
    parallel_block: bool = False
    assumed: tuple[str, ...] = ()


def model_named(name: str, columns: Mapping[str, int], params_b: float | None = None) -> Named:
    """The model of a row from its name and its `columns` (those filled, by column name).

    The catalogue's model holds where the columns agree with it; one that differs in its number of layers,
    experts or padded vocabulary alone is cut to them. Otherwise the columns alone describe the model, as
    a plain decoder of grouped attention; blank, kv_heads = heads and head_dim = hidden / heads. `params_b`
    [billions] decides what the columns leave open. Raises CatalogueError where neither the name nor the
    columns suffice.

    >>> model_named("DeepSeek-V3 (w/o MTP)", {"layers": 4}, 15.11).model.moe_layers
    1
    """
    found, layers = _find(name)
    cells = {"layers": layers, **columns} if layers else dict(columns)
    if found is None:
        if lacking := [column for column in NEEDED if column not in cells]:
            hint = near(name, {squash(model.name): model.name for model in _language_models()})
            blank = f"the column{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}"
            raise CatalogueError(
                f"model {name!r} is not in the catalogue and {blank} {_are(lacking)} blank{hint}"
            )
        return _told(name, *_built(name, cells, params_b))
    other = {column for column, cell in cells.items() if not _agrees(found, column, cell)}
    cuttable = found.is_moe and cells.get("experts", 0) >= found.experts_per_token
    if other - {"layers", *(["experts"] if cuttable else [])}:
        if lacking := [column for column in NEEDED if column not in cells]:
            raise CatalogueError(
                f"model {name!r} differs from the catalogue's in {', '.join(sorted(other))}, and to describe "
                f"another one {', '.join(lacking)} {_are(lacking)} blank"
            )
        return _told(name, *_built(name, cells, params_b))
    model = replace(found, experts=cells["experts"], params_total_b=0.0) if "experts" in other else found
    model = _cut(model, cells["layers"], params_b) if "layers" in other else model
    return _told(name, replace(model, vocab=cells.get("vocab", model.vocab)))


def _are(columns: list[str]) -> str:
    return "are" if len(columns) > 1 else "is"


def _told(name: str, model: LanguageModel, assumed: tuple[str, ...] = ()) -> Named:
    """The model with what the words in brackets beside its name say of the run.

    MegaScale trains with a parallel block and sliding windows (arXiv:2402.15627, section 3.1). A model cut to
    fewer layers is taken without multi-token prediction, unless the name says so.
    """
    words = " ".join(re.findall(r"\(([^)]*)\)", name)).lower()
    if re.search(r"w/o\s*mtp|without\s*mtp|no\s*mtp", words):
        mtp = 0
    elif "mtp" in words:
        mtp = 1
    else:
        mtp = MTP_LAYERS.get(model.id, 0)
    dropped = bool(re.search(r"token[\s-]*drop(?!less)|^drop$", words))
    return Named(model, mtp, dropped, "megascale" in words, assumed)


def _find(name: str) -> tuple[LanguageModel | None, int | None]:
    """The catalogue's model of this name, words in brackets left out, and the layers that `-16L` tells."""
    base = unbracketed(name)
    for spelling in (base, base.rsplit("/", 1)[-1]):  # an organisation may lead
        if (key := _key(spelling)) in _names():
            return _names()[key], None
    match = re.fullmatch(r"(?P<base>.+?)[\s_-](?P<layers>[1-9]\d{0,3})L", base)
    if match and (key := _key(match["base"])) in _names():
        return _names()[key], int(match["layers"])
    return _names().get(_key(name)), None


def _key(name: str) -> str:
    """A name without case and punctuation; points stay, they tell versions."""
    return re.sub(r"[^a-z0-9.]+", "", name.lower())


def _language_models() -> Iterator[LanguageModel]:
    return (model for model in load_models().values() if isinstance(model, LanguageModel))


@lru_cache(maxsize=1)
def _names() -> dict[str, LanguageModel]:
    """Models by every spelling; where two share one, the first of the catalogue holds, as in `find_model`."""
    names: dict[str, LanguageModel] = {}
    for model in _language_models():
        for name in (model.id, model.name, *model.aliases):
            names.setdefault(_key(name), model)
    return names


def _agrees(model: LanguageModel, column: str, cell: int) -> bool:
    if column == "vocab":
        return abs(cell - model.vocab) <= VOCAB_PADDING * model.vocab
    if column == "ffn" and model.dense_layers == 0:  # tables repeat the width of an expert or of a sibling
        return True
    own: set[int] = {getattr(model, COLUMN_FIELDS[column])}
    if column == "head_dim" and model.is_mla:
        own |= {model.v_head_dim, model.qk_nope_dim}
    if column == "kv_heads" and model.is_mla:
        own |= {model.heads, 1}
    return cell in own


def _cut(model: LanguageModel, layers: int, params_b: float | None) -> LanguageModel:
    """The model with another number of layers, each kind in proportion, so a proxy of the same shape.

    Dense feed-forward layers that lead (DeepSeek-V3: 3 of 61) stay first; those that alternate keep their
    share. `params_b` overrides where another split recounts it better.
    """
    full, window, csa, hca, linear = _shared_out([getattr(model, kind) for kind in MIXERS], layers)
    hosts = (csa, model.csa_layers) if model.csa_layers else (full, model.full_layers)
    index = round(model.index_layers * hosts[0] / hosts[1]) if model.index_layers else 0
    cut = replace(
        model,
        id=f"{model.id}-{layers}l",
        name=f"{model.name}, {layers} layers",
        layers=layers,
        full_layers=full,
        window_layers=window,
        csa_layers=csa,
        hca_layers=hca,
        linear_layers=linear,
        index_layers=index,
        params_total_b=0.0,
        params_active_b=0.0,
    )
    if not model.is_moe or not model.dense_layers:
        return replace(
            cut, dense_layers=0 if model.is_moe else layers, moe_layers=layers if model.is_moe else 0
        )
    leads = 4 * model.dense_layers < model.layers
    usual = min(model.dense_layers, layers) if leads else round(model.dense_layers * layers / model.layers)
    counts = sorted(range(layers + 1), key=lambda dense: abs(dense - usual))
    splits = [replace(cut, dense_layers=dense, moe_layers=layers - dense) for dense in counts]
    return _best_recount(splits, params_b)


def _shared_out(counts: list[int], total: int) -> list[int]:
    """Whole numbers in proportion to `counts` that sum to `total`; largest remainders round up.

    >>> _shared_out([0, 2, 21, 20, 0], 16)
    [0, 1, 8, 7, 0]
    """
    exact = [count * total / sum(counts) for count in counts]
    whole = [int(part) for part in exact]
    order = sorted(range(len(counts)), key=lambda at: whole[at] - exact[at])
    for at in order[: total - sum(whole)]:
        whole[at] += 1
    return whole


def _best_recount(models: list[LanguageModel], params_b: float | None) -> LanguageModel:
    """The first model that recounts `params_b` [billions] as well as the best; the first without one."""
    if not params_b:
        return models[0]
    errors = [_error(model, params_b) for model in models]
    return next(m for m, error in zip(models, errors, strict=True) if error <= min(errors) + SAME_COUNT)


def _error(model: LanguageModel, params_b: float) -> float:
    return abs(model.params / 1e9 / params_b - 1)


def _built(
    name: str, cells: Mapping[str, int], params_b: float | None
) -> tuple[LanguageModel, tuple[str, ...]]:
    """A plain decoder from the columns alone, and what had to be assumed of it.

    Grouped attention in every layer, feed-forward with a gate, output projection of its own, experts in all
    layers: what `params_b` contradicts is changed, the fewest things first. Raises CatalogueError where
    columns are missing or contradict each other.
    """
    _check_columns(name, cells)
    hidden, heads, layers = cells["hidden"], cells["heads"], cells["layers"]
    experts = cells.get("experts", 0)
    plain = LanguageModel(
        id=unbracketed(name).lower().replace(" ", "-"),
        name=name,
        hidden=hidden,
        heads=heads,
        kv_heads=cells.get("kv_heads", heads),
        head_dim=cells.get("head_dim", hidden // heads),
        vocab=cells["vocab"],
        layers=layers,
        full_layers=layers,
        ffn=cells.get("ffn", 0),
        experts=experts,
        experts_per_token=cells["topk"] if experts else 0,
        moe_ffn=cells["moe_ffn"] if experts else 0,
        shared_ffn=cells.get("shared_ffn", 0) if experts else 0,
        params_total_b=params_b or 0.0,
        source="the columns of the row",
    )
    dense_counts = _dense_counts(layers, experts, plain.ffn)
    choices = [
        replace(plain, dense_layers=dense, moe_layers=layers - dense, gated=gated, tied=tied)
        for dense in dense_counts
        for gated in (True, False)
        for tied in (False, True)
    ]
    best = _best_recount(choices, params_b)
    unsure = not params_b or _error(best, params_b) > UNLIKE_COUNT
    return best, ("architecture",) if unsure else ()


def _dense_counts(layers: int, experts: int, ffn: int) -> list[int]:
    """Numbers of dense feed-forward layers that occur in models with experts, the usual first."""
    if not experts:
        return [layers]
    return list(dict.fromkeys(n for n in (0, 1, 3, layers // 2) if n < layers)) if ffn else [0]


def _check_columns(name: str, cells: Mapping[str, int]) -> None:
    """Raise CatalogueError for all that keeps the columns from describing a model."""
    experts, problems = cells.get("experts", 0), []
    if not experts and not cells.get("ffn"):
        problems.append("ffn is blank")
    problems += [f"{column} is blank" for column in ("topk", "moe_ffn") if experts and not cells.get(column)]
    if experts and cells.get("topk", 0) > experts:
        problems.append(f"topk is {cells['topk']}, at most experts {experts}")
    if "head_dim" not in cells and cells["hidden"] % cells["heads"]:
        problems.append(
            f"head_dim is blank and hidden {cells['hidden']} is no multiple of {cells['heads']} heads"
        )
    if cells.get("kv_heads", 1) > cells["heads"]:
        problems.append(f"kv_heads is {cells['kv_heads']}, at most heads {cells['heads']}")
    if problems:
        raise CatalogueError(f"model {name!r} is built from its columns: {', '.join(problems)}")
