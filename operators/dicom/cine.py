"""Ultrasound stills and cines: grey frames and tissue mask in, pixel data out.

Only the luminance of tissue pixels changes; chroma and every pixel outside the tissue stay bit-identical
to the decoded source. What was stored without loss keeps its pixel format; what was JPEG compressed is
written uncompressed as it was decoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import JPEGTransferSyntaxes

from operators.dicom.decoding import Words, decoded_frames
from operators.dicom.endian import little_endian
from operators.dicom.files import transfer_syntax
from operators.dicom.frames import whole_dataset
from operators.dicom.kinds import check_instance_kind
from operators.dicom.luminance import Luminance, luminance_of
from operators.dicom.regions import Mask, regions_of
from operators.dicom.study import Instance
from operators.dicom.tissue_mask import TissueEvidence, tissue_mask
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


def read_clip(instance: Instance) -> Clip:
    """Decode one still or cine.

    Raises:
        Refusal: pixels that cannot be decoded, or hold no grey tissue.
    """
    check_instance_kind(instance)
    shape = (instance.frame_count, instance.rows, instance.columns)
    frames, evidence, maximum = np.empty(shape, np.float32), TissueEvidence(shape[1:]), 0.0
    for index, (words, luminance) in enumerate(_frames_of(instance, whole_dataset(instance))):
        frames[index], maximum = luminance.grey(words), luminance.maximum
        evidence.add(frames[index], luminance.coloured(words))
    return Clip(frames, _tissue(instance, evidence, maximum), maximum)


def clip_pixels(instance: Instance, dataset: Dataset, denoised: npt.NDArray[np.float32], strength: float) -> NewPixels:
    """The pixel data of a clip after ``strength`` percent of the change to ``denoised``, in its tissue only."""
    evidence, maximum = TissueEvidence((instance.rows, instance.columns)), 0.0
    for words, luminance in _frames_of(instance, dataset):
        evidence.add(luminance.grey(words), luminance.coloured(words))
        maximum, photometric = luminance.maximum, luminance.photometric
    tissue = _tissue(instance, evidence, maximum)
    data = bytearray()
    for index, (words, luminance) in enumerate(_frames_of(instance, dataset)):
        change = strength / 100 * (denoised[index].astype(np.float64) - luminance.grey(words))
        new = luminance.moved(words, np.where(tissue, change, 0.0))
        data += _packed(np.where(tissue if words.ndim == 2 else tissue[..., None], new, words), dataset)
    kept = text(dataset, "PhotometricInterpretation") if _is_native(dataset) else photometric
    return NewPixels(bytes(data), kept, _planar(dataset))


def _frames_of(instance: Instance, dataset: Dataset) -> Iterator[tuple[Words, Luminance]]:
    """Each frame's words and their meaning; JPEG colour becomes RGB, in which it is shown and can be written."""
    for words, photometric in decoded_frames(dataset, range(instance.frame_count)):
        if photometric.startswith("YBR") and transfer_syntax(dataset) in SUBSAMPLING_SYNTAXES:
            words, photometric = convert_color_space(words, photometric, "RGB"), "RGB"
        yield words, luminance_of(instance.header, photometric)


def _tissue(instance: Instance, evidence: TissueEvidence, maximum: float) -> Mask:
    regions = regions_of(instance.header, instance.rows, instance.columns)
    return tissue_mask(evidence, regions, maximum)


def _is_native(dataset: Dataset) -> bool:
    return not transfer_syntax(dataset).is_encapsulated


def _planar(dataset: Dataset) -> int | None:
    if (integer(dataset, "SamplesPerPixel") or 1) == 1:
        return None
    return integer(dataset, "PlanarConfiguration") or 0 if _is_native(dataset) else 0


def _packed(words: Words, dataset: Dataset) -> bytes:
    """The bytes of one frame in the source's arrangement of samples."""
    if words.ndim == 2:
        return little_endian(words)
    if _is_native(dataset) and text(dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        pairs = words.reshape(-1, 2, 3)  # two pixels share the chroma of the first
        return little_endian(np.concatenate([pairs[:, :, 0], pairs[:, 0, 1:]], axis=1))
    return little_endian(np.moveaxis(words, -1, 0) if _planar(dataset) == 1 else words)
