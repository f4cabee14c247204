"""The noise of a volume, measured on the volume itself: its reach between slices, its coefficients, its local sd.

Order: correlation between slices -> second differences of slices in block coefficients -> the local noise
(relative_noise.py) -> the coefficients in homogeneous blocks (noise_spectrum.py), which also give the typical sd: in
thick slices neighbours differ by anatomy as much as by noise.
"""

from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn import functional

from models.filters import uniform
from models.volume.dct import BLOCK, block_slices
from models.volume.noise.block_coefficients import has_enough_blocks, read_triples
from models.volume.noise.noise_spectrum import block_sd, in_slice_sd
from models.volume.noise.relative_noise import expected_noise, interpolated_at_blocks, local_noise
from models.volume.noise.slice_correlation import independent_gap, settled, slice_correlations
from models.volume.noise.smoothed_noise import smoothed_noise
from models.volume.noise.witnesses import Agreement
from models.volume.tissue import Tissue

MAP_STEP = 4  # pixels between the values of a map of relative noise


@dataclass(frozen=True)
class SliceNoise:
    """The noise of one volume.

    Attributes:
        gap: slices between a slice and the neighbour whose noise counts as independent.
        correlations: of the noise, for gaps 1, 2, ..., as measured.
        sd: typical standard deviation in tissue, in the volume's unit.
        relative_noise: (slices, 1, rows / 4, columns / 4) local standard deviation over ``sd``.
        coefficient_sd: (slices * BLOCK ** 2,) standard deviation of each coefficient of a block over the local one;
            their mean square is 1. In the order of `cosine_basis`. Blocks span `block_slices`.
        agreement: of the witnesses from which ``sd`` is, in MR.
        width: pixels, sd of the Gaussian that smoothed it, where it is known; see `smoothed_noise`.
    """

    gap: int
    correlations: tuple[float, ...]
    sd: float
    relative_noise: Tensor
    coefficient_sd: Tensor
    agreement: Agreement | None = None
    width: float | None = None

    @property
    def source(self) -> str:
        """Return what the method's name says of where the noise was measured."""
        if self.agreement:
            return f"noise from {' and '.join(witness.name for witness in self.agreement.agreeing)}"
        return f"noise from {'homogeneous tissue' if self.in_slice else 'differences of slices'}"

    @property
    def in_slice(self) -> bool:
        """Whether blocks span no slices: the third dimension is switched off."""
        return len(self.coefficient_sd) == BLOCK**2


def measure_noise(volume: Tensor, tissue: Tissue) -> SliceNoise:
    """Measure the noise in the tissue of ``volume``, (slices, 1, rows, columns) in real units."""
    slices, _, rows, columns = volume.shape
    correlations = slice_correlations(volume, tissue)
    reach = settled(correlations)
    triples = read_triples(volume, tissue)
    means = uniform(triples.sums[0, :, None] / (triples.slices * BLOCK), 3)[:, 0]
    expected = expected_noise(means, tissue)
    cells, homogeneous = local_noise(triples, in_slice_sd(triples, expected, reach), expected, means, tissue)
    at_blocks = interpolated_at_blocks(homogeneous.float(), triples, "nearest").bool()
    chosen = replace(triples, inside=triples.inside & at_blocks)
    chosen = chosen if has_enough_blocks(chosen) else triples
    in_slice = in_slice_sd(chosen, interpolated_at_blocks(cells, triples, "bilinear"), reach)
    width = None
    if tissue.counts:
        smoothed_by, in_slice = smoothed_noise(in_slice)
        width = smoothed_by if triples.slices == 1 else None
    coefficient_sd = block_sd(in_slice, reach, block_slices(slices))
    sd = float(coefficient_sd.square().mean().sqrt())
    size = (slices, -(-rows // MAP_STEP), -(-columns // MAP_STEP))
    relative = functional.interpolate(cells.transpose(0, 1)[None], size=size, mode="trilinear")[0].transpose(0, 1)
    gap = independent_gap(correlations)
    return SliceNoise(gap, correlations, sd, relative.contiguous(), coefficient_sd / sd, width=width)
