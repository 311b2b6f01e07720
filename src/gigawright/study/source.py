"""A YAML 1.2 file as plain data, with the line and column of every part.

libyaml's parser gives events; the tree is built from them here, in one pass, without recursion, because
PyYAML reads `23e9` as text and `NO` as false (YAML 1.1), keeps the last of two equal keys without a word,
and composes a bomb of aliases gladly. Keys are always text, as written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

import yaml

from gigawright.errors import Problem, StudyError

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 64
MAX_EVENTS = 300_000
"""Most keys, values and ends of collections in a file; a study of 10,000 lines has about 25,000."""
MAX_REPEATED = 100_000
"""Most nodes (and 64-character stretches of text) that aliases may repeat in a file."""

Path = tuple[str | int, ...]

_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None,
                          "true": True, "True": True, "TRUE": True,
                          "false": False, "False": False, "FALSE": False}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_TEXT_BYTES = b"\t\n\r" + bytes(range(32, 256))
_PLAINER = {
    "mapping values are not allowed in this context": "a second `key:` on one line, or a wrong indentation; "
    "text that holds `: ` goes in quotes",
    "could not find expected ':'": "a key without its colon, or a wrong indentation",
    "did not find expected key": "a wrong indentation, or a key without its colon",
    "did not find expected '-' indicator": "a wrong indentation in a list",
    "found unexpected end of stream": "a quote or bracket that is never closed",
    "found character that cannot start any token": "a character that starts no value; put the text in quotes",
    "did not find expected ',' or ']'": "a list in [ ] that is never closed, or lacks a comma",
    "did not find expected ',' or '}'": "a mapping in { } that is never closed, or lacks a comma",
}


@dataclass(slots=True)
class Node:
    """A part of the file: where it starts, its plain value, and its parts."""

    line: int
    column: int
    value: Any = None
    parts: dict[str | int, Node] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1

    @property
    def position(self) -> tuple[int, int]:
        """Line and column, from 1."""
        return self.line, self.column


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where the parts of a study stand in its file; kept with the study for checks that come later.

    All sources are equal: where a study was read is no part of what it says.
    """

    file: str
    root: Node
    problems: tuple[tuple[Path, Problem], ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source)

    def __hash__(self) -> int:
        return hash(Source)

    def locate(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value at a path (of its key, with `key`).

        A path that the file does not hold, such as a default, gives its nearest parent's place.
        """
        node = self.root
        for depth, step in enumerate(path):
            child = child_of(node, step)
            if child is None:
                break
            if key and depth == len(path) - 1 and isinstance(step, str):
                return node.keys[step]
            node = child
        return node.position

    def problem(self, path: Path, message: str, suggestion: str = "", *, key: bool = False) -> Problem:
        """A problem at the place of a path, for checks that come after reading."""
        line, column = self.locate(path, key=key)
        return Problem(written(path), message, self.file, line, column, suggestion)


def child_of(node: Node, step: str | int) -> Node | None:
    """The part of a node under a key or an index; keys are text in the file, also years."""
    if isinstance(node.value, dict):
        return node.parts.get(str(step))
    return node.parts.get(step)


def written(path: Path) -> str:
    """A path as a reader writes it: `workloads[0].demand.per_day`; the whole file is `study`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".") or "study"


