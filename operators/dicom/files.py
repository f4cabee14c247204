"""Which files of an input are DICOM, and their headers; the only place that opens an input file.

Everything a file can do wrong here ends as ``Unreadable`` with a reason that holds no name and no content.
"""

import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from operators.dicom.values import PARSE_ERRORS

# What hosts and media lay beside the images, and what is read elsewhere; passed over without a word.
NEIGHBOUR_SUFFIXES = (".dcm.json", ".tags", ".error", ".lock", ".nii", ".nii.gz")
NEIGHBOUR_NAMES = frozenset({"DICOMDIR", "task.json"})

PREAMBLE = 128  # bytes before the DICM mark, PS3.10 7.1
INFLATED_LIMIT = 2**30  # bytes a deflated object may unfold to; more is a bomb
READ_CHUNK = 2**20  # bytes inflated at a time
DIRECTORY = "a DICOM directory, which names images and holds none; give the folder that it describes"
FILE_ERRORS = (*PARSE_ERRORS, InvalidDicomError, MemoryError, zlib.error)


class UnreadableError(ValueError):
    """The file is no DICOM object that can be used; the message tells why and names no file."""


def input_files(path: Path) -> Iterator[Path]:
    """Every file of a folder of any depth, or the one file, save hosts' neighbours and links that lead outside."""
    if not path.is_dir():
        yield path
        return
    root = path.resolve()
    for folder, folders, names in os.walk(path, followlinks=False):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if name in NEIGHBOUR_NAMES or name.endswith(NEIGHBOUR_SUFFIXES):
                continue
            if file.is_file() and file.resolve().is_relative_to(root):
                yield file


def _starts_like_dicom(start: bytes) -> bool:
    """Whether bytes without the DICM mark begin with a plausible first element: group 2 or 8, in either order."""
    if len(start) < 8:
        return False
    little, big = struct.unpack("<HH", start[:4]), struct.unpack(">HH", start[:4])
    return any(group in {0x0002, 0x0008} and element <= 0x0100 for group, element in (little, big))


def _has_mark(path: Path) -> bool:
    """Whether the DICM mark is there; without it the file must at least begin like DICOM."""
    with path.open("rb") as file:
        start = file.read(PREAMBLE + 4)
    if not start:
        raise UnreadableError("an empty file")
    marked = start[PREAMBLE:] == b"DICM"
    if not marked and not _starts_like_dicom(start):
        raise UnreadableError("not a DICOM file")
    return marked


def _check_inflated_size(path: Path) -> None:
    """Unfold a deflated file in small pieces, so that a bomb is known before it fills the memory."""
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as file:
        file.seek(PREAMBLE + 4 + 12 + int(meta.FileMetaInformationGroupLength))
        while not inflater.eof and (chunk := inflater.unconsumed_tail or file.read(READ_CHUNK)):
            size += len(inflater.decompress(chunk, READ_CHUNK))
            if size > INFLATED_LIMIT:
                raise UnreadableError(f"deflated to hide more than {INFLATED_LIMIT} bytes")


def _with_syntax(dataset: Dataset) -> Dataset:
    """The dataset with file meta information that names its transfer syntax, estimated where it is absent."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    named = dataset.file_meta.get("TransferSyntaxUID")
    if named and not isinstance(named, str):
        raise UnreadableError("a DICOM file that names several transfer syntaxes")
    if not named:
        implicit, little = dataset.original_encoding
        estimated = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = estimated
    return dataset


def transfer_syntax(dataset: Dataset) -> UID:
    """The transfer syntax of a dataset read here."""
    return UID(dataset.file_meta.TransferSyntaxUID)


def read_dataset(path: Path, *, header_only: bool) -> Dataset:
    """One file, whole or up to its pixel data.

    Raises:
        UnreadableError: no DICOM, empty, broken or a bomb.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _has_mark(path):
                _check_inflated_size(path)
            dataset = _with_syntax(dcmread(path, force=True, stop_before_pixels=header_only))
            if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
                raise UnreadableError(DIRECTORY)
            return dataset
    except UnreadableError:
        raise
    except FILE_ERRORS as error:
        raise UnreadableError(f"a damaged DICOM file ({type(error).__name__})") from error
