"""The size that a compressed frame announces in its own codestream, read without decoding it.

A decoder allocates what the codestream asks for; a frame that asks for more than the header says is
damaged or hostile, and is known here before that.
"""

import struct

JPEG_START = b"\xff\xd8"
JPEG_2000_START = b"\xff\x4f\xff\x51"
SIZE_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 and SOF55 (JPEG-LS)
BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9), 0xFF})  # without a length; 0xFF fills up


def announced_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns in the codestream of a JPEG, JPEG-LS or JPEG 2000 frame, None where there are none."""
    if frame[:4] == JPEG_2000_START and len(frame) >= 24:
        right, bottom, left, top = struct.unpack(">4I", frame[8:24])
        return bottom - top, right - left
    if frame[:2] == JPEG_START:
        return _jpeg_size(frame)
    return None


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        if marker in SIZE_MARKERS:
            rows, columns = struct.unpack(">HH", frame[place + 5 : place + 9])
            return rows, columns
        bare = marker in BARE_MARKERS
        place += (1 if marker == 0xFF else 2) if bare else 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
    return None
