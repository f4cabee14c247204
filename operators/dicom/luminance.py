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

from operators.dicom.decoding import Samples, repacked, stored_range, unpacked
from operators.dicom.errors import ImageKindError, UnusableValueError
from operators.dicom.tint import Colours, Grey, Tint
from operators.dicom.values import numbers, parsing, text

Mask = npt.NDArray[np.bool_]

WEIGHTS = np.array([0.299, 0.587, 0.114])  # of red, green and blue in luminance, ITU-R BT.601, as in YBR_FULL
COLOUR_TOLERANCE = 12 / 255  # of full scale, between the components of a pixel that still counts as grey (JPEG noise)


@dataclass(frozen=True, eq=False)
class Luminance:
    """How stored samples become grey, and a change of grey stored samples."""

    maximum: float  # the largest storable grey
    photometric: str  # of the decoded samples
    grey: Callable[[Samples], Grey]
    coloured: Callable[[Samples], Mask]
    moved: Callable[[Samples, npt.NDArray[np.float64]], Samples]  # samples and change of grey
    colours: Callable[[Samples], Colours]  # (rows, columns, 3), by which tints are known
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

    def moved(samples: Samples, change: npt.NDArray[np.float64]) -> Samples:
        values = unpacked(samples, header)
        return repacked(samples, np.clip(values + np.rint(change).astype(np.int64), low, high), header)

    return Luminance(
        float(high),
        photometric,
        lambda samples: unpacked(samples, header).astype(np.float32),
        lambda samples: np.zeros(samples.shape, bool),
        moved,
        lambda samples: np.repeat(samples[..., None], 3, axis=-1),
    )


def _rgb(header: Dataset, tint: Tint | None) -> Luminance:
    high = stored_range(header)[1]

    def grey(samples: Samples) -> Grey:
        return np.asarray(samples @ WEIGHTS, np.float32)

    def coloured(samples: Samples) -> Mask:
        if tint is not None:
            return tint.deviates(grey(samples), samples, COLOUR_TOLERANCE * high)
        return np.asarray(_spread(samples) > COLOUR_TOLERANCE * high)

    def moved(samples: Samples, change: npt.NDArray[np.float64]) -> Samples:
        shift = change[..., None] if tint is None else tint.shift(grey(samples), change)
        return np.asarray(np.clip(samples + np.rint(shift).astype(np.int64), 0, high).astype(samples.dtype))

    return Luminance(float(high), "RGB", grey, coloured, moved, lambda samples: samples)


def _spread(samples: Samples) -> Samples:
    """Return the difference of the largest and the smallest component of each pixel."""
    red, green, blue = (samples[..., sample] for sample in range(3))
    return np.asarray(np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue))


def _ybr(header: Dataset, tint: Tint | None) -> Luminance:
    high = stored_range(header)[1]

    def grey(samples: Samples) -> Grey:
        return samples[..., 0].astype(np.float32)

    def coloured(samples: Samples) -> Mask:
        if tint is not None:
            return tint.deviates(grey(samples), samples, COLOUR_TOLERANCE * high)
        chroma = np.abs(samples[..., 1:].astype(np.int32) - (high + 1) // 2)
        return np.asarray(chroma.max(axis=-1) > COLOUR_TOLERANCE * high)

    def moved(samples: Samples, change: npt.NDArray[np.float64]) -> Samples:
        shift = np.zeros(samples.shape) if tint is None else tint.shift(grey(samples), change)
        shift[..., 0] = change
        return np.asarray(np.clip(samples + np.rint(shift).astype(np.int64), 0, high).astype(samples.dtype))

    black = (0, (high + 1) // 2, (high + 1) // 2)
    return Luminance(float(high), "YBR_FULL", grey, coloured, moved, lambda samples: samples, black)


def _palette(header: Dataset, tint: Tint | None) -> Luminance:
    """Return indices into a colour table; the way back chooses the grey, or tinted, entry of the nearest luminance."""
    table = _colour_table(header)  # (indices, 3)
    high = 255 if table.max() <= 255 else 65535
    grey = (table @ WEIGHTS).astype(np.float32)
    coloured = _spread(table) > COLOUR_TOLERANCE * high
    if tint is not None:
        coloured = tint.deviates(grey, table, COLOUR_TOLERANCE * high)
    ramp = np.flatnonzero(~coloured)
    ramp = ramp[np.argsort(grey[ramp], kind="stable")]

    def moved(samples: Samples, change: npt.NDArray[np.float64]) -> Samples:
        indices = unpacked(samples, header)
        wanted = grey[indices] + change
        above = np.clip(np.searchsorted(grey[ramp], wanted), 1, len(ramp) - 1)
        lower, upper = ramp[above - 1], ramp[above]
        nearest = np.where(wanted - grey[lower] <= grey[upper] - wanted, lower, upper)
        return repacked(samples, np.where(change == 0, indices, nearest), header)

    return Luminance(
        float(high),
        "PALETTE COLOR",
        lambda samples: grey[unpacked(samples, header)],
        lambda samples: np.asarray(coloured[unpacked(samples, header)]),
        moved,
        lambda samples: table[unpacked(samples, header)],
    )


def _colour_table(header: Dataset) -> npt.NDArray[np.unsignedinteger]:
    """Return red, green and blue of every index that can be stored, in full scale of 8 or 16 bits."""
    descriptor = numbers(header, "RedPaletteColorLookupTableDescriptor", 3)
    if descriptor is None or text(header, "PhotometricInterpretation") != "PALETTE COLOR":
        raise UnusableValueError("RedPaletteColorLookupTableDescriptor")
    indices = np.arange(stored_range(header)[1] + 1).astype(np.uint16)
    with parsing(UnusableValueError("RedPaletteColorLookupTableData")):
        return np.asarray(apply_color_lut(indices, _native_tables(header)))


def _native_tables(header: Dataset) -> Dataset:
    """Return the header with colour tables in this machine's byte order, which pydicom takes for granted."""
    if header.original_encoding[1] is not False or "RedPaletteColorLookupTableData" not in header:
        return header
    native = Dataset()
    for colour in ("Red", "Green", "Blue"):
        table = f"{colour}PaletteColorLookupTable"
        setattr(native, f"{table}Descriptor", list(header[f"{table}Descriptor"].value))
        setattr(native, f"{table}Data", np.frombuffer(header[f"{table}Data"].value, ">u2").astype("<u2").tobytes())
    return native
