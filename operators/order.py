"""In which order the series of a study are denoised."""

from collections.abc import Iterable
from typing import Literal

from operators.sources.source import Source

Order = Literal["smallest_first", "as_received"]


def in_order(study: Iterable[Source], order: Order) -> tuple[Source, ...]:
    """Return the series in the order of their work; of equal size in the order found."""
    return tuple(study) if order == "as_received" else tuple(sorted(study, key=lambda source: source.voxel_count))
