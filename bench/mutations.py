"""Ways to break a file: bytes, lengths, tags, values and order, most of them where the header is."""

from collections.abc import Callable

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

Random = np.random.Generator
HEADER = 4096  # bytes in which most mutations happen
EXTREMES = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xfe\xff\xff\xff")
TAGS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\xe0\x7f\x10\x00", b"\x28\x00\x10\x00")
VRS = (b"SQ", b"UN", b"OW", b"DS", b"IS", b"US", b"FD", b"LO", b"UI", b"AT", b"OB", b"UL", b"PN", b"zz")
VALUES = (
    b"1e400",
    b"-0",
    b"nan ",
    b"\\\\\\\\",
    b"99999999999999999999",
    b"\xff\xfe\xfd\xfc",
    b"../../etc",
    b"0\x000\x00",
)
SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
SHORT_NUMBERS = (b"\x28\x00\x02\x01US\x02\x00", b"\x28\x00\x03\x01US\x02\x00", b"\x28\x00\x02\x01\x02\x00\x00\x00")


def _offset(data: bytes, rng: Random, size: int = 1) -> int:
    """Where to break: nine times of ten in the header, beyond the preamble."""
    end = min(len(data), HEADER) if rng.random() < 0.9 else len(data)
    return int(rng.integers(min(132, max(0, end - 1 - size)), max(1, end - size)))


def _over(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def flip(data: bytes, rng: Random) -> bytes:
    """Other bits in a few bytes."""
    for _ in range(int(rng.integers(1, 9))):
        offset = _offset(data, rng)
        data = _over(data, offset, bytes([data[offset] ^ (1 << int(rng.integers(8)))]))
    return data


def noise(data: bytes, rng: Random) -> bytes:
    """A stretch of random bytes."""
    length = int(rng.integers(1, 65))
    return _over(data, _offset(data, rng, length), rng.bytes(length))


def cut(data: bytes, rng: Random) -> bytes:
    """The file breaks off."""
    return data[: int(rng.integers(len(data)))]


def remove(data: bytes, rng: Random) -> bytes:
    """A stretch is missing."""
    offset = _offset(data, rng)
    return data[:offset] + data[offset + int(rng.integers(1, 200)) :]


def repeat(data: bytes, rng: Random) -> bytes:
    """A stretch stands twice, or a hundred times."""
    offset, length = _offset(data, rng), int(rng.integers(1, 200))
    return data[:offset] + data[offset : offset + length] * int(rng.choice([2, 100])) + data[offset + length :]


def extreme(data: bytes, rng: Random) -> bytes:
    """An extreme number where a length or a value may be."""
    size = int(rng.choice([2, 4]))
    return _over(data, _offset(data, rng, size), EXTREMES[int(rng.integers(len(EXTREMES)))][:size])


def tag(data: bytes, rng: Random) -> bytes:
    """A tag of sequences, pixel data or rows where another stood."""
    return _over(data, _offset(data, rng, 4), TAGS[int(rng.integers(len(TAGS)))])


def kind(data: bytes, rng: Random) -> bytes:
    """Another value representation."""
    offsets = [offset for vr in VRS[:-1] if (offset := data.find(vr, _offset(data, rng, 2))) >= 0]
    offset = offsets[int(rng.integers(len(offsets)))] if offsets else _offset(data, rng, 2)
    return _over(data, offset, VRS[int(rng.integers(len(VRS)))])


def value(data: bytes, rng: Random) -> bytes:
    """Text that no value should hold."""
    new = VALUES[int(rng.integers(len(VALUES)))]
    return _over(data, _offset(data, rng, len(new)), new)


def nest(data: bytes, rng: Random) -> bytes:
    """A sequence within a sequence, a thousand times."""
    offset = _offset(data, rng)
    item = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return data[:offset] + item * 1000 + data[offset:]


def pixels(data: bytes, rng: Random) -> bytes:
    """Random bytes somewhere in the last part, where pixels or codestreams are."""
    for _ in range(int(rng.integers(1, 20))):
        offset = int(rng.integers(len(data) // 2, len(data)))
        data = _over(data, offset, rng.bytes(1))
    return data


def relabel(data: bytes, rng: Random) -> bytes:
    """Another transfer syntax in the file meta information than the data set is written in; lengths stay right."""
    place = data.find(b"\x02\x00\x10\x00UI")
    if place < 0:
        return data
    length = int.from_bytes(data[place + 6 : place + 8], "little")
    new = str(SYNTAXES[int(rng.integers(len(SYNTAXES)))]).encode()
    new += b"\0" * (len(new) % 2)
    data = data[: place + 6] + len(new).to_bytes(2, "little") + new + data[place + 8 + length :]
    group = data.find(b"\x02\x00\x00\x00UL\x04\x00")
    if group < 0:
        return data
    total = int.from_bytes(data[group + 8 : group + 12], "little") + len(new) - length
    return _over(data, group + 8, max(total, 0).to_bytes(4, "little"))


def shorten(data: bytes, rng: Random) -> bytes:
    """A number that is a byte too short for its value representation, in either explicit order or implicit."""
    place = data.find(SHORT_NUMBERS[int(rng.integers(len(SHORT_NUMBERS)))], _offset(data, rng, 8))
    if place < 0:
        return data
    end = place + 8
    return data[: end - 4] + data[end - 4 : end].replace(b"\x02", b"\x01", 1) + data[end : end + 1] + data[end + 2 :]


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    flip, noise, cut, remove, repeat, extreme, tag, kind, value, nest, pixels, relabel, shorten,
)  # fmt: skip


def mutated(data: bytes, rng: Random) -> bytes:
    """The file after one to three mutations."""
    for _ in range(int(rng.integers(1, 4))):
        if len(data) > 2:
            data = MUTATIONS[int(rng.integers(len(MUTATIONS)))](data, rng)
    return data
