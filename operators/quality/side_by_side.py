"""Run independent parts of the checks side by side, on as many threads as the fit may use."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch

Result = TypeVar("Result")


def each(function: Callable[..., Result], *parts: Iterable[Any], most: int | None = None) -> list[Result]:
    """Return the result for each part, in order, as ``map`` would; the work must release the interpreter's lock.

    Args:
        function: takes one of each of ``parts``.
        parts: slices, or starts of blocks, equally many.
        most: parts that may be worked on at a time, where their memory is large.
    """
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(min(threads, most or threads)) as pool:
        return list(pool.map(function, *parts))
