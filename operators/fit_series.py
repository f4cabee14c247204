"""Fit each image of a series on itself alone, one in memory at a time: the loop of both methods."""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from models.fitting import Denoised
from operators.messages import DenoisedSeries, FitSummary, SelectedSeries
from operators.sources.image import Image
from operators.sources.originals import Originals, may_stay
from operators.sources.source import Key
from operators.time_budget import TimeSlot


def fit_series(
    selected: SelectedSeries, settings: Any, fit_image: Callable[[Image, TimeSlot], Denoised]
) -> DenoisedSeries:
    """Denoise every image of the series that can be; the others are left out, with the reason.

    Args:
        settings: the dataclass of the method.
        fit_image: the method, applied to an image within its part of the time.

    Raises:
        TimeSpentError: too little time is left for the series.
        Refusal: no image can be denoised.
    """
    selected.time.begin()
    started, source = time.monotonic(), selected.source
    sizes, left_out = source.sizes(), Counter[str]()
    slots = dict(zip(sizes, selected.time.slots, strict=True))
    results: dict[Key, Denoised] = {}
    originals: dict[Key, Image] = {}
    for key, image in source.images(left_out):
        results[key] = fit_image(image, slots[key])
        if may_stay(len(sizes), sum(map(math.prod, sizes.values()))):
            originals[key] = image
        del image  # else it stays in memory while the next is decoded
    fits = tuple(result.record for result in results.values())
    return DenoisedSeries(
        source,
        Originals(source, originals),
        {key: result.images for key, result in results.items()},
        FitSummary(fits, dict(left_out), asdict(settings), started),
        {key: result.restored for key, result in results.items() if result.restored is not None},
    )
