"""What receives an MR slice: coil sensitivities, and the g-factor of parallel imaging.

Fields are smooth over the delivered matrix; positions run from -1 to 1 over rows and over columns.
"""

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex64]
Real = NDArray[np.float32]

COILS = 4
COIL_DISTANCE, COIL_REACH = 1.1, 0.5  # of a coil's centre from the middle, and where its sensitivity is one half
G_WIDTH = 0.5  # where the g-factor has fallen from its top in the middle by two fifths
G_RIPPLE = 0.25  # of it, along rows, as aliases overlap


def sensitivities(shape: tuple[int, int]) -> Complex:
    """Return (COILS, rows, columns): four coils around the object, their sum of squares 1 in the middle."""
    y, x = _positions(shape)
    fields = []
    for angle in 2 * np.pi * (np.arange(COILS) + 0.5) / COILS:
        distance = np.hypot(y - COIL_DISTANCE * np.sin(angle), x - COIL_DISTANCE * np.cos(angle))
        phase = angle + 0.8 * (y * np.cos(angle) - x * np.sin(angle))
        fields.append(np.exp(1j * phase) / (1 + (distance / COIL_REACH) ** 2))
    middle = np.sqrt(COILS) / (1 + (COIL_DISTANCE / COIL_REACH) ** 2)
    return np.asarray(np.stack(fields) / middle, np.complex64)


def combined(coils: Complex) -> Real:
    """Return the root of the sum of squares over the coils, the first axis."""
    return np.asarray(np.sqrt((np.abs(coils) ** 2).sum(axis=0)), np.float32)


def g_factor(shape: tuple[int, int], top: float) -> Real:
    """Return the factor by which parallel imaging raises the noise: 1 at the rim, `top` in the middle."""
    y, x = _positions(shape)
    lobe = np.exp(-0.5 * (y**2 + x**2) / G_WIDTH**2) * (1 - G_RIPPLE * np.sin(1.5 * np.pi * y) ** 2)
    return np.asarray(1 + (top - 1) * lobe, np.float32)


def smooth_phase(shape: tuple[int, int]) -> Complex:
    """Return the phase that an imperfect field leaves on the object, as complex factors of size one."""
    y, x = _positions(shape)
    return np.asarray(np.exp(1j * (0.6 * y + 0.8 * x**2 - 0.5 * x * y)), np.complex64)


def _positions(shape: tuple[int, int]) -> tuple[Real, Real]:
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    return y, x
