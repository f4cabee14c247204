"""Turn a dataset, as it was read, into one to be written as Explicit VR Little Endian."""

import warnings

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from operators.dicom.errors import UnusableValueError
from operators.dicom.values import PARSE_ERRORS

WORD_BYTES = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}  # streams of words that pydicom keeps in file order
NO_DATASET_GROUPS = frozenset({0x0000, 0x0002, 0xFFFE})  # commands, file meta information, stray delimiters


def to_explicit_little_endian(dataset: Dataset) -> None:
    """Set the transfer syntax, swap words of a big endian source, drop what belongs to no dataset.

    Raises:
        UnusableValueError: an attribute that cannot be written in another encoding than the source's.
    """
    for tag in [tag for tag in dataset.keys() if tag.element == 0 or tag.group in NO_DATASET_GROUPS]:  # noqa: SIM118
        del dataset[tag]
    implicit, little = dataset.original_encoding
    if implicit or little is False:
        _read_all(dataset, swap=little is False)
    if little is False:
        dataset.set_original_encoding(False, True, dataset.original_character_set)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def _read_all(dataset: Dataset, *, swap: bool) -> None:
    """Take every value out of its source encoding, with the words of big endian streams swapped."""
    for tag in sorted(dataset.keys()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                element = dataset[tag]
        except PARSE_ERRORS as error:
            raise UnusableValueError(str(tag)) from error
        if element.VR == "SQ":
            for item in element.value:
                _read_all(item, swap=swap)
        elif swap and (size := WORD_BYTES.get(element.VR)) and isinstance(element.value, bytes):
            element.value = np.frombuffer(element.value, f">u{size}").astype(f"<u{size}").tobytes()


def little_endian(words: npt.NDArray[np.integer]) -> bytes:
    """The bytes of an array, least significant byte first."""
    return words.astype(words.dtype.newbyteorder("<")).tobytes()