def decode(data: bytes, file: str) -> str:
    """The text of a file; StudyError where it is too large, binary, not UTF-8 or holds control characters."""
    if len(data) > MAX_BYTES:
        stop(file, f"the file is larger than {MAX_BYTES // 2**20} MB; a study is a few kB of text")
    head = data[:4096]
    if len(head.translate(None, _TEXT_BYTES)) > len(head) // 10:
        stop(file, "this is a binary file; a study is text in YAML")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode("utf-8", "replace"))
        stop(file, f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8", line, column)
    control = _CONTROL.search(text)
    if control is not None:
        line, column = _place(text[: control.start()])
        name = "a NUL character" if control[0] == "\0" else f"the control character U+{ord(control[0]):04X}"
        stop(file, f"{name} is not allowed in YAML; delete it", line, column)
    return text


def read(text: str, file: str) -> Source:
    """The tree of a YAML text; StudyError where it cannot be read on; other problems are kept."""
    try:
        return _Builder(file).build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        lines = text.split("\n")
        line = lines[mark.line] if mark and mark.line < len(lines) else ""
        indent = line[: len(line) - len(line.lstrip())]
        words = str(error.problem)
        message = f"this is not YAML: {_PLAINER.get(words, words)}"
        if "\t" in indent or (mark and line[mark.column : mark.column + 1] == "\t"):
            message = "a tab; YAML indents with spaces only"
        stop(file, message, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0)
    except yaml.YAMLError as error:
        stop(file, f"this is not YAML: {error}")


class _Builder:
    """Builds the tree from the parser's events, keeping its own stack of open collections."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.open: list[Node] = []
        self.waiting_key: list[tuple[str, tuple[int, int]] | None] = []
        self.anchors: dict[str, Node] = {}
        self.names: list[str | None] = []
        self.repeated = 0
        self.problems: list[tuple[Path, Problem]] = []

    def build(self, events: Iterator[Any]) -> Source:
        for count, event in enumerate(events):
            if count > MAX_EVENTS:
                self._stop(
                    event,
                    f"the file holds more than {MAX_EVENTS:,} keys and values; a study has a few hundred",
                )
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._start(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
                self._stop(event, "a second document (`---`) starts here; a study is one document")
        if self.root is None or self.root.value is None:
            stop(self.file, "the file is empty; start from studies/first-hall.yaml")
        if not isinstance(self.root.value, dict):
            stop(self.file, "a study is a mapping of `key: value` lines", *self.root.position)
        return Source(self.file, self.root, tuple(self.problems))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._refuse_tag(event)
        node = Node(*_start_of(event), size=1 + len(event.value) // 64)
        if self._takes_key():
            self.waiting_key[-1] = (event.value, node.position)
            return
        plain = event.style is None or event.style == ""
        try:
            node.value = plain_value(event.value) if plain else event.value
        except ValueError as error:
            path = self._path()
            self.problems.append((path, Problem(written(path), str(error), self.file, *node.position)))
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._attach(node)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._refuse_tag(event)
        if self._takes_key():
            self._stop(event, "a key must be plain text")
        if len(self.open) >= MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels; a study needs about ten")
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        node = Node(*_start_of(event), {} if is_mapping else [])
        self.open.append(node)
        self.names.append(event.anchor)
        self.waiting_key.append(None)

    def _end(self) -> None:
        node = self.open.pop()
        self.waiting_key.pop()
        name = self.names.pop()
        if name is not None:
            self.anchors[name] = node
        self._attach(node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if self._takes_key():
            self._stop(event, "a key must be plain text")
        name = str(event.anchor)
        meant = self.anchors.get(name)
        if meant is None:
            self._stop(event, f"*{name} stands for nothing; &{name} must come, complete, before it")
        self.repeated += meant.size
        if self.repeated > MAX_REPEATED:
            self._stop(event, "the aliases (*name) of this file repeat too much; write it out")
        node = Node(*_start_of(event), meant.value)
        node.parts, node.keys, node.size = meant.parts, meant.keys, meant.size
        self._attach(node)

    def _attach(self, node: Node) -> None:
        """Hang a finished node under the collection that is open, or make it the root."""
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.size += node.size
        if isinstance(parent.value, list):
            parent.parts[len(parent.value)] = node
            parent.value.append(node.value)
            return
        key, place = cast(tuple[str, tuple[int, int]], self.waiting_key[-1])
        self.waiting_key[-1] = None
        if key in parent.keys:
            first = parent.keys[key][0]
            path = (*self._path(), key)
            message = f"the key {key!r} stands here a second time; the first is at line {first}"
            self.problems.append((path, Problem(written(path), message, self.file, *place)))
            return
        parent.value[key], parent.parts[key], parent.keys[key] = node.value, node, place

    def _takes_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.waiting_key[-1] is None

    def _path(self) -> Path:
        """The path of what is being read."""
        path: list[str | int] = []
        for node, waiting in zip(self.open, self.waiting_key, strict=True):
            if isinstance(node.value, list):
                path.append(len(node.value))
            elif waiting is not None:
                path.append(waiting[0])
        return tuple(path)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._stop(event, f"tags like {tag[:60]} are not allowed; a study is plain text and numbers")

    def _stop(self, event: Any, message: str) -> NoReturn:
        stop(self.file, message, *_start_of(event))


def _start_of(event: Any) -> tuple[int, int]:
    """Line and column, from 1, where an event starts."""
    return event.start_mark.line + 1, event.start_mark.column + 1


def plain_value(text: str) -> Any:
    """What an unquoted scalar means in YAML 1.2 (core schema); ValueError for numbers that are not finite.

    >>> plain_value("23e9"), plain_value("NO"), plain_value("0x10"), plain_value("~"), plain_value("1.2 GW")
    (23000000000.0, 'NO', 16, None, '1.2 GW')
    """
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    if _INTEGER.fullmatch(text) and len(text) <= 309:
        return int(text)
    if _OTHER_BASE.fullmatch(text) and len(text) <= 20:
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError(f"{text[:40]} is too large; numbers go up to 1.8e308")
        return number
    return text


def stop(file: str, message: str, line: int = 0, column: int = 0) -> NoReturn:
    """Raise one problem that keeps the rest of the file from being read."""
    raise StudyError([Problem("study", message, file, line, column)])


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows a text."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
