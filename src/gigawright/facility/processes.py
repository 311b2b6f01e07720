"""The same work on many inputs, in this process or in several, with the same answers in the same order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
WATCH_S = 1.0


def each_in_processes(work: Callable[[T], R], inputs: Sequence[T], processes: int = 1) -> Iterator[R]:
    """Answers of `work` for each input, in order, as they come.

    With more than one process, `work` must be importable and a script that calls this must guard its main
    part (`if __name__ == "__main__":`), since workers are started anew. Workers end with their parent.

    >>> list(each_in_processes(abs, [-1, 2]))
    [1, 2]
    """
    if processes <= 1 or len(inputs) <= 1:
        yield from map(work, inputs)
        return
    workers = min(processes, len(inputs))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        yield from pool.map(work, inputs)


def _end_with_parent() -> None:
    """Leave Ctrl-C to the parent, and stop when it is gone, also after kill -9."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
