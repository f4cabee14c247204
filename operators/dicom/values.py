"""Attribute values, checked where they enter: absent gives None or empty, unreadable raises a Refusal."""

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from operators.dicom.errors import MissingAttributeError, Refusal, UnreadableError, UnusableValueError

# What pydicom and its decoders raise where the bytes of a file contradict what they are said to be.
_PARSE_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    ArithmeticError,
    NotImplementedError,
    EOFError,
    RuntimeError,
    MemoryError,
    BytesLengthException,
    InvalidDicomError,
    OSError,
    struct.error,
    zlib.error,
)


@contextmanager
def parsing(otherwise: Exception) -> Iterator[None]:
    """Parse the bytes of a file within, without pydicom's warnings, which repeat values.

    Raises:
        Exception: ``otherwise`` where the bytes contradict what they are said to be; a reason given within passes.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (Refusal, UnreadableError):
        raise
    except _PARSE_ERRORS as error:
        raise otherwise from error


def readable(parse: Callable[[], object]) -> bool:
    """Return whether bytes can be parsed."""
    try:
        with parsing(UnreadableError()):
            parse()
    except (Refusal, UnreadableError):
        return False
    return True


def value(dataset: Dataset, keyword: str) -> Any:
    """The value of an attribute, None where it is absent or empty.

    Raises:
        UnusableValueError: the bytes contradict the value representation.
    """
    with parsing(UnusableValueError(keyword)):
        found = dataset.get(keyword)
    return None if found is None or found == "" else found


def text(dataset: Dataset, keyword: str) -> str:
    """One string, empty where absent."""
    found = value(dataset, keyword)
    return "" if found is None else str(found).strip()


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Every value of a multi-valued string."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    parts = list(found) if isinstance(found, Sequence) and not isinstance(found, str | bytes) else [found]
    return tuple(str(part).strip() for part in parts)


def numbers(dataset: Dataset, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
    """Finite numbers, exactly ``count`` of them where it is given; None where absent."""
    found = value(dataset, keyword)
    if found is None:
        return None
    parts = list(found) if isinstance(found, Sequence) and not isinstance(found, str | bytes) else [found]
    try:
        result = tuple(float(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise UnusableValueError(keyword) from error
    if (count is not None and len(result) != count) or not all(abs(number) < float("inf") for number in result):
        raise UnusableValueError(keyword)
    return result


def number(dataset: Dataset, keyword: str) -> float | None:
    """One finite number, None where absent."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """One whole number, None where absent."""
    found = number(dataset, keyword)
    return None if found is None else int(found)


def required_integer(dataset: Dataset, keyword: str, need: str) -> int:
    """One whole number that must be there; ``need`` tells in words what for."""
    found = integer(dataset, keyword)
    if found is None:
        raise MissingAttributeError(keyword, need)
    return found


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence, an empty list where it is absent."""
    found = value(dataset, keyword)
    if found is None:
        return []
    if not isinstance(found, Sequence) or not all(isinstance(item, Dataset) for item in found):
        raise UnusableValueError(keyword)
    return list(found)
