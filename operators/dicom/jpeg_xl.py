"""JPEG XL (PS3.5 A.4.12, Supplement 232), which pydicom does not decode yet: by imagecodecs, where it is installed."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame

from operators.dicom.uid_names import JPEG_XL, JPEG_XL_JPEG_RECOMPRESSION, JPEG_XL_LOSSLESS
from operators.dicom.values import integer, text

CODEC = "imagecodecs"
SYNTAXES = frozenset({JPEG_XL_LOSSLESS, JPEG_XL_JPEG_RECOMPRESSION, JPEG_XL})


def is_available() -> bool:
    """Return whether the decoder is installed."""
    return find_spec(CODEC) is not None


def decoded_jpeg_xl(dataset: Dataset, frames: Sequence[int]) -> Iterator[tuple[npt.NDArray[np.integer], str]]:
    """Yield the stored samples of frames, (rows, columns[, samples]), and their photometric kind; colour is RGB.

    Raises:
        ValueError: a frame is not what the header says.
    """
    codec = import_module(CODEC)
    photometric, samples = text(dataset, "PhotometricInterpretation"), integer(dataset, "SamplesPerPixel") or 1
    shape = (int(dataset.Rows), int(dataset.Columns), *([samples] if samples > 1 else []))
    signed = bool(integer(dataset, "PixelRepresentation"))
    for frame in frames:
        stream = get_frame(dataset.PixelData, frame, number_of_frames=integer(dataset, "NumberOfFrames") or 1)
        stored = codec.jpegxl_decode(stream)
        if stored.shape != shape or stored.dtype.kind != "u" or stored.dtype.itemsize * 8 != dataset.BitsAllocated:
            raise ValueError
        kind = np.dtype(f"i{stored.dtype.itemsize}" if signed else stored.dtype)
        yield stored.view(kind), "RGB" if samples > 1 else photometric
