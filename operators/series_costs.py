"""What a series needs of the run's time, from its headers, the settings and the table of costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.compute import Compute
from models.costs import costs_of
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_plan import least_plan, most_plan, seconds_of
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.slice_plan import LADDERS, always, plan_slices
from operators.sources.source import METHOD_OF_MODALITY, Source
from operators.time_budget import ImageNeed, Need, SeriesNeed

TISSUE_FRACTION = 0.5  # of the voxels of a volume, as far as its header says; the fit itself counts them


@dataclass(frozen=True)
class Pricing:
    """The settings of a run that decide what a series costs, and where it runs."""

    compute: Compute
    ns_n2n: NSN2NSettings
    speckle2self: Speckle2SelfSettings
    strengths: int = 1
    reports: bool = True

    def starting(self, voxels: int) -> float:
        """Return the seconds from the start of the command until its first series begins.

        Args:
            voxels: of all series, whose headers are read.
        """
        return costs_of(self.compute)["start"].of(voxels)

    def need(self, source: Source) -> SeriesNeed:
        """Return what a series needs.

        Raises:
            Refusal: it has no image that can be denoised.
        """
        return self.need_of(source.modality, tuple(source.sizes().values()))

    def need_of(self, modality: str, shapes: Sequence[tuple[int, ...]]) -> SeriesNeed:
        """Return what a series of images of such shapes needs: slices or frames, then the pixels of one."""
        costs, method = costs_of(self.compute, modality), METHOD_OF_MODALITY[modality]
        restoring = costs[f"restore {method}"]
        needs = (self._clip(shape) if method == "ultrasound" else self._volume(shape, modality) for shape in shapes)
        images = (
            ImageNeed(self._files("read", method, shape), need, restoring.of(math.prod(shape)))
            for shape, need in zip(shapes, needs, strict=True)
        )
        whole = sum(map(math.prod, shapes))
        check, report = (costs[f"{work} {method}"].of(whole) for work in ("check", "report"))
        write = sum(self._files("write", method, shape) for shape in shapes)
        return SeriesNeed(tuple(images), self.strengths * (check + write + report * self.reports))

    def _files(self, work: str, method: str, shape: tuple[int, ...]) -> float:
        """Return the seconds to read or write an image: a clip is one file, a volume one for each slice."""
        costs = costs_of(self.compute)
        if method == "ultrasound":
            return costs[f"{work} clip"].of(math.prod(shape))
        return costs[f"{work} slice"].of(math.prod(shape[1:]), shape[0])

    def _volume(self, shape: tuple[int, ...], modality: str) -> Need:
        costs, voxels = costs_of(self.compute, modality), math.prod(shape)
        tissue_voxels = int(TISSUE_FRACTION * voxels)
        least = always(costs, voxels)
        wanted = plan_slices(self.ns_n2n.steps, costs, voxels, tissue_voxels, ladder=LADDERS[modality])
        return Need(least, least + wanted.seconds(costs, voxels, tissue_voxels))

    def _clip(self, shape: tuple[int, ...]) -> Need:
        costs, settings = costs_of(self.compute), self.speckle2self
        plans = least_plan(shape, settings), most_plan(shape, settings)
        return Need(*(seconds_of(costs, shape, plan, settings.variant) for plan in plans))
