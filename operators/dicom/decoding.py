"""Decode the frames of one object to the stored samples, with nothing applied to them.

Uncompressed samples may carry dirty bits above BitsStored: ``unpacked`` gives the stored value,
``repacked`` puts a new value into the same sample and leaves the other bits as they were.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import expand_ybr422, get_expected_length
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from operators.dicom import jpeg_xl
from operators.dicom.codestream import announced_size, is_truncated
from operators.dicom.errors import ImageKindError, MissingAttributeError, UndecodableError
from operators.dicom.files import is_encapsulated, transfer_syntax
from operators.dicom.jpeg_xl import decoded_jpeg_xl
from operators.dicom.values import integer, parsing, required_integer, text

Samples = npt.NDArray[np.integer]
ALLOCATED_BITS = frozenset({8, 16, 32})
LOSSY_SYNTAXES = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless})  # never without loss
VIDEO_SYNTAX_ROOT = "1.2.840.10008.1.2.4.10"  # MPEG-2, MPEG-4 AVC/H.264 and HEVC/H.265: .100 to .108
UNSUPPORTED = "its compression has no decoder here; send it uncompressed or losslessly compressed"
VIDEO = "it is a video stream, which has no decoder here; send the clip as JPEG frames or uncompressed"
OTHER_SIZE = "a compressed frame is of another size than Rows and Columns say; send the object again from its source"
BROKEN = "the data are truncated or damaged; send the object again from its source"


def check_pixel_kind(header: Dataset) -> None:
    """Refuse pixels that are not integers of 8, 16 or 32 bits, and compressions without a decoder.

    Raises:
        Refusal: float, double or one-bit pixels, no decoder, a video stream.
    """
    need = "pixels cannot be decoded without it"
    allocated = required_integer(header, "BitsAllocated", need)
    stored = required_integer(header, "BitsStored", need)
    high = integer(header, "HighBit")
    if allocated not in ALLOCATED_BITS or not 1 < stored <= allocated:
        raise ImageKindError(f"an image of {stored} in {allocated} bits", "pixels of 8, 16 or 32 bits are needed")
    if high is not None and not stored - 1 <= high < allocated:
        raise ImageKindError("an image whose HighBit contradicts its BitsStored", "correct the header")
    syntax = transfer_syntax(header)
    if str(syntax).startswith(VIDEO_SYNTAX_ROOT):
        raise UndecodableError(syntax, VIDEO)
    if not has_decoder(syntax):
        raise UndecodableError(syntax, UNSUPPORTED)


def has_decoder(syntax: UID) -> bool:
    """Return whether pixels in a transfer syntax can be decoded here."""
    if syntax in jpeg_xl.SYNTAXES:
        return jpeg_xl.is_available()
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def is_lossy(header: Dataset) -> bool:
    """Return whether the pixels were ever compressed with loss, as far as the header says."""
    return text(header, "LossyImageCompression") == "01" or transfer_syntax(header) in LOSSY_SYNTAXES


def decoded_frames(dataset: Dataset, frames: Sequence[int]) -> Iterator[tuple[Samples, str]]:
    """Yield the stored samples (rows, columns[, samples]) of the frames, in that order, and their photometric kind.

    Raises:
        Refusal: no pixel data, truncated or damaged ones, or no decoder for them.
    """
    check_frames(dataset)
    syntax = transfer_syntax(dataset)
    with parsing(UndecodableError(syntax, BROKEN)):
        if _is_native_422(dataset):
            yield from _frames_422(dataset, frames)
            return
        if syntax in jpeg_xl.SYNTAXES:
            yield from decoded_jpeg_xl(dataset, frames)
            return
        for samples, description in get_decoder(syntax).iter_array(dataset, indices=frames, raw=True):
            yield samples, str(description["photometric_interpretation"])


def check_frames(dataset: Dataset) -> None:
    """Let pixel data pass whose length, or whose codestreams by their marks, are those of the header's frames.

    Raises:
        Refusal: there are none, they break off, or they ask their decoder for another size.
    """
    if "PixelData" not in dataset:
        raise MissingAttributeError("PixelData", "there is nothing to denoise without it")
    broken = UndecodableError(transfer_syntax(dataset), BROKEN)
    with parsing(broken):
        if not is_encapsulated(dataset):
            if len(dataset.PixelData) < get_expected_length(dataset):
                raise broken
            return
        size, count = (int(dataset.Rows), int(dataset.Columns)), int(dataset.get("NumberOfFrames") or 1)
        for frame in generate_frames(dataset.PixelData, number_of_frames=count):
            count -= 1
            if announced_size(frame) not in {None, size}:
                raise UndecodableError(transfer_syntax(dataset), OTHER_SIZE)
            if is_truncated(frame):
                raise broken
        if count > 0:
            raise broken


def _is_native_422(dataset: Dataset) -> bool:
    return not is_encapsulated(dataset) and dataset.get("PhotometricInterpretation") == "YBR_FULL_422"


def _frames_422(dataset: Dataset, frames: Sequence[int]) -> Iterator[tuple[Samples, str]]:
    """Yield frames whose pixels share chroma in pairs, Y1 Y2 Cb Cr; pydicom misplaces all but the first."""
    shape = (int(dataset.Rows), int(dataset.Columns))
    size = shape[0] * shape[1] * 2
    for frame in frames:
        pairs = dataset.PixelData[frame * size : (frame + 1) * size]
        yield np.frombuffer(expand_ybr422(pairs, 8), np.uint8).reshape(*shape, 3), "YBR_FULL"


def stored_range(header: Dataset) -> tuple[int, int]:
    """Return the least and the greatest value that BitsStored and PixelRepresentation allow."""
    bits = required_integer(header, "BitsStored", "pixels cannot be decoded without it")
    signed = bool(integer(header, "PixelRepresentation"))
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def _shift(header: Dataset) -> int:
    high = integer(header, "HighBit")
    return 0 if high is None else high + 1 - required_integer(header, "BitsStored", "pixels need it")


def unpacked(samples: Samples, header: Dataset) -> npt.NDArray[np.int64]:
    """Return the stored values in the samples: shifted down to bit 0, freed of other bits, sign extended."""
    bits = required_integer(header, "BitsStored", "pixels cannot be decoded without it")
    values = (samples.astype(np.int64) >> _shift(header)) & (2**bits - 1)
    if integer(header, "PixelRepresentation"):
        values = np.where(values >= 2 ** (bits - 1), values - 2**bits, values)
    return np.asarray(values)


def repacked(samples: Samples, values: npt.NDArray[np.int64], header: Dataset) -> Samples:
    """Return the samples with new stored values in them; bits outside the stored ones stay."""
    bits = required_integer(header, "BitsStored", "pixels cannot be decoded without it")
    mask = np.int64((2**bits - 1) << _shift(header))
    mixed = (samples.astype(np.int64) & ~mask) | ((values << _shift(header)) & mask)
    return mixed.astype(samples.dtype)
