"""Much small work on all processor cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

CHUNK = 16


def parallel_map(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    """work(item) of every item, in their order; `work` must not use torch, which does not survive a fork."""
    cores = len(os.sched_getaffinity(0))
    if cores == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, items)
        return
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        yield from pool.imap(work, items, CHUNK)
