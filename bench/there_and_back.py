"""Long volumes from short phantoms, since drawing 300 slices of 512 x 512 takes minutes."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from validation.phantoms.anatomy import Phantom

DRAWN = 40  # slices of a phantom at most


def there_and_back(phantom: Phantom, slices: int) -> Phantom:
    """Return a phantom of so many slices, a shorter one's in their order, then back, and again; its noise likewise."""

    def lengthened(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.pad(part, ((0, slices - len(part)), (0, 0), (0, 0)), mode="symmetric")

    regions = {name: lengthened(region) for name, region in phantom.regions.items()}
    return replace(phantom, truth=lengthened(phantom.truth), noisy=lengthened(phantom.noisy), regions=regions)
