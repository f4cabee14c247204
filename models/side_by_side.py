"""Run independent parts side by side: on threads of the processor, or in batches of slices on a GPU."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.compute import PROCESSOR, one_thread_each

Result = TypeVar("Result")
AT_ONCE = {"cpu": 1, "cuda": 64}  # slices in a batch, by device: a processor's cache holds one


def each(
    function: Callable[..., Result], *parts: Iterable[Any], device: torch.device = PROCESSOR, most: int | None = None
) -> list[Result]:
    """Return the result for each part, in order, as ``map`` would; the work must release the interpreter's lock.

    Args:
        function: takes one of each of ``parts``.
        parts: slices, or starts of blocks, equally many.
        device: on which it works; a GPU takes one part after another.
        most: parts that may be worked on at a time, where their memory is large.
    """
    with one_thread_each(device, most) as pool:
        return list(pool.map(function, *parts))


def in_batches(
    function: Callable[..., Tensor], *images: npt.NDArray[Any], device: torch.device = PROCESSOR
) -> npt.NDArray[Any]:
    """Return what ``function`` makes of images, (slices, ...), on a device.

    Args:
        function: takes some slices of each of ``images`` and returns as many of its own.
        images: equally many slices of each.
        device: on which it works.
    """
    size = AT_ONCE[device.type]

    def of_batch(first: int) -> Tensor:
        return function(*(on_device(part[first : first + size], device) for part in images)).cpu()

    return np.asarray(torch.cat(each(of_batch, range(0, len(images[0]), size), device=device)).numpy())


def on_device(images: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Return a copy of images as a tensor on the device: originals are not to be changed."""
    return torch.tensor(images, device=device)
