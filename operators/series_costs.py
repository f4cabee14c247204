"""What a series needs of the run's time, from its headers, the settings and the table of costs."""

from dataclasses import dataclass

from models.compute import Compute
from models.costs import FREE, costs_of
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_plan import least_plan, most_plan, seconds_of
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.slice_plan import always, plan_slices
from operators.dicom.values import integer
from operators.sources.source import Source
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
        costs, kind = costs_of(self.compute), source.method
        sizes = list(source.sizes().values())
        denoising = self._clips(source, sizes) if kind == "ultrasound" else [self._volume(voxels) for voxels in sizes]
        decoding, restoring = costs[f"read {kind}"], costs.get(f"restore {kind}", FREE)
        images = (
            ImageNeed(decoding.of(voxels), need, restoring.of(voxels))
            for voxels, need in zip(sizes, denoising, strict=True)
        )
        check, report, write = (costs[f"{work} {kind}"].of(sum(sizes)) for work in ("check", "report", "write"))
        return SeriesNeed(tuple(images), self.strengths * (check + write + report * self.reports))

    def _volume(self, voxels: int) -> Need:
        costs, tissue_voxels = costs_of(self.compute), int(TISSUE_FRACTION * voxels)
        wanted, least = plan_slices(self.ns_n2n.steps, costs, voxels, tissue_voxels), always(costs, voxels)
        return Need(least, least + wanted.seconds(costs, voxels, tissue_voxels))

    def _clips(self, source: Source, sizes: list[int]) -> list[Need]:
        frames = [integer(header, "NumberOfFrames") or 1 for header in source.headers]
        return [self._clip((count, voxels // count, 1)) for count, voxels in zip(frames, sizes, strict=True)]

    def _clip(self, shape: tuple[int, int, int]) -> Need:
        costs, settings = costs_of(self.compute), self.speckle2self
        plans = least_plan(shape, settings), most_plan(shape, settings)
        return Need(*(seconds_of(costs, shape, plan, settings.variant) for plan in plans))
