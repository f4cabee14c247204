"""A small CT series for the conformance test, written with nothing but Python's standard library.

Explicit little endian, 16 bits, slices 2 mm apart; noise of equal strength everywhere. The patient has a name that
must never be heard.
"""

import random
import struct
from pathlib import Path

CANARY = "CANARYBIRD"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
LONG = ("OB", "OW")


def element(tag: int, vr: str, value: str | bytes | int) -> bytes:
    """One data element."""
    number = struct.pack("<H", value) if isinstance(value, int) else b""
    raw = number or (value if isinstance(value, bytes) else str(value).encode())
    raw += (b"\0" if vr == "UI" or vr in LONG else b" ") * (len(raw) % 2)
    size = struct.pack("<HI", 0, len(raw)) if vr in LONG else struct.pack("<H", len(raw))
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + size + raw


def instance(index: int, size: int, source: random.Random) -> bytes:
    """One slice as a file."""
    uid = f"1.2.826.0.1.3680043.9.1.{index + 1}"
    pixels = bytearray(2 * size * size)
    pixels[0::2] = source.randbytes(size * size)
    pixels[1::2] = bytes([4]) * (size * size)
    meta = (
        element(0x00020001, "OB", b"\0\1")
        + element(0x00020002, "UI", CT_IMAGE)
        + element(0x00020003, "UI", uid)
        + element(0x00020010, "UI", EXPLICIT_LITTLE_ENDIAN)
        + element(0x00020012, "UI", "1.2.826.0.1.3680043.9.9")
    )
    group = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    rows: list[tuple[int, str, str | bytes | int]] = [
        (0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"), (0x00080016, "UI", CT_IMAGE), (0x00080018, "UI", uid),
        (0x00080020, "DA", "20240102"), (0x00080030, "TM", "090000"), (0x00080050, "SH", CANARY),
        (0x00080060, "CS", "CT"), (0x00080070, "LO", "Maker"), (0x00080090, "PN", CANARY),
        (0x0008103E, "LO", CANARY), (0x00100010, "PN", CANARY), (0x00100020, "LO", CANARY),
        (0x00100030, "DA", "19010101"), (0x00100040, "CS", "O"), (0x00180050, "DS", "2"), (0x00180060, "DS", "120"),
        (0x0020000D, "UI", "1.2.826.0.1.3680043.9.2"), (0x0020000E, "UI", "1.2.826.0.1.3680043.9.3"),
        (0x00200010, "SH", CANARY), (0x00200011, "IS", "1"), (0x00200013, "IS", str(index + 1)),
        (0x00200032, "DS", f"0\\0\\{2 * index}"), (0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
        (0x00200052, "UI", "1.2.826.0.1.3680043.9.4"), (0x00280002, "US", 1), (0x00280004, "CS", "MONOCHROME2"),
        (0x00280010, "US", size), (0x00280011, "US", size), (0x00280030, "DS", "1\\1"), (0x00280100, "US", 16),
        (0x00280101, "US", 12), (0x00280102, "US", 11), (0x00280103, "US", 0), (0x00281052, "DS", "-1024"),
        (0x00281053, "DS", "1"), (0x7FE00010, "OW", bytes(pixels)),
    ]  # fmt: skip
    return b"\0" * 128 + b"DICM" + group + meta + b"".join(element(*row) for row in rows)


def write_study(folder: Path, slices: int = 8, size: int = 24) -> Path:
    """Write the series into ``folder`` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(0)
    for index in range(slices):
        (folder / f"{index}.dcm").write_bytes(instance(index, size, source))
    return folder
