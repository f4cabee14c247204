"""Optional derived series beside the denoised one: what was removed, and a map of the noise.

In: as for the derived series. Out: one object for each classic CT, MR or PT object, in a series of its own, signed
16-bit whatever the source has: real = RescaleSlope x stored, in the source's unit. What was removed is exactly the
source less the derived object; padding is 0. Enhanced objects have none: their scales and windows lie in functional
groups that frames share. Ultrasound has none: a difference of log-compressed grey has no unit, and in colour no sign.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from operators.dicom.attributes import Derivation, add_derivation, replace_attributes, series_number, source_reference
from operators.dicom.classes import CLASSIC_VOLUMES, MODALITY_OF_CLASS
from operators.dicom.decoding import decoded_frames, unpacked
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.deriving import finished, new_samples
from operators.dicom.endian import little_endian
from operators.dicom.frames import whole_dataset
from operators.dicom.geometry import Stack
from operators.dicom.mappings import DS_STEP, Linear, Real
from operators.dicom.pixels import frame_scales
from operators.dicom.provenance import Provenance
from operators.dicom.study import Instance, Series
from operators.dicom.values import text, texts

Mask = npt.NDArray[np.bool_]
LARGEST = 2**15 - 1  # of signed 16 bits
IMAGE_TYPE_VALUES = 3  # of the source that are kept; the fourth says which part it is
UNSPECIFIED = "US"  # RescaleType, PS3.3 C.11.1.1.2
OVERLAYS = range(0x6000, 0x6020, 2)  # groups; some lie in bits of the source's pixels

# Beyond what every derived object replaces.
REPLACED = {
    "BitsAllocated": "16",
    "BitsStored": "16",
    "HighBit": "15",
    "PixelRepresentation": "1, signed",
    "ImageType": "one value added: REMOVED or NOISE_MAP",
    "RescaleSlope": "the source's, for the noise map a 64th; larger where 16 bits would not do",
    "RescaleIntercept": "0",
    "RescaleType": "the source's; in MR US (unspecified) where it has none",
    "WindowCenter": "0; of the noise map the sd of the noise before",
    "WindowWidth": "four times the sd of the noise before; of the noise map twice",
}
REMOVED = {
    "PixelPaddingValue": "padding is 0",
    "PixelPaddingRangeLimit": "padding is 0",
    "ModalityLUTSequence": "the rescale slope says all",
    "VOILUTSequence": "holds for the source pixels only",
    "VOILUTFunction": "holds for the source's window only",
    "WindowCenterWidthExplanation": "holds for the source's window only",
    "RealWorldValueMappingSequence": "holds for the source pixels only",
}


@dataclass(frozen=True)
class Part:
    """One kind of such a series."""

    word: Literal["removed part", "noise map"]  # in SeriesDescription and DerivationDescription
    image_type: str
    of: Callable[[Real, Real, Mask], Real]  # from the real values before and after, and which are no padding
    finer: int  # than the steps of the source
    window: tuple[float, float]  # middle and width, in sd of the noise before


def can_be_parted(series: Series) -> bool:
    """Return whether every object of a series can have such parts."""
    return all(instance.sop_class in CLASSIC_VOLUMES for instance in series.instances)


def part_derivation(
    series: Series, part: Part, provenance: Provenance, settings: DerivedSettings, used_numbers: frozenset[int]
) -> Derivation:
    """Return what the attributes of one part are computed from.

    Args:
        series: the source.
        part: which of its parts.
        provenance: of the derived series.
        settings: of the derived series.
        used_numbers: the series numbers already used in the study, derived ones too.
    """
    named = replace(settings, suffix=f"{settings.suffix}, {part.word}")
    number = series_number(series.instances[0].header, settings, used_numbers)
    return Derivation(replace(provenance, shows=part.word), named, number, True)


def derive_part(
    series: Series,
    denoised: Mapping[Stack, npt.NDArray[np.float32]],
    part: Part,
    noise: float,
    derivation: Derivation,
) -> Iterator[Dataset]:
    """Yield the objects of one part, in the order of the series.

    Args:
        series: the source.
        denoised: as for the derived series.
        part: which part.
        noise: standard deviation before, in real units; sets the window.
        derivation: of ``part_derivation``.
    """
    images = {
        place.instance: image
        for stack, voxels in denoised.items()
        for place, image in zip(stack.places, voxels, strict=True)
    }
    for instance in series.instances:
        if instance in images:
            yield _derived(instance, images[instance], part, noise, derivation)


def _derived(
    instance: Instance, image: npt.NDArray[np.float32], part: Part, noise: float, derivation: Derivation
) -> Dataset:
    dataset, (scale,) = whole_dataset(instance), frame_scales(instance)
    ((samples, _),) = decoded_frames(dataset, [0])
    new, grown = new_samples(samples, scale, image)
    stored = unpacked(samples, instance.header)
    before, valid = scale.mapping.real(stored), scale.valid(stored)
    after = (grown or scale.mapping).real(unpacked(new, instance.header))
    values = np.where(valid, part.of(before, after, valid), 0.0)
    step = abs(scale.mapping.slope) if isinstance(scale.mapping, Linear) else 1.0
    slope = max(step / part.finer, float(np.abs(values).max()) / LARGEST * (1 + DS_STEP))
    replace_attributes(dataset, derivation)
    add_derivation(dataset, [source_reference(instance.header)], derivation.provenance)
    _describe(dataset, part, DSfloat(slope, auto_format=True), noise)
    return finished(dataset, little_endian(np.rint(values / float(dataset.RescaleSlope)).astype(np.int16)))


def _describe(dataset: Dataset, part: Part, slope: DSfloat, noise: float) -> None:
    """Set pixel format, scale and window; nothing stays that speaks of the source's pixels."""
    dataset.remove_private_tags()
    for tag in [tag for tag in dataset.keys() if tag.group in OVERLAYS]:  # noqa: SIM118
        del dataset[tag]
    for keyword in REMOVED:
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.ImageType = [*(*texts(dataset, "ImageType"), "OTHER")[:IMAGE_TYPE_VALUES], part.image_type]
    dataset.RescaleSlope, dataset.RescaleIntercept = slope, 0
    if MODALITY_OF_CLASS[dataset.SOPClassUID] == "MR":
        dataset.RescaleType = text(dataset, "RescaleType") or UNSPECIFIED
    middle, width = (times * noise for times in part.window)
    dataset.WindowCenter, dataset.WindowWidth = (DSfloat(number, auto_format=True) for number in (middle, width))
