"""The size that a compressed frame announces in its own codestream, read without decoding it.

A decoder allocates what the codestream asks for; a frame that asks for more than the header says is
damaged or hostile, and is known here before that.
"""

import struct

from pydicom.uid import JPEG2000, UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLSLossless

JPEG_START = b"\xff\xd8"
JPEG_2000_START = b"\xff\x4f\xff\x51"
JPEG_XL_START, JPEG_XL_BOX = b"\xff\x0a", b"JXL "
JPEG_XL_BITS = (9, 13, 18, 30)  # of a side less 1, by two bits before it
JPEG_XL_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # columns to rows
SIZE_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 and SOF55 (JPEG-LS)
SYNTAXES = {0xC0: JPEGBaseline8Bit, 0xC1: JPEGExtended12Bit, 0xC3: JPEGLossless, 0xF7: JPEGLSLossless}
END, FILL = b"\xff\xd9", b"\0 \xff"  # of JPEG, JPEG-LS and JPEG 2000; bytes that pad a frame behind it
TILE_PART = b"\xff\x90"  # SOT of JPEG 2000
BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9), 0xFF})  # without a length; 0xFF fills up


def announced_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns in the codestream of a JPEG, JPEG-LS, JPEG 2000 or JPEG XL frame, None without any."""
    if frame[:4] == JPEG_2000_START and len(frame) >= 24:
        right, bottom, left, top = struct.unpack(">4I", frame[8:24])
        return bottom - top, right - left
    if frame[:2] == JPEG_XL_START:
        return jpeg_xl_size(frame[2:])
    if frame[4:8] == JPEG_XL_BOX and (start := frame.find(JPEG_XL_START)) >= 0:
        return jpeg_xl_size(frame[start + 2 :])
    header = _jpeg_frame_header(frame)
    return None if header is None else header[1:]


def jpeg_xl_size(data: bytes) -> tuple[int, int]:
    """Return rows and columns of a JPEG XL codestream after its mark, ISO/IEC 18181-1 SizeHeader, least bit first."""
    bits, offset = int.from_bytes(data[:16], "little"), 0

    def take(count: int) -> int:
        nonlocal offset
        offset += count
        return (bits >> (offset - count)) & ((1 << count) - 1)

    def side(small: int) -> int:
        return 8 * (take(5) + 1) if small else take(JPEG_XL_BITS[take(2)]) + 1

    small = take(1)
    rows = side(small)
    ratio = take(3)
    return rows, rows * JPEG_XL_RATIOS[ratio - 1][0] // JPEG_XL_RATIOS[ratio - 1][1] if ratio else side(small)


def is_truncated(frame: bytes) -> bool:
    """Return whether the codestream of a JPEG, JPEG-LS or JPEG 2000 frame lacks its end, or bytes of a tile part.

    Decoders may forgive an end that is lacking.
    """
    jpeg_2000 = frame[:4] == JPEG_2000_START
    marked = jpeg_2000 or frame[:2] == JPEG_START
    return marked and (not frame.rstrip(FILL).endswith(END) or (jpeg_2000 and _tile_parts_end(frame) > len(frame)))


def _tile_parts_end(frame: bytes) -> int:
    """Return where the last tile part of a JPEG 2000 codestream ends, by the lengths in its markers."""
    offset = 2
    while frame[offset : offset + 1] == b"\xff" and frame[offset : offset + 2] not in {TILE_PART, END}:
        offset += 2 + int.from_bytes(frame[offset + 2 : offset + 4], "big")
    while frame[offset : offset + 2] == TILE_PART and (
        length := int.from_bytes(frame[offset + 6 : offset + 10], "big")
    ):
        offset += length
    return offset


def syntax_of(frame: bytes) -> UID | None:
    """Return a transfer syntax whose decoder reads the codestream of a frame, None where it is of no known kind."""
    if frame[:4] == JPEG_2000_START:
        return JPEG2000
    header = _jpeg_frame_header(frame)
    return None if header is None else SYNTAXES.get(header[0])


def _jpeg_frame_header(frame: bytes) -> tuple[int, int, int] | None:
    """Return marker, rows and columns of the frame header, None where there is none."""
    if frame[:2] != JPEG_START:
        return None
    offset = 2
    while offset + 9 <= len(frame) and frame[offset] == 0xFF:
        marker = frame[offset + 1]
        if marker in SIZE_MARKERS:
            rows, columns = struct.unpack(">HH", frame[offset + 5 : offset + 9])
            return marker, rows, columns
        bare = marker in BARE_MARKERS
        offset += (1 if marker == 0xFF else 2) if bare else 2 + int.from_bytes(frame[offset + 2 : offset + 4], "big")
    return None
