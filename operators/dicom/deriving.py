"""Write denoised pixels back as a complete derived series, one dataset at a time.

In: the source series, denoised float32 arrays, the provenance. Out: derived datasets with file meta
information, Explicit VR Little Endian, one per source instance that was denoised. Every source is read
again from its file and let go, so that one object is held at a time; the source is never changed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from operators.dicom.attributes import Derivation, add_derivation, replace_attributes, series_number, source_reference
from operators.dicom.cine import clip_pixels
from operators.dicom.classes import ENHANCED_VOLUMES, MODALITY_OF_CLASS
from operators.dicom.decoding import Samples, decoded_frames
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.encodings import PIXEL_DATA
from operators.dicom.endian import little_endian, to_explicit_little_endian
from operators.dicom.frames import whole_dataset
from operators.dicom.geometry import Stack
from operators.dicom.mappings import Linear
from operators.dicom.multiframe import describe_frames, set_slopes
from operators.dicom.pixels import FrameScale, frame_scales
from operators.dicom.provenance import Provenance
from operators.dicom.study import Instance, Series

Image = npt.NDArray[np.float32]  # (rows, columns)


def derive_volume_series(
    series: Series,
    denoised: Mapping[Stack, npt.NDArray[np.float32]],
    provenance: Provenance,
    settings: DerivedSettings,
    used_numbers: frozenset[int],
) -> Iterator[Dataset]:
    """Yield the derived objects of a CT, MR or PT series.

    Args:
        denoised: for each stack its denoised voxels (slices, rows, columns) in real units, at the strength wanted.
        used_numbers: the series numbers already used in the study, derived ones too.

    Raises:
        Refusal: pixel data that cannot be decoded again.
    """
    images: dict[Instance, dict[int, Image]] = defaultdict(dict)
    for stack, voxels in denoised.items():
        for place, image in zip(stack.places, voxels, strict=True):
            images[place.instance][place.frame] = image
    number = series_number(series.instances[0].header, settings, used_numbers)
    for instance in series.instances:
        if instance in images:
            derivation = Derivation(provenance, settings, number, len(images[instance]) == instance.frame_count)
            yield _derived_volume(instance, images[instance], derivation)


def derive_clip_series(
    series: Series,
    denoised: Mapping[Instance, npt.NDArray[np.float32]],
    provenance: Provenance,
    settings: DerivedSettings,
    used_numbers: frozenset[int],
) -> Iterator[Dataset]:
    """Yield the derived objects of an ultrasound series.

    Args:
        denoised: for each instance its denoised frames (frames, rows, columns) in stored luminance, at the strength
            wanted; outside the tissue they are not looked at.
        used_numbers: as for volumes.

    Raises:
        Refusal: pixel data that cannot be decoded again.
    """
    number = series_number(series.instances[0].header, settings, used_numbers)
    for instance in series.instances:
        if instance in denoised:
            yield _derived_clip(instance, denoised[instance], Derivation(provenance, settings, number, True))


def _derived_clip(instance: Instance, frames: npt.NDArray[np.float32], derivation: Derivation) -> Dataset:
    dataset = whole_dataset(instance)
    new = clip_pixels(instance, dataset, frames)
    replace_attributes(dataset, derivation)
    add_derivation(dataset, [source_reference(instance.header)], derivation.provenance)
    dataset.PhotometricInterpretation = new.photometric
    if new.planar is not None:
        dataset.PlanarConfiguration = new.planar
    return finished(dataset, new.data)


def _derived_volume(instance: Instance, images: Mapping[int, Image], derivation: Derivation) -> Dataset:
    dataset = whole_dataset(instance)
    pixels, grown = _new_pixels(instance, dataset, images)
    replace_attributes(dataset, derivation)
    if instance.sop_class in ENHANCED_VOLUMES:
        describe_frames(dataset, instance.header, frozenset(images), derivation.provenance)
        set_slopes(dataset, grown)
    else:
        add_derivation(dataset, [source_reference(instance.header)], derivation.provenance)
        for mapping in grown.values():
            dataset.RescaleSlope = mapping.slope
    return finished(dataset, pixels)


def _new_pixels(instance: Instance, dataset: Dataset, images: Mapping[int, Image]) -> tuple[bytes, dict[int, Linear]]:
    """Return the pixel data of all frames, and the new mapping of those whose range grew."""
    scales = frame_scales(instance)
    pixels, grown = bytearray(), {}
    for frame, (samples, _) in enumerate(decoded_frames(dataset, range(instance.frame_count))):
        if frame in images:
            samples, mapping = new_samples(samples, scales[frame], images[frame])
            if mapping is not None:
                grown[frame] = mapping
        pixels += little_endian(samples)
    return bytes(pixels), grown


def new_samples(samples: Samples, scale: FrameScale, image: Image) -> tuple[Samples, Linear | None]:
    """Return the samples of a denoised frame, and its mapping where that had to grow."""
    if MODALITY_OF_CLASS[str(scale.header.SOPClassUID)] == "PT":
        return scale.regrown(samples, image)
    return scale.changed(samples, image), None


def finished(dataset: Dataset, pixels: bytes) -> Dataset:
    """Return the dataset with its pixel data, ready to be saved."""
    del dataset[PIXEL_DATA]
    to_explicit_little_endian(dataset)
    kind = "OW" if int(dataset.BitsAllocated) > 8 else "OB"
    dataset[PIXEL_DATA] = DataElement(PIXEL_DATA, kind, pixels + b"\0" * (len(pixels) % 2))
    return dataset
