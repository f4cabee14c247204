"""Find the attributes of a header that cannot be written again, before anything is fitted.

One that is private or of type 3 is left out of the derived object; one of type 1 or 2 refuses the series. Types are
those of PS3.3, as highdicom carries them.
"""

from collections.abc import Hashable, Iterable
from copy import deepcopy
from functools import cache

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID
from pydicom.valuerep import AMBIGUOUS_VR, STANDARD_VR

from operators.dicom.encodings import PIXEL_DATA
from operators.dicom.endian import NO_DATASET_GROUPS, swap_words
from operators.dicom.errors import UnwritableError, named
from operators.dicom.multiframe import FRAME_TYPES
from operators.dicom.uid_names import (
    CT_FOR_PROCESSING,
    ENHANCED_CT_FOR_PROCESSING,
    LEGACY_CONVERTED_CT_FOR_PROCESSING,
)
from operators.dicom.values import items, readable, text

OPTIONAL = "3"
# By which other elements are encoded; they go along with whatever is written.
CONTEXT = (Tag("SpecificCharacterSet"), Tag("PixelRepresentation"), Tag("BitsAllocated"), Tag("SamplesPerPixel"))
# What the writer reads of a source beyond the attributes that its pixels and its place are read from.
READ_AS_TEXT = ("ImageType", "SeriesDescription", "SeriesNumber", "DerivationDescription", "LossyImageCompression")
READ_AS_ITEMS = (
    "ContributingEquipmentSequence",
    "DerivationCodeSequence",
    "SourceImageEvidenceSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
NOT_IN_TABLES = {  # classes newer than the tables, by their definition; of the others the retired ones of ultrasound
    CT_FOR_PROCESSING: "ct-image",
    ENHANCED_CT_FOR_PROCESSING: "enhanced-ct-image",
    LEGACY_CONVERTED_CT_FOR_PROCESSING: "legacy-converted-enhanced-ct-image",
}
US_IMAGE = "ultrasound-image"

Written = set[Hashable]  # elements known to be writable, since the slices of a series share most of theirs


def drop_unwritable(header: Dataset, written: Written) -> tuple[BaseTag, ...]:
    """Take out of a header the attributes that cannot be written again, and return their tags.

    Args:
        header: changed in place.
        written: elements of the same series that need not be tried again; added to.

    Raises:
        UnwritableError: one of them is of type 1 or 2.
    """
    tags = _unwritable(header, header.keys(), written)
    if any(keyword_for_tag(tag) for tag in tags):
        required = required_keywords(text(header, "SOPClassUID"))
        if names := [named(tag) for tag in tags if keyword_for_tag(tag) in required]:
            raise UnwritableError(names)
    for tag in tags:
        del header[tag]
    return tags


def drop_unwritable_after_pixels(dataset: Dataset, header: Dataset) -> None:
    """Take out what follows the pixel data and cannot be written; it is private or optional, and no header shows it."""
    following = [tag for tag in dataset.keys() if tag != PIXEL_DATA and tag not in header]  # noqa: SIM118
    for tag in _unwritable(dataset, following, set()):
        del dataset[tag]


def _unwritable(header: Dataset, tags: Iterable[BaseTag], written: Written) -> tuple[BaseTag, ...]:
    """Return those tags that cannot be written as Explicit VR Little Endian, or not be read for it."""
    marks = {tag: _mark(header, tag) for tag in tags if _is_data(tag)}
    fresh = [tag for tag, mark in marks.items() if mark is None or mark not in written]
    unread = [tag for tag in fresh if not (_is_known(header, tag) and _is_read(header, keyword_for_tag(tag)))]
    if not unread and _can_be_written(header, fresh):
        written.update(mark for mark in marks.values() if mark is not None)
        return ()
    return tuple(tag for tag in fresh if tag in unread or not _can_be_written(header, [tag]))


def _is_data(tag: BaseTag) -> bool:
    return tag.element != 0 and tag.group not in NO_DATASET_GROUPS


def _mark(header: Dataset, tag: BaseTag) -> Hashable:
    """Return what identifies an element, None for one that was parsed already."""
    if not readable(lambda: header.get_item(tag)):
        return None
    element = header.get_item(tag)
    return (tag, element.VR, element.value) if isinstance(element, RawDataElement) else None


def _is_known(header: Dataset, tag: BaseTag) -> bool:
    """Return whether an element has a value representation of the standard, or leaves it to the dictionary."""
    return readable(lambda: header.get_item(tag)) and header.get_item(tag).VR in {None, *STANDARD_VR, *AMBIGUOUS_VR}


def _is_read(header: Dataset, keyword: str) -> bool:
    if keyword in READ_AS_TEXT:
        return readable(lambda: text(header, keyword))
    return keyword not in READ_AS_ITEMS or readable(
        lambda: [items(item, nested) for item in items(header, keyword) for nested in FRAME_TYPES]
    )


def _can_be_written(header: Dataset, tags: Iterable[BaseTag]) -> bool:
    implicit, little = header.original_encoding[0], header.original_encoding[1] is not False
    target = DicomBytesIO()
    target.is_implicit_VR, target.is_little_endian = False, True

    def write() -> None:
        some = Dataset()
        for tag in {*tags, *(tag for tag in CONTEXT if tag in header and _parses(header, tag))}:
            some[tag] = header.get_item(tag)
        some.set_original_encoding(implicit, little, header.original_character_set)
        if not little:
            some = deepcopy(some)  # words are swapped in place
            swap_words(some)
        write_dataset(target, some)

    return readable(write)


def _parses(header: Dataset, tag: BaseTag) -> bool:
    return readable(lambda: header[tag])


def definition_of(sop_class: str) -> str:
    """Return the key of the information object definition of a class that is denoised."""
    return str(get_sop_class_iod_map().get(sop_class) or NOT_IN_TABLES.get(UID(sop_class), US_IMAGE))


@cache
def required_keywords(sop_class: str) -> frozenset[str]:
    """Return the attributes of type 1 or 2, conditional or not, in the top level of a storage class."""
    attributes = get_module_attribute_map()
    modules = get_iod_module_map()[definition_of(sop_class)]
    required = frozenset(
        attribute["keyword"]
        for module in modules
        for attribute in attributes[module["key"]]
        if not attribute["path"] and attribute["type"] != OPTIONAL
    )
    get_module_attribute_map.cache_clear()  # a hundred megabytes, needed only where a header is broken
    return required
