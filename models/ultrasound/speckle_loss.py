"""The losses of the ultrasound method: each draws its own batch of crops from the clip and returns a scalar.

TransplantLoss (default): mean of (f(s + n') - s)^2 over tissue; s: the clip's estimate, by retrieval; n': its own
                          speckle y - s, from another place: a perturbation that truly changes the speckle.
PublishedLoss (published):  sum over scales of mean (f_s(y_s) - y_s)^2 + sum over pairs of mean |f_s(y_s) - f_t(y_t)|.
"""

from collections.abc import Callable
from itertools import combinations

import torch
from torch import nn

from models.ultrasound.perturbation import PUBLISHED_SCALES, scale_copies

CROP, CROPS = 160, 4  # pixels of a side, crops of a batch


class _CropLoss:
    """Draws crops of (frames, rows, columns) tensors by a seeded generator."""

    def __init__(self, network: nn.Module, seed: int) -> None:
        self.network = network
        self.generator = torch.Generator().manual_seed(seed)

    def _crops(self, *clips: torch.Tensor) -> list[torch.Tensor]:
        """Return the same crops of each clip, (crops, 1, rows, columns)."""
        places = [self._place(clips[0].shape) for _ in range(CROPS)]
        return [torch.stack([_cut(clip, *place) for place in places])[:, None] for clip in clips]

    def _place(self, shape: torch.Size) -> tuple[int, int, int, bool]:
        frame, row, column = (self._integer(limit) for limit in (shape[0], *(max(1, n - CROP + 1) for n in shape[1:])))
        return frame, row, column, self._integer(2) == 1

    def _integer(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self.generator))


class TransplantLoss(_CropLoss):
    """Recover the estimate from itself plus speckle of another place; the estimate is renewed at planned draws."""

    def __init__(
        self,
        network: nn.Module,
        frames: torch.Tensor,
        tissue: torch.Tensor,
        seed: int,
        renew: Callable[[bool], torch.Tensor],
        renewals: frozenset[int],
    ) -> None:
        """Take frames and tissue as in ``denoise_clip``.

        Args:
            renew: returns the estimate; its argument says whether the network is to guide it.
            renewals: numbers of the draws before which the estimate is renewed.
        """
        super().__init__(network, seed)
        self.frames, self.tissue = frames, tissue
        self.inside = tissue.to(frames.dtype).expand_as(frames)
        self.limits = float(frames[:, tissue].min()), float(frames[:, tissue].max())
        self.renew, self.renewals, self.draws = renew, renewals, 0
        self._take_estimate(renew(False))

    def __call__(self) -> torch.Tensor:
        """Return the loss of one batch."""
        if self.draws in self.renewals:
            self._take_estimate(self.renew(True))
        self.draws += 1
        s, here = self._crops(self.estimate, self.inside)
        speckle, there = self._crops(self.speckle, self.inside)
        output = self.network((s + speckle).clamp(*self.limits))
        weight = here * there
        loss: torch.Tensor = (weight * (output - s) ** 2).sum() / weight.sum().clamp(min=1.0)
        return loss

    def _take_estimate(self, estimate: torch.Tensor) -> None:
        self.estimate, self.speckle = estimate, self.frames - estimate


class PublishedLoss(_CropLoss):
    """Reconstruction of each scale and consistency between scales, all weights 1; of whole frames, as published.

    The network normalises by the whole image, and each scale by its extremes; crops would have others.
    """

    def __init__(self, network: nn.Module, frames: torch.Tensor, tissue: torch.Tensor, seed: int) -> None:
        super().__init__(network, seed)
        self.frames, self.inside = frames, tissue.to(frames.dtype).expand_as(frames)

    def __call__(self) -> torch.Tensor:
        """Return the loss of one batch."""
        frame, flipped = self._integer(len(self.frames)), [axis for axis in (-2, -1) if self._integer(2)]
        y, inside = (clip[None, frame : frame + 1].flip(flipped) for clip in (self.frames, self.inside))
        weight = inside / inside.mean().clamp(min=torch.finfo(inside.dtype).eps)
        inputs = scale_copies(y)
        outputs = [self.network(copy, scale) for scale, copy in zip(range(len(PUBLISHED_SCALES)), inputs, strict=True)]
        reconstruction = sum((weight * (f - x) ** 2).mean() for f, x in zip(outputs, inputs, strict=True))
        consistency = sum((weight * (f - g).abs()).mean() for f, g in combinations(outputs, 2))
        return torch.as_tensor(reconstruction + consistency)


def _cut(clip: torch.Tensor, frame: int, row: int, column: int, mirrored: bool) -> torch.Tensor:
    crop = clip[frame, row : row + CROP, column : column + CROP]
    return crop.flip(-1) if mirrored else crop
