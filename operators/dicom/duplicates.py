"""Choose one of several files that hold one SOP instance: equal ones, perhaps in other transfer syntaxes, or damaged.

Copies in one transfer syntax must be equal in every attribute. Between transfer syntaxes, software rewrites a header;
there, geometry, scale and shape of the pixels must be equal, and the decoded pixels.
"""

import hashlib
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from pydicom.dataset import Dataset

from operators.dicom.decoding import decoded_frames
from operators.dicom.endian import little_endian, swap_words
from operators.dicom.errors import ConflictingDuplicatesError, Refusal, UnreadableError
from operators.dicom.files import is_encapsulated, read_dataset, transfer_syntax
from operators.dicom.study import Instance
from operators.dicom.values import readable, value

MEANING = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "BitsStored",
    "PixelRepresentation",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "Units",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "SequenceOfUltrasoundRegions",
)


def order_of_copies(instance: Instance) -> tuple[str, bool, str]:
    """Return a key that sorts instances by UID, and copies of one from uncompressed to compressed."""
    return instance.uid, is_encapsulated(instance.header), str(transfer_syntax(instance.header))


def single(copies: Sequence[Instance]) -> Instance:
    """Return the first copy, or the first whose pixels can be decoded.

    Raises:
        ConflictingDuplicatesError: two copies differ.
    """
    chosen, *others = copies
    pixels = b"" if not others else _pixels(chosen)
    for other in others:
        if _same_bytes(chosen.path, other.path):
            continue
        if not _same_header(chosen.header, other.header):
            raise ConflictingDuplicatesError(chosen.uid)
        others_pixels = _pixels(other)
        if pixels and others_pixels and pixels != others_pixels:
            raise ConflictingDuplicatesError(chosen.uid)
        if not pixels and others_pixels:
            chosen, pixels = other, others_pixels
    return chosen


def _same_bytes(first: Path, second: Path) -> bool:
    return first.stat().st_size == second.stat().st_size and first.read_bytes() == second.read_bytes()


def _same_header(first: Dataset, second: Dataset) -> bool:
    one, other = _little(first), _little(second)
    if transfer_syntax(first) == transfer_syntax(second):
        return readable(lambda: one == other) and bool(one == other)
    return all(value(one, keyword) == value(other, keyword) for keyword in MEANING)


def _little(header: Dataset) -> Dataset:
    """Return the header with its words in one byte order."""
    if header.original_encoding[1] is not False:
        return header
    swapped = deepcopy(header)
    readable(lambda: swap_words(swapped))
    return swapped


def _pixels(instance: Instance) -> bytes:
    """Return a digest of the decoded frames, empty where they cannot be decoded."""
    digest = hashlib.sha256()
    try:
        dataset = read_dataset(instance.path, header_only=False)
        for samples, photometric in decoded_frames(dataset, range(instance.frame_count)):
            digest.update(photometric.encode() + little_endian(samples))
    except (Refusal, UnreadableError):
        return b""
    return digest.digest()
