"""Whether two files with one SOP Instance UID hold the same object, perhaps in another transfer syntax."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from operators.dicom.decoding import decoded_frames
from operators.dicom.endian import swap_words
from operators.dicom.errors import Refusal
from operators.dicom.files import UnreadableError, read_dataset
from operators.dicom.values import PARSE_ERRORS, integer


def same_object(first: Path, second: Path) -> bool:
    """Whether the bytes are equal, or else the attributes and the decoded pixels."""
    if first.stat().st_size == second.stat().st_size and first.read_bytes() == second.read_bytes():
        return True
    try:
        one, other = _header(first), _header(second)
        return bool(one == other) and _same_pixels(first, second)
    except (Refusal, UnreadableError, *PARSE_ERRORS):
        return False


def _header(path: Path) -> Dataset:
    """The header with its words in one byte order."""
    header = read_dataset(path, header_only=True)
    if header.original_encoding[1] is False:
        swap_words(header)
    return header


def _same_pixels(first: Path, second: Path) -> bool:
    one, other = (read_dataset(path, header_only=False) for path in (first, second))
    frames = range(_frames(one))
    pairs = zip(decoded_frames(one, frames), decoded_frames(other, frames), strict=True)
    return all(mine[1] == theirs[1] and np.array_equal(mine[0], theirs[0]) for mine, theirs in pairs)


def _frames(dataset: Dataset) -> int:
    return integer(dataset, "NumberOfFrames") or 1
