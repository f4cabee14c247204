"""Ultrasound stills and cines: grey frames and tissue mask in, pixel data out.

Only the luminance of tissue pixels changes; chroma and every pixel outside the tissue stay bit-identical
to the decoded source. What was stored without loss keeps its pixel format; what was JPEG compressed is
written uncompressed as it was decoded.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from operators.dicom.decoding import Words, decoded_frames
from operators.dicom.endian import little_endian
from operators.dicom.errors import ImageKindError
from operators.dicom.files import transfer_syntax
from operators.dicom.frames import whole_dataset
from operators.dicom.kinds import check_instance_kind
from operators.dicom.luminance import Luminance, luminance_of
from operators.dicom.reading import Instance, Series
from operators.dicom.regions import Mask, regions_of
from operators.dicom.tissue import tissue_mask
from operators.dicom.values import integer, text


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


def clips_of(series: Series) -> tuple[Instance, ...]:
    """The instances of an ultrasound series, each one clip.

    Raises:
        Refusal: the series is refused as a whole.
    """
    series.check()
    for instance in series.instances:
        check_instance_kind(instance)
    return series.instances


def read_clip(instance: Instance) -> Clip:
    """Decode one still or cine.

    Raises:
        Refusal: pixels that cannot be decoded, or hold no grey tissue.
    """
    shape = (instance.frame_count, instance.rows, instance.columns)
    frames, coloured = np.empty(shape, np.float32), np.zeros(shape[1:], bool)
    maximum = 0.0
    dataset = whole_dataset(instance)
    for index, (words, photometric) in enumerate(decoded_frames(dataset, range(instance.frame_count))):
        luminance = luminance_of(instance.header, photometric)
        frames[index] = luminance.grey(words)
        coloured |= luminance.coloured(words)
        maximum = luminance.maximum
    regions = regions_of(instance.header, instance.rows, instance.columns)
    return Clip(frames, tissue_mask(frames, coloured, regions, maximum), maximum)


def clip_pixels(
    instance: Instance, dataset: Dataset, denoised: npt.NDArray[np.float32], tissue: Mask, strength: float
) -> NewPixels:
    """The pixel data of a clip after ``strength`` percent of the change to ``denoised``, within ``tissue`` only."""
    data, luminance = bytearray(), None
    for index, (words, photometric) in enumerate(decoded_frames(dataset, range(instance.frame_count))):
        luminance = luminance or luminance_of(instance.header, photometric)
        change = strength / 100 * (denoised[index].astype(np.float64) - luminance.grey(words))
        new = luminance.moved(words, np.where(tissue, change, 0.0))
        mask = tissue if words.ndim == 2 else tissue[..., None]
        data += _packed(np.where(mask, new, words), dataset)
    if luminance is None:
        raise ImageKindError("an ultrasound clip without frames", "there is nothing to denoise")
    return NewPixels(bytes(data), _photometric(dataset, luminance), _planar(dataset))


def _is_native(dataset: Dataset) -> bool:
    return not transfer_syntax(dataset).is_encapsulated


def _is_native_422(dataset: Dataset) -> bool:
    return _is_native(dataset) and text(dataset, "PhotometricInterpretation") == "YBR_FULL_422"


def _photometric(dataset: Dataset, luminance: Luminance) -> str:
    return "YBR_FULL_422" if _is_native_422(dataset) else luminance.photometric


def _planar(dataset: Dataset) -> int | None:
    if (integer(dataset, "SamplesPerPixel") or 1) == 1:
        return None
    return integer(dataset, "PlanarConfiguration") or 0 if _is_native(dataset) else 0


def _packed(words: Words, dataset: Dataset) -> bytes:
    """The bytes of one frame in the source's arrangement of samples."""
    if words.ndim == 2:
        return little_endian(words)
    if _is_native_422(dataset):
        pairs = words.reshape(-1, 2, 3)  # two pixels share the chroma of the first
        return little_endian(np.concatenate([pairs[:, :, 0], pairs[:, 0, 1:]], axis=1))
    return little_endian(np.moveaxis(words, -1, 0) if _planar(dataset) == 1 else words)
