"""Ultrasound stills and cines: grey frames and tissue mask in, pixel data out.

Only the luminance of tissue pixels changes; chroma and every pixel outside the tissue stay bit-identical
to the decoded source. What was stored without loss keeps its pixel format; what was JPEG compressed is
written uncompressed as it was decoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import JPEGTransferSyntaxes

from operators.dicom.decoding import Samples, decoded_frames
from operators.dicom.endian import little_endian
from operators.dicom.errors import NoTissueError
from operators.dicom.files import is_encapsulated, transfer_syntax
from operators.dicom.frames import whole_dataset
from operators.dicom.kinds import check_instance_kind
from operators.dicom.luminance import Luminance, luminance_of
from operators.dicom.regions import Mask, regions_of
from operators.dicom.study import Instance
from operators.dicom.tint import LIT, OTHERS_FRACTION, Tint, TintEvidence
from operators.dicom.tissue_evidence import TissueEvidence
from operators.dicom.tissue_mask import tissue_mask
from operators.dicom.values import integer, text

SUBSAMPLING_SYNTAXES = frozenset(JPEGTransferSyntaxes)  # their colour is decoded to YBR that no syntax stores as it is


@dataclass(frozen=True, eq=False)
class Clip:
    """One still or one cine."""

    frames: npt.NDArray[np.float32]  # (frames, rows, columns), stored luminance from 0 to maximum
    tissue: npt.NDArray[np.bool_]  # (rows, columns), the pixels that may change
    maximum: float  # the largest storable grey


@dataclass(frozen=True, eq=False)
class NewPixels:
    """Pixel data of a derived clip and the attributes that describe it."""

    data: bytes
    photometric: str
    planar: int | None  # PlanarConfiguration, None for one sample per pixel


@dataclass(frozen=True, eq=False)
class Examined:
    """What all frames of a clip show together."""

    tissue: Mask
    maximum: float  # the largest storable grey
    photometric: str  # of the decoded samples
    tint: Tint | None  # of a tinted grey map


def read_clip(instance: Instance) -> Clip:
    """Decode one still or cine.

    Raises:
        Refusal: pixels that cannot be decoded, or hold no grey tissue.
    """
    check_instance_kind(instance)
    frames = np.empty((instance.frame_count, instance.rows, instance.columns), np.float32)
    examined = _examined(instance, whole_dataset(instance), frames)
    return Clip(frames, examined.tissue, examined.maximum)


def clip_pixels(instance: Instance, dataset: Dataset, denoised: npt.NDArray[np.float32]) -> NewPixels:
    """Return the pixel data of a clip with the luminance ``denoised``, in its tissue only."""
    examined = _examined(instance, dataset)
    data = bytearray()
    for index, (samples, luminance) in enumerate(_frames_of(instance, dataset, examined.tint)):
        change = denoised[index].astype(np.float64) - luminance.grey(samples)
        new = luminance.moved(samples, np.where(examined.tissue, change, 0.0))
        inside = examined.tissue if samples.ndim == 2 else examined.tissue[..., None]
        data += _packed(np.where(inside, new, samples), dataset)
    kept = text(dataset, "PhotometricInterpretation") if _is_native(dataset) else examined.photometric
    return NewPixels(bytes(data), kept, _planar(dataset))


def _examined(instance: Instance, dataset: Dataset, frames: npt.NDArray[np.float32] | None = None) -> Examined:
    """Find the tissue of a clip, and its tint where its pixels have the colours of one.

    Args:
        instance: the clip.
        dataset: the same with its pixel data.
        frames: filled with the grey of each frame, where given.
    """
    evidence, tints = TissueEvidence((instance.rows, instance.columns)), TintEvidence()
    for index, (samples, luminance) in enumerate(_frames_of(instance, dataset)):
        grey, coloured = luminance.grey(samples), luminance.coloured(samples)
        evidence.add(grey, coloured)
        tints.add(grey, partial(luminance.colours, samples), coloured, luminance.maximum)
        if frames is not None:
            frames[index] = grey
    maximum, photometric = luminance.maximum, luminance.photometric
    regions = regions_of(instance.header, instance.rows, instance.columns)
    try:
        return Examined(tissue_mask(evidence, regions, maximum), maximum, photometric, None)
    except NoTissueError:
        tint = tints.tint(maximum, luminance.black)
        tinted = None if tint is None else _tinted_evidence(instance, dataset, tint)
        if tinted is None:
            raise
        return Examined(tissue_mask(tinted, regions, maximum), maximum, photometric, tint)


def _tinted_evidence(instance: Instance, dataset: Dataset, tint: Tint) -> TissueEvidence | None:
    """Return the evidence with the colours of a tint as greys, None where too much has other colours."""
    evidence, lit, others = TissueEvidence((instance.rows, instance.columns)), 0, 0
    for samples, luminance in _frames_of(instance, dataset, tint):
        grey, coloured = luminance.grey(samples), luminance.coloured(samples)
        evidence.add(grey, coloured)
        bright = grey > LIT * luminance.maximum
        lit, others = lit + int(bright.sum()), others + int((bright & coloured).sum())
    return evidence if others <= OTHERS_FRACTION * lit else None


def _frames_of(instance: Instance, dataset: Dataset, tint: Tint | None = None) -> Iterator[tuple[Samples, Luminance]]:
    """Yield each frame's stored samples and their meaning; JPEG colour becomes RGB, as it is shown and written."""
    for samples, photometric in decoded_frames(dataset, range(instance.frame_count)):
        if photometric.startswith("YBR") and transfer_syntax(dataset) in SUBSAMPLING_SYNTAXES:
            samples, photometric = convert_color_space(samples, photometric, "RGB"), "RGB"
        yield samples, luminance_of(instance.header, photometric, tint)


def _is_native(dataset: Dataset) -> bool:
    return not is_encapsulated(dataset)


def _planar(dataset: Dataset) -> int | None:
    if (integer(dataset, "SamplesPerPixel") or 1) == 1:
        return None
    return integer(dataset, "PlanarConfiguration") or 0 if _is_native(dataset) else 0


def _packed(samples: Samples, dataset: Dataset) -> bytes:
    """Return the bytes of one frame in the source's arrangement of samples."""
    if samples.ndim == 2:
        return little_endian(samples)
    if _is_native(dataset) and text(dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        pairs = samples.reshape(-1, 2, 3)  # two pixels share the chroma of the first
        return little_endian(np.concatenate([pairs[:, :, 0], pairs[:, 0, 1:]], axis=1))
    return little_endian(np.moveaxis(samples, -1, 0) if _planar(dataset) == 1 else samples)
