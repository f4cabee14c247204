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
    """Return the value of an attribute, None where it is absent or empty.

    Raises:
        UnusableValueError: the bytes contradict the value representation.
    """
    with parsing(UnusableValueError(keyword)):
        element = dataset.get(keyword)
    return None if element is None or element == "" else element


def text(dataset: Dataset, keyword: str) -> str:
    """Return one string, empty where absent."""
    parsed = value(dataset, keyword)
    return "" if parsed is None else str(parsed).strip()


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return every value of a multi-valued string."""
    parsed = value(dataset, keyword)
    if parsed is None:
        return ()
    parts = list(parsed) if isinstance(parsed, Sequence) and not isinstance(parsed, str | bytes) else [parsed]
    return tuple(str(part).strip() for part in parts)


def numbers(dataset: Dataset, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
    """Return finite numbers, exactly ``count`` of them where it is given; None where absent."""
    parsed = value(dataset, keyword)
    if parsed is None:
        return None
    parts = list(parsed) if isinstance(parsed, Sequence) and not isinstance(parsed, str | bytes) else [parsed]
    try:
        result = tuple(float(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise UnusableValueError(keyword) from error
    if (count is not None and len(result) != count) or not all(abs(number) < float("inf") for number in result):
        raise UnusableValueError(keyword)
    return result


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return one finite number, None where absent."""
    parsed = numbers(dataset, keyword)
    return parsed[0] if parsed else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Return one whole number, None where absent."""
    parsed = number(dataset, keyword)
    return None if parsed is None else int(parsed)


def required_integer(dataset: Dataset, keyword: str, need: str) -> int:
    """Return one whole number that must be there; ``need`` says what for."""
    parsed = integer(dataset, keyword)
    if parsed is None:
        raise MissingAttributeError(keyword, need)
    return parsed


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, an empty list where it is absent."""
    parsed = value(dataset, keyword)
    if parsed is None:
        return []
    if not isinstance(parsed, Sequence) or not all(isinstance(item, Dataset) for item in parsed):
        raise UnusableValueError(keyword)
    return list(parsed)
