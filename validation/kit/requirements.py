"""The requirements: one table, each row with what is demanded, the limit, its reason and the function that measures it.

The document's traceability matrix, the JSON and the exit code are made from this table and from nothing else. Limits
are what a physicist would demand of a denoiser before clinical reading, not what this software reaches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from validation.kit import (
    edge_figures,
    kit_cases,
    lesion_figures,
    software_figures,
    ultrasound_figures,
    uniform_figures,
)
from validation.kit.evidence import Evidence
from validation.kit.requirement_limit import Limit, least, most
from validation.measures.intervals import Measured

CLEARANCE = "vendors' clearances: MTF and HU unchanged by more than a few percent"
REPEATS = "a diagnosis must not depend on a random number"
FADING = "a lesion must not fade"
SMALL = (
    "in the slice through its middle, where the input shows it with d' = 3.4, an ideal observer sees no smaller "
    "fading (validation/measures/visibility.py)"
)
BELOW_NOISE = (
    "a step below one voxel's noise: an ideal observer sees no smaller widening of the whole rod in a slice "
    "(validation/measures/visibility.py); cleared methods lose sharpness there, too (Yu, Med Phys 2015)"
)
TOLERANCE = "image quality that no reader would distinguish from the original's"


@dataclass(frozen=True)
class Requirement:
    """One row."""

    identity: str
    what: str
    limit: Limit
    reason: str
    measure: Callable[[Evidence], Measured]

    @property
    def test(self) -> str:
        """Name and arguments of the function that measures it."""
        function: Callable[..., Measured] = getattr(self.measure, "func", self.measure)
        given = getattr(self.measure, "keywords", {})
        arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return f"{function.__module__.rpartition('.')[2]}.{function.__name__}({arguments})"


def requirements() -> tuple[Requirement, ...]:
    """Return the whole table."""
    return (*_software(), *_ct(), *_mr(), *_pet(), *_ultrasound(), *_site())


def _software() -> tuple[Requirement, ...]:
    of = software_figures
    return (
        Requirement("SW-1", "Libraries of another version than pinned", most(0), "what was validated is what runs",
                    of.wrong_versions),
        Requirement("SW-2", "Series that were not handed out", most(0), "the self-test: a run that writes",
                    of.not_handed_out),
        Requirement("SW-3", "Files that differ between two equal runs", most(0), REPEATS, of.files_differing),
        Requirement("SW-4", "Rms difference between one thread and two", most(0.1, "of the noise"),
                    "a result must not depend on the machine's cores by more than seeds may", of.thread_difference),
        Requirement("SW-5", "Files that differ between two equal runs on a GPU", most(0), REPEATS,
                    of.gpu_files_differing),
        Requirement("SW-6", "Largest difference between GPU and CPU", most(10, "HU"), "below the noise of any CT",
                    of.gpu_difference),
    )  # fmt: skip


def _ct() -> tuple[Requirement, ...]:
    uniform, edge, lesion = uniform_figures, edge_figures, lesion_figures
    both = (kit_cases.CT, kit_cases.CT_NOISY)
    return (
        *(Requirement(f"CT-{i}", f"Noise reduction, {group}", least(0.3), "a dose saving of half asks for .29",
                      partial(uniform.noise_reduction, group=group)) for i, group in enumerate(both, 1)),
        Requirement("CT-3", "Mean frequency of the noise after over before", least(0.8),
                    "AAPM task group 233: a texture that shifts further appears blotchy to readers",
                    partial(uniform.mean_frequency_retained, group=kit_cases.CT)),
        Requirement("CT-4", "Edge width at 10 HU over the truth's", most(1.8), BELOW_NOISE,
                    partial(edge.width_ratio, group=kit_cases.CT, contrast=10.0)),
        *(Requirement(f"CT-{i}", f"Sharpness (f50 of the TTF) retained at {hu} HU", least(0.9), CLEARANCE,
                      partial(edge.sharpness_retained, group=kit_cases.CT, contrast=float(hu)))
          for i, hu in enumerate((30, 100, 500), 5)),
        Requirement("CT-8", "Edge width at 100 HU over the input's", most(1.1), CLEARANCE,
                    partial(edge.width_ratio, group=kit_cases.CT, contrast=100.0)),
        Requirement("CT-9", "Largest HU change over materials", most(1, "HU"), "a tenth of the faintest lesion",
                    partial(edge.level_change, group=kit_cases.CT)),
        Requirement("CT-10", "Largest HU change within the uniform field", most(1, "HU"), "same reason",
                    partial(uniform.mean_shift, group=kit_cases.CT)),
        *(Requirement(f"CT-{i}", f"Contrast retained by balls of {mm:g} mm and {hu:g} HU", least(limit),
                      reason, partial(lesion.contrast_retained, group=kit_cases.CT, diameter=mm, contrast=hu))
          for i, (mm, hu, limit, reason) in enumerate(
              ((5.0, 10.0, 0.9, FADING), (8.0, 10.0, 0.9, FADING), (3.0, 30.0, 0.71, SMALL), (5.0, 30.0, 0.9, FADING)),
              11)),
        *(Requirement(f"CT-{i}", f"Detectability d' of {mm:g} mm, {hu:g} HU, after over before", least(0.95),
                      "denoising must not hide what the input shows",
                      partial(lesion.detectability_retained, group=kit_cases.CT, diameter=mm, contrast=hu))
          for i, (mm, hu) in enumerate(((5.0, 10.0), (8.0, 10.0), (3.0, 30.0)), 15)),
        Requirement("CT-18", "The same, Gabor channels, 5 mm, 10 HU", least(0.95), "no result of one observer alone",
                    partial(lesion.detectability_retained, group=kit_cases.CT, diameter=5.0, contrast=10.0,
                            channels="Gabor")),
        Requirement("CT-19", "False structures in uniform fields", most(3, "per 1,000 slices"),
                    "fewer than one in a study of 300 slices", partial(uniform.false_structures, modality="CT")),
        Requirement("CT-20", "Rms difference between seeds", most(0.1, "of the noise"), REPEATS,
                    partial(uniform.seed_difference, group=kit_cases.CT)),
        *(Requirement(f"CT-{i}", f"Contrast retained by balls of 5 mm and 10 HU, {group}", least(0.9), FADING,
                      partial(lesion.contrast_retained, group=group, diameter=5.0, contrast=10.0))
          for i, group in enumerate((kit_cases.CT_QUIET, kit_cases.CT_THICK), 21)),
    )  # fmt: skip


def _site() -> tuple[Requirement, ...]:
    of = uniform_figures
    return (
        Requirement("SITE-1", "Noise reduction in the site's phantom", least(0.3), "as CT-1",
                    partial(of.noise_reduction, group=kit_cases.SITE)),
        Requirement("SITE-2", "Mean frequency of the noise after over before", least(0.8), "as CT-3",
                    partial(of.mean_frequency_retained, group=kit_cases.SITE)),
        Requirement("SITE-3", "Largest change within the uniform field", most(0.1, "of the noise"),
                    "lost in the scanner's own stability", partial(of.mean_shift_over_noise, group=kit_cases.SITE)),
    )  # fmt: skip


def _mr() -> tuple[Requirement, ...]:
    uniform, edge = uniform_figures, edge_figures
    return (
        Requirement("MR-1", "Noise reduction", least(0.3), "half the scan time asks for .29",
                    partial(uniform.noise_reduction, group=kit_cases.MR)),
        Requirement("MR-2", "Largest error of the amplitude, signal over 5 sd of noise", most(0.005, "of the signal"),
                    "relaxometry and perfusion are read to a percent",
                    partial(edge.relative_level_error, group=kit_cases.MR, above=290.0)),
        Requirement("MR-3", "Largest error of the amplitude, weaker signal", most(0.05, "of the signal"),
                    "Rician bias of the input there is over 5 %",
                    partial(edge.relative_level_error, group=kit_cases.MR, above=90.0, below=290.0)),
        Requirement("MR-4", "Edge width at 10 % contrast over the truth's", most(1.8), BELOW_NOISE,
                    partial(edge.width_ratio, group=kit_cases.MR, contrast=50.0)),
        *(Requirement(f"MR-{i}", f"Sharpness (f50 of the TTF) retained at {percent} % contrast", least(0.9), CLEARANCE,
                      partial(edge.sharpness_retained, group=kit_cases.MR, contrast=float(contrast)))
          for i, (percent, contrast) in enumerate(((20, 100), (80, 400)), 5)),
        Requirement("MR-7", "False structures in uniform fields", most(3, "per 1,000 slices"),
                    "fewer than one in a study of 300 slices", partial(uniform.false_structures, modality="MR")),
        *(Requirement(f"MR-{i}", f"Largest error of the amplitude, signal over 5 sd of noise, {group}",
                      most(0.005, "of the signal"), "as MR-2",
                      partial(edge.relative_level_error, group=group, above=above))
          for i, (group, above) in enumerate(((kit_cases.MR_QUIET, 145.0), (kit_cases.MR_NOISY, 435.0)), 8)),
    )  # fmt: skip


def _pet() -> tuple[Requirement, ...]:
    lesion, uniform = lesion_figures, uniform_figures
    return (
        Requirement("PT-1", "Noise reduction", least(0.2), "a quarter more signal to noise, as in vendors' clearances",
                    partial(uniform.noise_reduction, group=kit_cases.PET)),
        Requirement("PT-2", "Change of the total activity", most(0.01), "SUV is quantitative",
                    partial(uniform.total_change, group=kit_cases.PET)),
        *(Requirement(f"PT-{i}", f"Error of SUVmean beyond the input's, {mm} mm spheres",
                      most(0.05 if mm > 10 else 0.1), "EARL: recovery bands are about 10 % wide",
                      partial(lesion.recovery_error, group=kit_cases.PET, diameter=float(mm)))
          for i, mm in enumerate((37, 28, 22, 17, 13, 10), 3)),
        *(Requirement(f"PT-{i}", f"SUVmax recovered, {mm} mm spheres", least(0.9), "same reason",
                      partial(lesion.recovery, group=kit_cases.PET, diameter=float(mm), of="max"))
          for i, mm in enumerate((17, 10), 9)),
        Requirement("PT-11", "Error of SUVmean beyond the input's, 13 mm spheres, half dose", most(0.05), "as PT-7",
                    partial(lesion.recovery_error, group=kit_cases.PET_NOISY, diameter=13.0)),
    )  # fmt: skip


def _ultrasound() -> tuple[Requirement, ...]:
    of, group = ultrasound_figures, kit_cases.US
    return (
        Requirement("US-1", "Speckle reduction", least(0.5), "below it, readers see no difference",
                    partial(of.speckle_reduction, group=group)),
        Requirement("US-2", "Largest error of a cyst's contrast beyond the input's", most(1, "dB"),
                    "lesions are graded by steps of 3 dB",
                    partial(of.contrast_error_db, group=group)),
        Requirement("US-3", "Least gain in gCNR over cysts", least(0), "no target may become harder to see",
                    partial(of.gcnr_gain, group=group)),
        Requirement("US-4", "Edge width of a cyst over the truth's", most(1.15), TOLERANCE,
                    partial(of.edge_ratio, group=group)),
        *(Requirement(f"US-{i}", f"Point width over the truth's, {name}", most(1.15), TOLERANCE,
                      partial(of.point_ratio, group=group, axis=axis))
          for i, (axis, name) in enumerate(((0, "axial"), (1, "lateral")), 5)),
        Requirement("US-7", "Largest error of the mean grey beyond the input's", most(2, "of 255"),
                    "less than a step of the display",
                    partial(of.grey_error, group=group)),
    )  # fmt: skip
