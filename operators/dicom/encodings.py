"""The encoding that a file really has, where its file meta information names another.

Implicit data labelled explicit, little endian labelled big, plain labelled deflated, uncompressed pixels labelled
compressed, and the reverse of each: what can be read is read, and the dataset says what was found.
"""

import struct
from pathlib import Path
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from operators.dicom.codestream import syntax_of

PIXEL_DATA = 0x7FE00010
ITEM = b"\xfe\xff\x00\xe0"  # the tag that begins encapsulated pixel data
FIRST_GROUPS = frozenset({0x0008, 0x0010})  # with which a data set begins
NATIVE = {  # by implicit and little endian
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}


def syntax_at_start(start: bytes) -> UID | None:
    """Return the uncompressed transfer syntax that the first bytes of a data set show, None where they show none."""
    if len(start) < 6:
        return None
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    little, big = struct.unpack("<H", start[:2])[0], struct.unpack(">H", start[:2])[0]
    if little in FIRST_GROUPS:
        return ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian
    return ExplicitVRBigEndian if big in FIRST_GROUPS and explicit else None


def contradicts(named: UID, found: UID | None) -> bool:
    """Return whether data that begin as ``found`` cannot be read by the syntax that is named; pydicom sees to VRs."""
    if found is None or not named.is_transfer_syntax:
        return False
    return bool(named == DeflatedExplicitVRLittleEndian or named.is_little_endian != found.is_little_endian)


def read_as(path: Path, start: int, meta: FileMetaDataset, syntax: UID, *, header_only: bool) -> FileDataset:
    """Return the data set from byte ``start`` on, read by another syntax than its file meta information names."""
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    with path.open("rb") as file:
        file.seek(start)
        content = read_dataset(file, implicit, little, stop_when=_at_pixels if header_only else None)
    meta.TransferSyntaxUID = syntax
    dataset = FileDataset(path, content, file_meta=meta, is_implicit_VR=implicit, is_little_endian=little)
    dataset.set_original_encoding(implicit, little, content.original_character_set)
    return dataset


def say_what_was_found(dataset: FileDataset) -> None:
    """Set the encoding and the transfer syntax of a dataset just read to those of its elements and pixel data."""
    elements = (dataset.get_item(tag) for tag in dataset.keys())  # noqa: SIM118
    raw: Any = next((element for element in elements if isinstance(element, RawDataElement)), None)
    named = UID(dataset.file_meta.TransferSyntaxUID)
    if raw is not None and (found := (raw.is_implicit_VR, raw.is_little_endian)) != dataset.original_encoding:
        dataset.set_original_encoding(*found, dataset.original_character_set)
        if named in NATIVE.values():
            dataset.file_meta.TransferSyntaxUID = NATIVE[found]
    pixels = dataset.get_item(PIXEL_DATA) if PIXEL_DATA in dataset else None
    if isinstance(pixels, RawDataElement) and pixels.value and named.is_transfer_syntax:
        encapsulated = pixels.value[:4] == ITEM
        if named.is_encapsulated and not encapsulated:
            dataset.file_meta.TransferSyntaxUID = NATIVE[dataset.original_encoding]
        if encapsulated and not named.is_encapsulated:
            dataset.file_meta.TransferSyntaxUID = _syntax_of_frames(dataset, pixels.value) or named


def _syntax_of_frames(dataset: Dataset, pixels: bytes) -> UID | None:
    frame = next(generate_frames(pixels, number_of_frames=int(dataset.get("NumberOfFrames") or 1)), b"")
    return syntax_of(frame)


def _at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return bool(tag == PIXEL_DATA)
