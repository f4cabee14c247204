"""The images of a series that a report shows, read again from the source and set beside what became of them.

Only they are held in memory. What lies outside an ultrasound's tissue, where names may be burned in, is cut away.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from operators.dicom.cine import read_clip
from operators.dicom.errors import UnusableValueError
from operators.dicom.geometry import Stack
from operators.dicom.pixels import read_volume
from operators.dicom.regions import pixel_size
from operators.dicom.study import Instance
from operators.dicom.values import numbers, text
from operators.messages import DenoisedSeries
from operators.report.sample import Image, ImagePair, Mask, Sample, spread
from operators.report.window import Window
from operators.sources.nifti import NiftiImage, read_volumes

UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml"}  # of PET, as a reader says them

Read = tuple[Image, Mask]


def sample_of(denoised: DenoisedSeries, strength: float) -> Sample:
    """Images spread evenly over all volumes or clips of a series, after ``strength`` percent of the change."""
    images = list(denoised.images.items())
    places = [(key, index) for key, volume in images for index in range(len(volume))]
    largest = max(volume[0].size for _, volume in images)
    chosen = spread(len(places), largest)
    pairs = []
    for key, volume in images:
        wanted = [number for number in chosen if places[number][0] == key]
        for number, (before, valid) in zip(wanted, _read(denoised, key, [places[n][1] for n in wanted]), strict=True):
            change = np.where(valid, volume[places[number][1]] - before, 0)
            after = (before + strength / 100 * change).astype(np.float32)
            pair = ImagePair(number + 1, before, after, valid)
            pairs.append(_cut(pair) if isinstance(key, Instance) else pair)
    return Sample(tuple(pairs), len(places), _spacing(images[0][0]), _unit(denoised))


def window_given(denoised: DenoisedSeries) -> Window | None:
    """What the header of a series asks for, None where it asks for nothing that can be used."""
    if isinstance(denoised.source, NiftiImage) or denoised.source.modality == "US":
        return None
    header = denoised.source.instances[0].header
    try:
        centre, width = numbers(header, "WindowCenter"), numbers(header, "WindowWidth")
    except UnusableValueError:
        return None
    if not centre or not width or width[0] < 1:
        return None
    inverse = text(header, "PhotometricInterpretation") == "MONOCHROME1"
    return Window(centre[0] - width[0] / 2, centre[0] + width[0] / 2, inverse)


def _read(denoised: DenoisedSeries, key: Hashable, indices: Sequence[int]) -> Iterator[Read]:
    """The chosen images of one volume or clip with their valid pixels."""
    if not indices:
        return
    if isinstance(key, Stack):
        volume = read_volume(replace(key, places=tuple(key.places[index] for index in indices)))
        yield from zip(volume.voxels, volume.valid, strict=True)
    elif isinstance(key, Instance):
        clip = read_clip(key)
        yield from ((clip.frames[index], clip.tissue) for index in indices)
    else:
        found = (volume for place, volume in read_volumes(cast(NiftiImage, denoised.source)) if place == key)
        yield from ((volume.voxels[index], volume.valid[index]) for volume in found for index in indices)


def _cut(pair: ImagePair) -> ImagePair:
    """The pair without rows and columns that hold no tissue."""
    rows, columns = pair.valid.any(axis=1), pair.valid.any(axis=0)
    area = (slice(*_ends(rows)), slice(*_ends(columns)))
    return ImagePair(pair.number, pair.before[area], pair.after[area], pair.valid[area])


def _ends(filled: Any) -> tuple[int, int]:
    found = np.flatnonzero(filled)
    return int(found[0]), int(found[-1]) + 1


def _spacing(key: Hashable) -> tuple[float, float] | None:
    if isinstance(key, Stack):
        return key.spacing[1:]
    return pixel_size(key.header) if isinstance(key, Instance) else None


def _unit(denoised: DenoisedSeries) -> str:
    if denoised.source.modality == "CT":
        return "HU"
    if denoised.source.modality != "PT" or isinstance(denoised.source, NiftiImage):
        return ""
    try:
        return UNITS.get(text(denoised.source.instances[0].header, "Units"), "")
    except UnusableValueError:
        return ""
