"""Turn a dataset, as it was read, into one to be written as Explicit VR Little Endian."""

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

WORD_BYTES = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}  # streams of words that pydicom keeps in file order
NO_DATASET_GROUPS = frozenset({0x0000, 0x0002, 0xFFFE})  # commands, file meta information, stray delimiters


def to_explicit_little_endian(dataset: Dataset) -> None:
    """Set the transfer syntax of a dataset without pixels, swap words of a big endian source, drop what is no data."""
    for tag in [tag for tag in dataset.keys() if tag.element == 0 or tag.group in NO_DATASET_GROUPS]:  # noqa: SIM118
        del dataset[tag]
    if dataset.original_encoding[1] is False:
        swap_words(dataset)
        dataset.set_original_encoding(False, True, dataset.original_character_set)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def swap_words(dataset: Dataset) -> None:
    """Swap the words of big endian streams; reading every value takes it out of the source's encoding."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                swap_words(item)
        elif (size := WORD_BYTES.get(element.VR)) and isinstance(element.value, bytes):
            element.value = np.frombuffer(element.value, f">u{size}").astype(f"<u{size}").tobytes()


def little_endian(words: npt.NDArray[np.integer]) -> bytes:
    """Return the bytes of an array, least significant byte first."""
    return words.astype(words.dtype.newbyteorder("<")).tobytes()
