"""Traces read line by line: slower, and able to say of every line what is wrong with it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.requests.trace_rows import (
    BLOCK_TOKENS,
    MOST_RANK,
    MOST_SECONDS,
    MOST_TOKENS,
    Batch,
    batch_of,
)
from gigawright.workloads.requests.traces import MOST_FAULTS, TraceError

AZURE, OWN = "Azure", "own"
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?")
AZURE_COLUMNS = {"ContextTokens": "input", "GeneratedTokens": "output"}
OWN_COLUMNS = {"input_tokens": "input", "output_tokens": "output", "priority": "rank"}
NEEDED = ("arrival_s", "input_tokens", "output_tokens")
ENCODED = ("image_tokens", "video_tokens")
PREFIX = ("prefix_hashes", "prefix_id", "prefix_tokens")
FORMS = (
    "a trace starts with TIMESTAMP,ContextTokens,GeneratedTokens (Azure), with "
    "arrival_s,input_tokens,output_tokens (our own), or is JSON Lines (Mooncake)"
)
SEED = 0x7F4A7C15
"""Added to a prefix_id, so that its blocks are not those of prefix_hashes."""


class Wrong(ValueError):
    """A value that a row may not have."""


@dataclass
class Header:
    """The columns of a CSV file, and the first date of its time."""

    columns: tuple[str, ...]
    form: str
    first: list[int] = field(default_factory=list)

    @property
    def time(self) -> str:
        """The column of time."""
        return "TIMESTAMP" if self.form == AZURE else "arrival_s"

    @property
    def plain(self) -> dict[str, str]:
        """Columns of whole numbers, and what they are here."""
        names = AZURE_COLUMNS if self.form == AZURE else OWN_COLUMNS
        return {name: own for name, own in names.items() if name in self.columns}

    @property
    def encoded(self) -> tuple[str, ...]:
        """Columns of tokens that pass the vision encoder."""
        return tuple(name for name in ENCODED if name in self.columns and self.form == OWN)

    @property
    def known(self) -> tuple[str, ...]:
        """All columns that are read."""
        own = tuple(name for name in PREFIX if name in self.columns and self.form == OWN)
        return (self.time, *self.plain, *self.encoded, *own)

    def since_first(self, nanoseconds: Any) -> Floats:
        """Seconds since the first date that was seen."""
        if not self.first:
            self.first.append(int(nanoseconds[0]))
        return np.asarray((nanoseconds - self.first[0]) / 1e9, np.float64)


def header_of(line: str, name: str) -> Header:
    """The columns a CSV file starts with. Raises TraceError where it is no trace, or a column is missing."""
    return header_from(tuple(cell.strip().strip('"') for cell in line.strip("\r\n").split(",")), name)


def header_from(columns: tuple[str, ...], name: str) -> Header:
    """The form that these columns make. Raises TraceError."""
    form = AZURE if "TIMESTAMP" in columns or "ContextTokens" in columns else OWN
    needed = (
        ("TIMESTAMP", *AZURE_COLUMNS) if form == AZURE else ("arrival_s", "input_tokens", "output_tokens")
    )
    missing = [f"column {each} is missing; {FORMS}" for each in needed if each not in columns]
    doubled = [f"column {each} stands twice" for each in {c for c in columns if columns.count(c) > 1} if each]
    faults = missing[:1] + [f"column {each.split()[1]} is missing" for each in missing[1:]] + doubled
    if "prefix_id" in columns and "prefix_tokens" not in columns:
        faults.append("column prefix_id needs prefix_tokens beside it: how long the shared prefix is")
    if "images" in columns and "image_tokens" not in columns:
        faults.append("column images needs image_tokens beside it: how many tokens a request's images take")
    if faults:
        raise TraceError(name, [(1, text) for text in faults])
    return Header(columns, form)


def read_json_lines(piece: bytes, first: int) -> Batch:
    """Rows of Mooncake's form."""
    return rows_of(_decoded(piece, first), _json_row)


def read_csv_lines(piece: bytes, header: Header, first: int) -> Batch:
    """Rows of a CSV file with this header."""
    return rows_of(_decoded(piece, first), lambda text: _csv_row(text, header))


