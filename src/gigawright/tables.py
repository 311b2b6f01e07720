"""Named tables and JSON on disk: each file whole or absent, each with the hash of its bytes.

A file is written under a temporary name in its own folder, synced and renamed into place; a run's folder is
written as a whole under a temporary name and then renamed. So an interrupt anywhere, also `kill -9`, leaves
the old state or the new one, and at most a temporary that the next writer removes. Knows no types above it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gigawright.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd

_TEMPORARY = re.compile(r"\.(?P<target>.+)\.(?P<pid>\d+)-[0-9a-f]{8}\.(?P<why>writing|replaced)")


CACHE = "GIGAWRIGHT_CACHE"
"""Environment variable that names the folder of caches."""


def cache_folder() -> Path:
    """Where what is costly to make is kept: GIGAWRIGHT_CACHE, else the user's folder for caches."""
    if own := os.environ.get(CACHE):
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gigawright"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gigawright"


def write_bytes(path: str | os.PathLike[str], content: bytes) -> str:
    """Write a file whole or not at all; returns the sha256 of its content. Raises OutputError."""
    target = Path(path)
    with _told_as_output_error(target):
        if target.is_dir():
            raise OutputError(f"{target} is a folder; a file cannot take its place")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_name(target, "writing")
        try:
            with temporary.open("wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(target.parent)
    return hashlib.sha256(content).hexdigest()


def write_text(path: str | os.PathLike[str], text: str) -> str:
    """Write a UTF-8 text file whole or not at all; returns the sha256 of its bytes. Raises OutputError."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], value: Any) -> str:
    """Write JSON with sorted keys, so that equal values have equal bytes; returns the sha256.

    Raises OutputError, and ValueError for NaN and infinities, which JSON does not know.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True)
    return write_text(path, text + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """What `write_json` wrote."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_table(folder: str | os.PathLike[str], name: str, table: pd.DataFrame) -> dict[str, str]:
    """Write `name.parquet` and `name.csv`; returns the sha256 of each by file name.

    The index is not written: what matters is a column. Raises OutputError.
    """
    import io

    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", index=False, compression="zstd")
    text = table.to_csv(index=False, lineterminator="\n")
    contents = {f"{name}.parquet": buffer.getvalue(), f"{name}.csv": text.encode("utf-8")}
    return {file: write_bytes(Path(folder) / file, content) for file, content in contents.items()}


def read_table(folder: str | os.PathLike[str], name: str) -> pd.DataFrame:
    """The table that `write_table` wrote, read from Parquet."""
    import pandas as pd

    return pd.read_parquet(Path(folder) / f"{name}.parquet", engine="pyarrow")


def write_tables(folder: str | os.PathLike[str], tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Write several tables; returns the sha256 of each file by name. Raises OutputError."""
    hashes: dict[str, str] = {}
    for name, table in tables.items():
        hashes |= write_table(folder, name, table)
    return hashes


def hash_of_table(table: pd.DataFrame) -> str:
    """sha256 of a table's column names, types and values, in row order; the index does not count.

    >>> import pandas as pd
    >>> a, b = pd.DataFrame({"site": ["x"], "mw": [1.0]}), pd.DataFrame({"site": ["x"], "mw": [1.5]})
    >>> hash_of_table(a) == hash_of_table(a.copy()), hash_of_table(a) == hash_of_table(b)
    (True, False)
    """
    head = json.dumps([[str(name), str(kind)] for name, kind in table.dtypes.items()])
    body = table.to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(f"{head}\n{body}".encode()).hexdigest()


def hash_of_file(path: str | os.PathLike[str]) -> str:
    """sha256 of a file's bytes."""
    with Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def hash_of_files(root: str | os.PathLike[str]) -> dict[str, str]:
    """sha256 of every file below a folder, by its path from there, sorted."""
    top = Path(root)
    files = sorted(path for path in top.rglob("*") if path.is_file())
    return {path.relative_to(top).as_posix(): hash_of_file(path) for path in files}


def write_folder_atomically(target: str | os.PathLike[str], writer: Callable[[Path], None]) -> None:
    """Let `writer` fill a new folder, then put it in the place of `target`, whole.

    `writer` gets a temporary folder beside the target. What it raises passes through and leaves the target
    untouched. An older run in the target is replaced: for the instant between two renames it is absent,
    never mixed, and a kill in that instant is mended by the next writer. Raises OutputError where the place
    cannot be written, or holds a file, or a folder that no run wrote.
    """
    place = Path(target).absolute()
    with _told_as_output_error(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        remove_stale_temporaries(place.parent)
        refuse_foreign(place)
        temporary = _temporary_name(place, "writing")
        temporary.mkdir()
    try:
        with _told_as_output_error(place, every=False):
            writer(temporary)
            write_json(temporary / MANIFEST, hash_of_files(temporary))
            _put_in_place(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


MANIFEST = "manifest.json"
"""Name of the file that lists every file of a run's folder with its sha256; it is written last."""


def broken_files(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Files of a run's folder that are missing or differ from its manifest; empty for a whole folder.

    Raises OutputError where the folder has no manifest, so that no run wrote it.
    """
    place = Path(folder)
    if not (place / MANIFEST).is_file():
        raise OutputError(f"{place} holds no run: {MANIFEST} is missing")
    listed: dict[str, str] = read_json(place / MANIFEST)
    return tuple(
        name
        for name, digest in listed.items()
        if not (place / name).is_file() or hash_of_file(place / name) != digest
    )


def remove_stale_temporaries(folder: Path) -> None:
    """Remove what interrupted writers left in a folder; temporaries of living processes stay.

    A run that was moved aside for a newer one that never arrived goes back to its place.
    """
    for entry in sorted(folder.iterdir()):
        match = _TEMPORARY.fullmatch(entry.name)
        if match is None or _is_alive(int(match["pid"])):
            continue
        home = folder / match["target"]
        if match["why"] == "replaced" and not home.exists():
            entry.rename(home)
        elif entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _put_in_place(temporary: Path, place: Path) -> None:
    """Rename a finished folder to its place, moving an older one aside first and removing it last."""
    for entry in sorted(temporary.rglob("*"), reverse=True):
        _sync(entry)
    _sync(temporary)
    old = _temporary_name(place, "replaced")
    try:
        if place.exists():
            place.rename(old)
        temporary.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    _sync(place.parent)
    shutil.rmtree(old, ignore_errors=True)


def refuse_foreign(place: Path) -> None:
    """Keep a folder that no run wrote from being replaced."""
    if place.is_dir():
        if any(place.iterdir()) and not (place / MANIFEST).is_file():
            raise OutputError(f"{place} holds files that no run wrote; give another folder or empty it")
    elif place.exists() or place.is_symlink():
        raise OutputError(f"{place} is a file; give a folder")


def _temporary_name(target: Path, why: str) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.{why}")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _sync(path: Path) -> None:
    """Make a file, or the names in a folder, outlast a power cut, where the system can do so."""
    if os.name != "posix" or path.is_symlink():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


_REASONS = {
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EIO: "the disk reports an error",
    errno.ENOTDIR: "a part of the path is a file",
    errno.EEXIST: "a part of the path is a file",
    errno.ENAMETOOLONG: "the name is too long",
}


@contextmanager
def _told_as_output_error(target: Path, *, every: bool = True) -> Iterator[None]:
    """Turn what the system says about a place into words about it.

    Without `every`, only errors that writing alone can meet: a writer may also fail to read something else.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None and not every:
            raise
        raise OutputError(f"{target} cannot be written: {reason or error.strerror or error}") from error
