"""Diffusion weighting where makers keep it: in private elements, when the standard's DiffusionBValue is absent."""

import math
import struct

from pydicom.dataset import Dataset

from operators.dicom.errors import UnusableValueError
from operators.dicom.values import number, parsing

B_VALUE_ELEMENTS = (  # group, private creator, element
    (0x0019, "SIEMENS MR HEADER", 0x0C),
    (0x0043, "GEMS_PARM_01", 0x39),
    (0x2001, "Philips Imaging DD 001", 0x03),
)
GE_OFFSET = 100_000  # s/mm2: GE adds multiples of 10^9 to mark images of several directions


def b_value(header: Dataset) -> float | None:
    """Return the b-value of a frame in s/mm2, None where neither DiffusionBValue nor a private element gives it."""
    standard = number(header, "DiffusionBValue")
    if standard is not None:
        return standard
    for group, creator, element in B_VALUE_ELEMENTS:
        value = _private_number(header, group, creator, element)
        if value is not None and math.isfinite(value):
            return value % GE_OFFSET
    return None


def _private_number(header: Dataset, group: int, creator: str, element: int) -> float | None:
    """Return the first number of a private element, None where it is absent or unreadable."""
    try:
        with parsing(UnusableValueError(creator)):
            return _first_number(header.private_block(group, creator)[element].value)
    except UnusableValueError:
        return None


def _first_number(value: object) -> float:
    """Return the first number in a value; bytes hold digits or, where the VR was unknown, a binary float."""
    if isinstance(value, bytes):
        text = value.strip(b"\0 ")
        if len(value) == 4 and not text.replace(b".", b"").isdigit():
            return float(struct.unpack("<f", value)[0])
        value = text.decode("ascii").split("\\")
    if isinstance(value, str):
        value = value.split("\\")
    first = value[0] if isinstance(value, list) or hasattr(value, "__getitem__") else value
    return float(first)  # type: ignore[arg-type]