def _decoded(piece: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers."""
    lines = enumerate(piece.removesuffix(b"\n").split(b"\n"), start=first)
    return ((line, raw) for line, raw in lines if raw.strip())


def rows_of(lines: Iterable[tuple[int, Any]], parse: Callable[[Any], dict[str, Any]]) -> Batch:
    """Parse each line, and gather faults with their lines."""
    rows: list[dict[str, Any]] = []
    places: list[int] = []
    faults: list[tuple[int, str]] = []
    for line, raw in lines:
        try:
            rows.append(parse(raw))
            places.append(line)
        except UnicodeDecodeError:
            faults.append((line, "not UTF-8 text"))
        except Wrong as wrong:
            faults.append((line, str(wrong)))
        if len(faults) >= MOST_FAULTS:
            break
    names = ("arrival", "input", "output", "encoded", "rank")
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in names}
    columns["hashes"] = [value for row in rows for value in row["hashes"]]
    columns["blocks"] = [len(row["hashes"]) for row in rows]
    batch = batch_of(columns, np.array(places, np.int64))
    batch.faults.extend(faults)
    return batch


def _json_row(raw: bytes) -> dict[str, Any]:
    text = raw.decode("utf-8")
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"not a JSON object: {getattr(error, 'msg', error)} (is the line cut off?)") from error
    if not isinstance(row, dict):
        raise Wrong('not a JSON object: a line looks like {"timestamp": 0, "input_length": 10, ...}')
    missing = [name for name in ("timestamp", "input_length", "output_length") if row.get(name) is None]
    if missing:
        raise Wrong(f"{', '.join(missing)} missing")
    hashes = row.get("hash_ids") or []
    if not isinstance(hashes, list) or any(type(h) is not int or abs(h) >= 1 << 63 for h in hashes):
        raise Wrong("hash_ids must be a list of whole numbers of 64 bits")
    return _checked(
        {
            "arrival": _number("timestamp", row["timestamp"]) / 1e3,
            "input": _tokens("input_length", row["input_length"], 1),
            "output": _tokens("output_length", row["output_length"], 1),
            "encoded": 0,
            "rank": 0,
            "hashes": hashes,
        }
    )


def _csv_row(raw: bytes, header: Header) -> dict[str, Any]:
    cells = next(csv.reader([raw.decode("utf-8").rstrip("\r")]))
    if len(cells) != len(header.columns):
        raise Wrong(f"{len(cells)} cells where the header has {len(header.columns)} columns")
    return row_of(dict(zip(header.columns, (cell.strip() for cell in cells), strict=True)), header)


def row_of(row: dict[str, Any], header: Header) -> dict[str, Any]:
    """The values of a row by their columns' names, checked. Raises Wrong."""
    numbers = {own: _tokens(name, row[name], 1) for name, own in header.plain.items() if own != "rank"}
    if header.form == AZURE:
        arrival = float(header.since_first(np.array([_date(row["TIMESTAMP"])]))[0])
    else:
        arrival = _number("arrival_s", row["arrival_s"])
    return _checked(
        {
            "arrival": arrival,
            **numbers,
            "encoded": sum(_tokens(name, row[name] or 0, 0) for name in header.encoded),
            "rank": _tokens("priority", row.get("priority") or 0, 0),
            "hashes": _prefix(row) if header.form == OWN else [],
        }
    )


def _prefix(row: dict[str, Any]) -> list[int]:
    """Hashes of the blocks of a prefix, listed or made from its id and length."""
    listed = row.get("prefix_hashes") or []
    if isinstance(listed, str):
        listed = listed.replace(";", " ").split()
    if listed:
        return [_tokens("prefix_hashes", cell, -(1 << 63), (1 << 63) - 1) for cell in listed]
    if not row.get("prefix_id"):
        return []
    length = _tokens("prefix_tokens", row["prefix_tokens"], 0)
    return prefix_blocks(str(row["prefix_id"]), length)


def prefix_blocks(name: str, tokens: int) -> list[int]:
    """Hashes of the whole blocks of a named prefix."""
    import hashlib

    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big") + SEED
    return [start + at for at in range(tokens // BLOCK_TOKENS)]


def _checked(row: dict[str, Any]) -> dict[str, Any]:
    """Rules between the values of a row."""
    if abs(row["arrival"]) > MOST_SECONDS:
        raise Wrong(f"time {row['arrival']:.6g} s is out of range; at most {MOST_SECONDS:.0e} s")
    if row["encoded"] > row["input"]:
        raise Wrong(
            f"{row['encoded']:,} image and video tokens in a prompt of {row['input']:,} tokens, which "
            "counts them too"
        )
    if row["rank"] > MOST_RANK:
        raise Wrong(f"priority is {row['rank']}; it must be from 0 (first) to {MOST_RANK}")
    room = -(-row["input"] // BLOCK_TOKENS)
    if len(row["hashes"]) > room:
        raise Wrong(
            f"{len(row['hashes'])} prefix blocks of {BLOCK_TOKENS} tokens in a prompt of {row['input']:,} "
            f"tokens, which has {room}"
        )
    return row


def _number(name: str, value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else np.nan
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not np.isfinite(number):
        raise Wrong(f"{name} is {value!r}; it must be a number")
    return number


def _tokens(name: str, value: Any, least: int, most: int = MOST_TOKENS) -> int:
    """A whole number within its bounds."""
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None:
        raise Wrong(f"{name} is {value!r}; it must be a whole number")
    if not least <= number <= most:
        raise Wrong(f"{name} is {number:,}; it must be from {least:,} to {most:,}")
    return number


def _date(text: str) -> int:
    """Nanoseconds of a date since 1970, UTC."""
    match = TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        whole = int(np.datetime64(f"{match[1]}T{match[2]}", "s").astype(np.int64))
    except ValueError as error:
        raise Wrong(f"TIMESTAMP is {text!r}; it must look like 2023-11-16 18:17:03.9799600 (UTC)") from error
    return whole * 10**9 + int((match[3] or "0").ljust(9, "0"))
