"""The noise in the finest detail of homogeneous tissue, of slices and of differences of slices.

Blocks are judged by the coefficients of one parity and read in those of the other, see `block_coefficients`. Dark
tissue is left out: the noise of a magnitude is weaker there.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.robust import MAD_TO_SD, evenly_spaced
from models.volume.dct import BLOCK
from models.volume.noise.block_coefficients import EVEN, MINIMUM_BLOCKS, ODD, coefficients, whole_blocks
from models.volume.noise.relative_noise import FINEST

SLICES = 24  # evenly along the volume
BRIGHT_SD = 4.0  # noise sds above which the noise of a magnitude is that of its real part, within 3 %
HOMOGENEOUS_FRACTION = 0.05  # of the bright blocks, those with least structure: enough for every coefficient
FEW_FRACTION = 0.02  # the same for the level alone, which needs fewer: 5 % lift it by 4 % on average, 2 % by 1
ROUNDS = 4  # of choosing blocks by what is known of the noise
TINY = 1e-9  # real units


@dataclass(frozen=True)
class Detail:
    """Blocks whose noise is read.

    Attributes:
        values: (BLOCK ** 2, slices, rows, columns) coefficients, in the volume's unit.
        sums: of what they are differences of, or the same: what shows the anatomy.
        tissue: (slices, rows, columns) whether all of a block is tissue.
        brightness: the mean of a block, in the volume's unit.
    """

    values: Tensor
    sums: Tensor
    tissue: Tensor
    brightness: Tensor

    def over(self, level: Tensor) -> "Detail":
        """Return the same in units of the local noise, (rows, columns) of blocks."""
        return Detail(self.values / level, self.sums / level, self.tissue, self.brightness / level)

    def bright(self, sd: Tensor) -> Tensor:
        """Return which blocks are tissue and bright against noise of ``sd``; all tissue where too few are."""
        bright = self.tissue & (self.brightness > BRIGHT_SD * finest(sd))
        return bright if int(bright.sum()) >= MINIMUM_BLOCKS else self.tissue


def detail_of(volume: Tensor, threshold: float) -> Detail:
    """Read slices of ``volume``, (slices, 1, rows, columns) in real units; tissue exceeds ``threshold``."""
    chosen = volume[evenly_spaced(len(volume), SLICES)]
    values = coefficients(chosen)
    tissue = torch.stack([whole_blocks(slice_[None] > threshold) for slice_ in chosen])
    return Detail(values, values, _enough(tissue), values[0] / BLOCK)


def difference_detail(volume: Tensor, threshold: float, correlation: float) -> Detail:
    """Read differences of neighbouring slices, whose noise has this correlation, scaled to the noise of one slice."""
    pairs = [volume[first : first + 2] for first in evenly_spaced(len(volume) - 1, SLICES)]
    unit = (2 * max(1 - correlation, TINY)) ** 0.5
    values, sums = (
        torch.cat([coefficients(pair[1:] + sign * pair[:1]) for pair in pairs], dim=1) / unit for sign in (-1, 1)
    )
    tissue = torch.stack([whole_blocks(pair > threshold) for pair in pairs])
    return Detail(values, sums, _enough(tissue), sums[0] * unit / (2 * BLOCK))


def homogeneous_sd(detail: Detail, fraction: float = HOMOGENEOUS_FRACTION) -> Tensor:
    """Return (BLOCK ** 2,) sd of the coefficients in homogeneous tissue; anatomy may add to the lowest frequencies.

    Args:
        detail: blocks.
        fraction: of the bright ones, those with least structure.
    """
    sd = torch.stack([_sd(detail.values[k][detail.tissue]) for k in range(BLOCK**2)])
    for _ in range(ROUNDS):
        bright, read = detail.bright(sd), sd.clone()
        for judged, others in ((EVEN, ODD), (ODD, (0, *EVEN))):
            energy = sum((each[k] / sd[k]).square() for k in judged for each in (detail.values, detail.sums))
            assert isinstance(energy, Tensor)
            homogeneous = bright & (energy <= _limit(energy[bright], fraction))
            for k in others:
                read[k] = _sd(detail.values[k][homogeneous])
        sd = read
    return sd


def finest(sd: Tensor) -> float:
    """Return the sd of the finest coefficients together."""
    return float(sd[list(FINEST)].square().mean().sqrt())


def _enough(tissue: Tensor) -> Tensor:
    """Return ``tissue``, or everything where there is hardly any."""
    return tissue if int(tissue.sum()) >= MINIMUM_BLOCKS else torch.ones_like(tissue)


def _limit(energies: Tensor, fraction: float) -> Tensor:
    count = min(len(energies), max(MINIMUM_BLOCKS, int(fraction * len(energies))))
    return energies.kthvalue(count).values if count else torch.tensor(0.0)


def _sd(values: Tensor) -> Tensor:
    return (MAD_TO_SD * values.abs().median()).clamp(min=TINY) if values.numel() else torch.tensor(TINY)
