"""The losses of the ultrasound method: each draws its own batch of crops from the clip and returns a scalar.

RetrievalLoss (default):  mean of trust (f(y) - T)^2 + IDENTITY (1 - trust) (f(y) - y)^2 over tissue, T retrieved.
PaperLoss (paper):        sum over scales of mean (f_s(y_s) - y_s)^2 + sum over pairs of mean |f_s(y_s) - f_t(y_t)|.
"""

from itertools import combinations

import numpy as np
import torch
from torch import nn

from models.perturbation import PUBLISHED_SCALES, gaussian, scale_copies
from models.retrieval import draw_offsets, retrieve_target

CROP, CROPS = 160, 4  # pixels of a side, crops of a batch
TARGET_FRAMES = 8  # of a cine get targets; its frames are much alike
GUIDE_SIGMA = 5.0, 7.0  # pixels, axial and lateral: a weaker guide lets speckle choose its own like
TRUST_SCALE = 0.33  # of the speckle's sd: guide mismatch at which trust has fallen to 1/e
IDENTITY = 0.1  # weight of keeping the pixel where nothing matches


class _CropLoss:
    """Draws the same crop of several (frames, rows, columns) tensors, by a seeded generator."""

    def __init__(self, network: nn.Module, seed: int) -> None:
        self.network = network
        self.generator = torch.Generator().manual_seed(seed)

    def _crops(self, *clips: torch.Tensor) -> list[torch.Tensor]:
        places = [self._place(clips[0].shape) for _ in range(CROPS)]
        return [torch.stack([_cut(clip, *place) for place in places])[:, None] for clip in clips]

    def _place(self, shape: torch.Size) -> tuple[int, int, int, bool]:
        frame, row, column = (self._integer(limit) for limit in (shape[0], *(max(1, n - CROP + 1) for n in shape[1:])))
        return frame, row, column, self._integer(2) == 1

    def _integer(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self.generator))


class RetrievalLoss(_CropLoss):
    """Targets from like tissue beyond the speckle's reach; the pixel itself where nothing is alike."""

    def __init__(
        self, network: nn.Module, frames: torch.Tensor, tissue: torch.Tensor, seed: int, candidates: int, matches: int
    ) -> None:
        super().__init__(network, seed)
        offsets = draw_offsets(candidates, np.random.default_rng(seed))
        chosen = np.unique(np.linspace(0, len(frames) - 1, TARGET_FRAMES).round().astype(int))
        self.frames, self.tissue = frames[chosen], tissue.float().expand(len(chosen), -1, -1)
        guides = gaussian(self.frames[:, None], *GUIDE_SIGMA)[:, 0]
        scale = TRUST_SCALE * (self.frames - guides)[:, tissue].std()
        found = [retrieve_target(*pair, tissue, offsets, matches) for pair in zip(self.frames, guides, strict=True)]
        self.targets = torch.stack([target for target, _ in found])
        self.trust = torch.stack([torch.exp(-mismatch / scale**2) for _, mismatch in found])

    def __call__(self) -> torch.Tensor:
        """Loss of one batch."""
        y, target, trust, tissue = self._crops(self.frames, self.targets, self.trust, self.tissue)
        output = self.network(y)
        errors = trust * (output - target) ** 2 + IDENTITY * (1.0 - trust) * (output - y) ** 2
        loss: torch.Tensor = (tissue * errors).sum() / tissue.sum().clamp(min=1.0)
        return loss


class PaperLoss(_CropLoss):
    """Reconstruction of each scale and consistency between scales, all weights 1."""

    def __init__(self, network: nn.Module, frames: torch.Tensor, tissue: torch.Tensor, seed: int) -> None:
        super().__init__(network, seed)
        self.frames, self.tissue = frames, tissue.float().expand(len(frames), -1, -1)

    def __call__(self) -> torch.Tensor:
        """Loss of one batch."""
        y, tissue = self._crops(self.frames, self.tissue)
        weight = tissue / tissue.mean().clamp(min=1e-6)
        inputs = scale_copies(y)
        outputs = [self.network(copy, scale) for scale, copy in zip(range(len(PUBLISHED_SCALES)), inputs, strict=True)]
        reconstruction = sum((weight * (f - x) ** 2).mean() for f, x in zip(outputs, inputs, strict=True))
        consistency = sum((weight * (f - g).abs()).mean() for f, g in combinations(outputs, 2))
        return torch.as_tensor(reconstruction + consistency)


def _cut(clip: torch.Tensor, frame: int, row: int, column: int, mirrored: bool) -> torch.Tensor:
    crop = clip[frame, row : row + CROP, column : column + CROP]
    return crop.flip(-1) if mirrored else crop
