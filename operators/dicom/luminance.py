"""The grey level of ultrasound pixels in every photometric interpretation, and the way back.

Only the luminance of a pixel is replaced; its chroma is kept, or follows a tinted grey map. No change gives the same
stored samples back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from operators.dicom.decoding import Words, repacked, stored_range, unpacked
from operators.dicom.errors import ImageKindError, UnusableValueError
from operators.dicom.tint import Colours, Grey, Tint
from operators.dicom.values import numbers, parsing, text

Mask = npt.NDArray[np.bool_]

WEIGHTS = np.array([0.299, 0.587, 0.114])  # of red, green and blue in luminance, ITU-R BT.601, as in YBR_FULL
COLOUR_TOLERANCE = 12 / 255  # of full scale, between the components of a pixel that still counts as grey (JPEG noise)


@dataclass(frozen=True, eq=False)
class Luminance:
    """How the words of one object are turned to grey, and a change of grey into words."""

    maximum: float  # the largest storable grey
    photometric: str  # of the decoded words
    grey: Callable[[Words], Grey]
    coloured: Callable[[Words], Mask]
    moved: Callable[[Words, npt.NDArray[np.float64]], Words]  # words and change of grey
    colours: Callable[[Words], Colours]  # (rows, columns, 3), by which tints are known
    black: tuple[int, int, int] = (0, 0, 0)  # as a colour


def luminance_of(header: Dataset, photometric: str, tint: Tint | None = None) -> Luminance:
    """Return the conversion for an object whose stored samples have this photometric interpretation.

    Args:
        header: of the object.
        photometric: of the stored samples.
        tint: of a tinted grey map; its colours count as grey, and a change of grey follows them.

    Raises:
        ImageKindError: a photometric interpretation that ultrasound does not use.
    """
    if photometric.startswith("MONOCHROME"):
        return _monochrome(header, photometric)
    if photometric == "PALETTE COLOR":
        return _palette(header, tint)
    if photometric == "RGB":
        return _rgb(header, tint)
    if photometric in {"YBR_FULL", "YBR_FULL_422"}:
        return _ybr(header, tint)
    raise ImageKindError("an ultrasound image of another PhotometricInterpretation", "its grey levels are not known")


def _monochrome(header: Dataset, photometric: str) -> Luminance:
    low, high = stored_range(header)
    if low < 0:
        raise ImageKindError("an ultrasound image of signed grey levels", "the standard allows unsigned ones only")

    def moved(words: Words, change: npt.NDArray[np.float64]) -> Words:
        values = unpacked(words, header)
        return repacked(words, np.clip(values + np.rint(change).astype(np.int64), low, high), header)

    return Luminance(
        float(high),
        photometric,
        lambda words: unpacked(words, header).astype(np.float32),
        lambda words: np.zeros(words.shape, bool),
        moved,
        lambda words: np.repeat(words[..., None], 3, axis=-1),
    )


def _rgb(header: Dataset, tint: Tint | None) -> Luminance:
    high = stored_range(header)[1]

    def grey(words: Words) -> Grey:
        return np.asarray(words @ WEIGHTS, np.float32)

    def coloured(words: Words) -> Mask:
        if tint is not None:
            return tint.deviates(grey(words), words, COLOUR_TOLERANCE * high)
        return np.asarray(_spread(words) > COLOUR_TOLERANCE * high)

    def moved(words: Words, change: npt.NDArray[np.float64]) -> Words:
        shift = change[..., None] if tint is None else tint.shift(grey(words), change)
        return np.asarray(np.clip(words + np.rint(shift).astype(np.int64), 0, high).astype(words.dtype))

    return Luminance(float(high), "RGB", grey, coloured, moved, lambda words: words)


def _spread(words: Words) -> Words:
    """The difference of the largest and the smallest component of each pixel."""
    red, green, blue = (words[..., sample] for sample in range(3))
    return np.asarray(np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue))


def _ybr(header: Dataset, tint: Tint | None) -> Luminance:
    high = stored_range(header)[1]

    def grey(words: Words) -> Grey:
        return words[..., 0].astype(np.float32)

    def coloured(words: Words) -> Mask:
        if tint is not None:
            return tint.deviates(grey(words), words, COLOUR_TOLERANCE * high)
        chroma = np.abs(words[..., 1:].astype(np.int32) - (high + 1) // 2)
        return np.asarray(chroma.max(axis=-1) > COLOUR_TOLERANCE * high)

    def moved(words: Words, change: npt.NDArray[np.float64]) -> Words:
        shift = np.zeros(words.shape) if tint is None else tint.shift(grey(words), change)
        shift[..., 0] = change
        return np.asarray(np.clip(words + np.rint(shift).astype(np.int64), 0, high).astype(words.dtype))

    black = (0, (high + 1) // 2, (high + 1) // 2)
    return Luminance(float(high), "YBR_FULL", grey, coloured, moved, lambda words: words, black)


def _palette(header: Dataset, tint: Tint | None) -> Luminance:
    """Indices into a colour table; the way back chooses the grey, or tinted, entry of the nearest luminance."""
    table = _colour_table(header)  # (indices, 3)
    high = 255 if table.max() <= 255 else 65535
    grey = (table @ WEIGHTS).astype(np.float32)
    coloured = _spread(table) > COLOUR_TOLERANCE * high
    if tint is not None:
        coloured = tint.deviates(grey, table, COLOUR_TOLERANCE * high)
    ramp = np.flatnonzero(~coloured)
    ramp = ramp[np.argsort(grey[ramp], kind="stable")]

    def moved(words: Words, change: npt.NDArray[np.float64]) -> Words:
        indices = unpacked(words, header)
        wanted = grey[indices] + change
        above = np.clip(np.searchsorted(grey[ramp], wanted), 1, len(ramp) - 1)
        lower, upper = ramp[above - 1], ramp[above]
        nearest = np.where(wanted - grey[lower] <= grey[upper] - wanted, lower, upper)
        return repacked(words, np.where(change == 0, indices, nearest), header)

    return Luminance(
        float(high),
        "PALETTE COLOR",
        lambda words: grey[unpacked(words, header)],
        lambda words: np.asarray(coloured[unpacked(words, header)]),
        moved,
        lambda words: table[unpacked(words, header)],
    )


def _colour_table(header: Dataset) -> npt.NDArray[np.unsignedinteger]:
    """Red, green and blue of every index that can be stored, in full scale of 8 or 16 bits."""
    descriptor = numbers(header, "RedPaletteColorLookupTableDescriptor", 3)
    if descriptor is None or text(header, "PhotometricInterpretation") != "PALETTE COLOR":
        raise UnusableValueError("RedPaletteColorLookupTableDescriptor")
    indices = np.arange(stored_range(header)[1] + 1).astype(np.uint16)
    with parsing(UnusableValueError("RedPaletteColorLookupTableData")):
        return np.asarray(apply_color_lut(indices, _native_tables(header)))


def _native_tables(header: Dataset) -> Dataset:
    """The header with colour tables in this machine's byte order, which pydicom takes for granted."""
    if header.original_encoding[1] is not False or "RedPaletteColorLookupTableData" not in header:
        return header
    native = Dataset()
    for colour in ("Red", "Green", "Blue"):
        table = f"{colour}PaletteColorLookupTable"
        setattr(native, f"{table}Descriptor", list(header[f"{table}Descriptor"].value))
        setattr(native, f"{table}Data", np.frombuffer(header[f"{table}Data"].value, ">u2").astype("<u2").tobytes())
    return native
