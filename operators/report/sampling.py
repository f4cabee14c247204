"""The images of a series that a report shows, before and after, spread evenly over it.

Only they are held in memory. What lies outside an ultrasound's tissue, where names may be burned in, is cut away.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from operators.image_checks import image_at
from operators.messages import CheckedSeries
from operators.quality.blending import restored_at
from operators.report.sample import Image as Slice
from operators.report.sample import ImagePair, Sample, spread
from operators.report.window import Window
from operators.sources.image import Image, Images
from operators.sources.source import Source


def sample_of(checked: CheckedSeries, strength: float) -> Sample:
    """Return images spread evenly over all volumes or clips, after ``strength`` percent of the change."""
    total = sum(len(images) for images in checked.denoised.images.values())
    chosen = spread(total, max(images[0].size for images in checked.denoised.images.values()))
    pairs: list[ImagePair] = []
    spacings: list[tuple[float, float, float]] = []
    first = 0
    for key, images in checked.denoised.images.items():
        indices = [number - first for number in chosen if first <= number < first + len(images)]
        if indices:
            original = checked.denoised.originals.read(key, indices)
            spacings.append(original.spacing)
            after = image_at(checked.denoised, key, strength, indices)
            restored = checked.denoised.restored.get(key)
            shown = (None if restored is None else restored_at(restored, i, images[i].shape) for i in indices)
            pairs.extend(_pairs(original, after, shown, [first + index + 1 for index in indices]))
        first += len(images)
    display, (_, height, width) = checked.source.display, spacings[0]
    if display.only_valid:
        pairs = [_cut(pair) for pair in pairs]
    return Sample(tuple(pairs), total, (height, width) if height and width else None, display.unit)


def header_window(source: Source) -> Window | None:
    """Return the window that the header of a series asks for, None where it asks for none that can be used."""
    display = source.display
    return None if display.window is None else Window(*display.window, display.inverse)


def _pairs(
    original: Image, denoised: Images, restored: Iterable[Slice | None], numbers: list[int]
) -> Iterator[ImagePair]:
    valid = np.broadcast_to(original.valid, original.values.shape)
    images = zip(numbers, original.values, denoised, valid, restored, strict=True)
    for number, before, image, inside, tint in images:
        yield ImagePair(number, before, np.where(inside, image, before), inside, tint)


def _cut(pair: ImagePair) -> ImagePair:
    """Return the pair without the rows and columns that hold nothing valid."""
    area = (_extent(pair.valid, 1), _extent(pair.valid, 0))
    restored = None if pair.restored is None else pair.restored[area]
    return ImagePair(pair.number, pair.before[area], pair.after[area], pair.valid[area], restored)


def _extent(valid: npt.NDArray[np.bool_], across: int) -> slice:
    """Return the range of rows or columns from the first to the last that holds anything valid."""
    indices = np.flatnonzero(valid.any(axis=across))
    return slice(int(indices[0]), int(indices[-1]) + 1)
