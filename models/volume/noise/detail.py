"""The noise in the finest detail of homogeneous tissue, read slice by slice: it needs no neighbour that shows the same.

Blocks are judged by the coefficients of one parity and read in those of the other, see `block_coefficients`. Dark tissue
is left out: the noise of a magnitude is weaker there.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.robust import MAD_TO_SD, evenly
from models.volume.initial.transform import BLOCK
from models.volume.noise.block_coefficients import EVEN, FEWEST, ODD, coefficients, plainest, whole_blocks

SLICES = 24  # evenly along the volume
FINEST = (10, 11, 14, 15)  # coefficients in the upper half of the frequencies both ways, which hold least anatomy
BRIGHT_SD = 4.0  # noise sds above which the noise of a magnitude is that of its real part, within 3 %
ROUNDS = 4  # of choosing homogeneous blocks by what is known of the noise
TINY = 1e-9  # real units


@dataclass(frozen=True)
class SliceBlocks:
    """The blocks of some slices.

    Attributes:
        values: (BLOCK ** 2, slices, rows, columns) coefficients, in the volume's unit.
        usable: (slices, rows, columns) whether a block is tissue, bright enough.
        sd: (BLOCK ** 2,) of the noise in each coefficient; those of the lowest frequencies hold anatomy, too.
    """

    values: Tensor
    usable: Tensor
    sd: Tensor


def read_detail(volume: Tensor, threshold: float) -> SliceBlocks:
    """Read the noise of ``volume``, (slices, 1, rows, columns) in real units; tissue exceeds ``threshold``."""
    chosen = volume[evenly(len(volume), SLICES)]
    values = coefficients(chosen)
    tissue = torch.stack([whole_blocks(slice_[None] > threshold) for slice_ in chosen])
    usable, sd = tissue, torch.stack([_sd(values[k][tissue]) for k in range(BLOCK**2)])
    for _ in range(ROUNDS):
        bright = tissue & (values[0] / BLOCK > BRIGHT_SD * sd[list(FINEST)].mean())
        if int(bright.sum()) < FEWEST:
            break
        usable, read = bright, sd.clone()
        for judged, others in ((EVEN, ODD), (ODD, (0, *EVEN))):
            energy = (values[list(judged)] / sd[list(judged), None, None, None]).square().sum(dim=0)
            homogeneous = plainest(energy, usable)
            for k in others:
                read[k] = _sd(values[k][homogeneous])
        sd = read
    return SliceBlocks(values, usable, sd)


def _sd(values: Tensor) -> Tensor:
    return (MAD_TO_SD * values.abs().median()).clamp(min=TINY) if values.numel() else torch.tensor(TINY)
