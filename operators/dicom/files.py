"""Which files of an input are DICOM, and their headers; the only place that opens an input file.

Everything a file can do wrong here ends as ``UnreadableError`` with a reason that holds no name and no content.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from operators.dicom import jpeg_xl
from operators.dicom.encodings import contradicts, read_as, say_what_was_found, syntax_at_start
from operators.dicom.errors import UnreadableError
from operators.dicom.values import parsing

# What hosts and media lay beside the images, and what is read elsewhere; passed over silently.
NEIGHBOUR_SUFFIXES = (".dcm.json", ".tags", ".error", ".lock", ".nii", ".nii.gz")
NEIGHBOUR_NAMES = frozenset({"DICOMDIR", "task.json"})

SOP_UIDS = {"SOPClassUID": "MediaStorageSOPClassUID", "SOPInstanceUID": "MediaStorageSOPInstanceUID"}
END_OF_FRAMES = b"\xfe\xff\xdd\xe0\0\0\0\0"  # the sequence delimitation item, which some archives cut off
PREAMBLE = 128  # bytes before the DICM mark, PS3.10 7.1
INFLATED_LIMIT = 2**30  # bytes a deflated object may unfold to; more is a bomb
READ_CHUNK = 2**20  # bytes inflated at a time
DIRECTORY = "a DICOM directory, which names images and holds none; give the folder that it describes"


def input_files(path: Path) -> Iterator[Path]:
    """Yield every file of a folder of any depth, or the one file, save hosts' neighbours and outside links."""
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
    """Return whether bytes without the DICM mark begin with a plausible element: group 2 or 8, in either order."""
    if len(start) < 8:
        return False
    little, big = struct.unpack("<HH", start[:4]), struct.unpack(">HH", start[:4])
    return any(group in {0x0002, 0x0008} and element <= 0x0100 for group, element in (little, big))


def _has_mark(path: Path) -> bool:
    """Return whether the DICM mark is there; without it the file must at least begin like DICOM."""
    with path.open("rb") as file:
        start = file.read(PREAMBLE + 4)
    if not start:
        raise UnreadableError("an empty file")
    marked = start[PREAMBLE:] == b"DICM"
    if not marked and not _starts_like_dicom(start):
        raise UnreadableError("not a DICOM file")
    return marked


def _check_inflated_size(path: Path, start: int) -> None:
    """Unfold a deflated file in small pieces, so that a bomb is known before it fills the memory."""
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as file:
        file.seek(start)
        while not inflater.eof and (chunk := inflater.unconsumed_tail or file.read(READ_CHUNK)):
            size += len(inflater.decompress(chunk, READ_CHUNK))
            if size > INFLATED_LIMIT:
                raise UnreadableError(f"deflated to hide more than {INFLATED_LIMIT} bytes")


def _read_marked(path: Path, header_only: bool) -> FileDataset | None:
    """Read a file that begins otherwise than its file meta information says; None where it does not."""
    meta = read_file_meta_info(path)
    named = meta.get("TransferSyntaxUID")
    if not isinstance(named, str) or not isinstance(length := meta.get("FileMetaInformationGroupLength"), int):
        return None
    start = PREAMBLE + 4 + 12 + length
    with path.open("rb") as file:
        file.seek(start)
        found = syntax_at_start(file.read(6))
    if found is not None and contradicts(UID(named), found):
        return read_as(path, start, meta, found, header_only=header_only)
    if named == DeflatedExplicitVRLittleEndian:
        _check_inflated_size(path, start)
    return None


def _complete(dataset: FileDataset) -> None:
    """Let a dataset name its transfer syntax and SOP UIDs, from its other half where one does not."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    named = dataset.file_meta.get("TransferSyntaxUID")
    if named and not isinstance(named, str):
        raise UnreadableError("a DICOM file that names several transfer syntaxes")
    if not named:
        implicit, little = dataset.original_encoding
        estimated = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = estimated
    say_what_was_found(dataset)
    for keyword, meta_keyword in SOP_UIDS.items():
        if meta_keyword in dataset.file_meta and not dataset.get(keyword):
            setattr(dataset, keyword, dataset.file_meta[meta_keyword].value)


def transfer_syntax(dataset: Dataset) -> UID:
    """Return the transfer syntax of a dataset read here."""
    return UID(dataset.file_meta.TransferSyntaxUID)


def is_encapsulated(dataset: Dataset) -> bool:
    """Return whether a dataset's transfer syntax compresses pixel data; an unknown one is taken not to."""
    syntax = transfer_syntax(dataset)
    return syntax in jpeg_xl.SYNTAXES or (syntax.is_transfer_syntax and syntax.is_encapsulated)


def read_dataset(path: Path, *, header_only: bool) -> Dataset:
    """Read one file, whole or up to its pixel data.

    Raises:
        UnreadableError: no DICOM, empty, broken or a bomb.
    """
    with parsing(UnreadableError("a damaged DICOM file")):
        dataset = _read_marked(path, header_only) if _has_mark(path) else None
        if dataset is None:
            dataset = dcmread(path, force=True, stop_before_pixels=header_only)
            if not header_only and not len(dataset):  # pydicom gives up where the file ends before a delimiter
                dataset = dcmread(BytesIO(path.read_bytes() + END_OF_FRAMES), force=True)
        _complete(dataset)
        if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            raise UnreadableError(DIRECTORY)
    return dataset
