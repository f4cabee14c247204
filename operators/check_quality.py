"""In, one port per branch: ``DenoisedSeries`` or ``LedgerEntry``.

Out, on the port of the same name: ``CheckedSeries``, or a ``LedgerEntry``; entries pass as they are.
Where something small was erased or invented in a CT or MR volume, the original is kept. A strength at which an image
still fails is lowered in steps until all pass. Or, as the site has set, the series is refused for either.
"""

import time
from collections.abc import Iterator
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from models.volume.tissue import tissue_of
from operators.boundary import within_boundary
from operators.dicom.cine import read_clip
from operators.dicom.pixels import read_volume
from operators.messages import CheckedSeries, DenoisedSeries, LedgerEntry, entry_of
from operators.quality.assessment import Assessment
from operators.quality.bias import Images
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.noise import noise_levels
from operators.quality.restoring import restore_small_structures
from operators.quality.volume_checks import SMALL_STRUCTURES, VolumePair, assess_volume
from operators.reason_codes import CHECKS_FAILED
from operators.sources.nifti import NiftiImage, read_volumes

PORTS = ("volume", "ultrasound")
STEPS = (1.0, 0.75, 0.5, 0.25)  # of the strength asked for; with less nobody would see a change


def check(
    denoised: DenoisedSeries, strengths: tuple[float, ...], settings: GateSettings
) -> CheckedSeries | LedgerEntry:
    """The series with the strengths at which it may be handed out, or the entry that refuses it."""
    tried: dict[float, tuple[Assessment, ...]] = {}
    granted, reasons, kept = [], [], 0
    if settings.on_failure == "reduce_strength" and denoised.source.modality in SMALL_STRUCTURES:
        kept = sum(_keep(denoised.images[key], sd, pair, settings) for key, sd, pair in _volume_pairs(denoised))
    for asked in strengths:
        strength = _granted(denoised, asked, settings, tried)
        if strength != asked:
            reasons.append(_reason(asked, strength, tried))
        if strength:
            granted.append(strength)
    by_image = tuple(zip(*tried.values(), strict=True))
    if granted:
        assessments = dict(zip(denoised.images, by_image, strict=True))
        return CheckedSeries(denoised, tuple(dict.fromkeys(granted)), assessments, "; ".join(reasons), kept)
    seconds = time.monotonic() - denoised.started
    more = {
        "reason_code": CHECKS_FAILED,
        "settings": denoised.settings,
        "fits": denoised.fits,
        "left_out": denoised.left_out,
    }
    return entry_of(denoised.source, "refused", "; ".join(reasons), seconds=seconds, assessments=by_image, **more)


def _granted(
    denoised: DenoisedSeries, asked: float, settings: GateSettings, tried: dict[float, tuple[Assessment, ...]]
) -> float:
    """The largest step of ``asked`` at which every image passes, 0 where none does; notes all that it tries."""
    for step in STEPS if settings.on_failure == "reduce_strength" else STEPS[:1]:
        strength = round(step * asked, 1)
        if strength not in tried:
            tried[strength] = tuple(assessed(denoised, strength, settings))
        if all(one.passed for one in tried[strength]):
            return strength
    return 0.0


def _reason(asked: float, granted: float, tried: dict[float, tuple[Assessment, ...]]) -> str:
    """Which strengths did not pass, and the lights that were off at the least of them."""
    failed = sorted((strength for strength in tried if granted < strength <= asked), reverse=True)
    faults = {str(fault): None for one in tried[failed[-1]] for fault in one.faults}
    outcome = f"lowered to {granted:g} percent" if granted else "not handed out"
    strengths = " and ".join(", ".join(f"{one:g}" for one in failed).rsplit(", ", 1))
    at = f" at {failed[-1]:g} percent" if len(failed) > 1 else ""
    return f"strength {strengths} percent did not pass the gate, so it was {outcome}:{at} {', '.join(faults)}"


def assessed(denoised: DenoisedSeries, strength: float, settings: GateSettings) -> Iterator[Assessment]:
    """Each image of the series at one strength, in order; one original is in memory at a time."""
    if denoised.source.modality == "US":
        for clip in _clip_pairs(denoised):
            yield assess_clip(clip.at(strength), strength, settings)
    else:
        for _, _, volume in _volume_pairs(denoised):
            yield assess_volume(volume.at(strength), strength, settings)


def _clip_pairs(denoised: DenoisedSeries) -> Iterator[ClipPair]:
    for instance, after in denoised.images.items():
        clip = read_clip(instance)
        yield ClipPair(clip.frames, after, clip.tissue, clip.maximum)


def _volume_pairs(denoised: DenoisedSeries) -> Iterator[tuple[Any, float, VolumePair]]:
    """Each volume by its key, before and after; what is known of the change, the Rician bias of an sd, is no harm."""
    source = denoised.source
    volumes = (
        read_volumes(source) if isinstance(source, NiftiImage) else ((key, read_volume(key)) for key in denoised.images)
    )
    for (key, volume), fit in zip(volumes, denoised.fits, strict=True):
        after = denoised.images[key]
        if (sd := float(fit.measures.get("rician_sd", 0.0))) > 0:
            after = return_rician_bias(after, sd)
            after[~volume.valid] = denoised.images[key][~volume.valid]
        threshold = tissue_of(volume.voxels, source.modality).threshold
        yield key, sd, VolumePair(volume.voxels, after, volume.valid, volume.spacing, threshold, source.modality)


def _keep(images: Images, rician_sd: float, pair: VolumePair, settings: GateSettings) -> int:
    """Keep the original where something small was erased or invented, in ``images`` itself; at how many places."""
    tissue = pair.tissue
    noise, _ = noise_levels(pair.before, pair.after, tissue)
    kept = (
        restore_small_structures(pair.before, pair.after, pair.valid, tissue, noise, settings.local_sd) if noise else 0
    )
    if kept and rician_sd > 0:  # else pair.after is images
        images[pair.valid] = remove_rician_bias(pair.after, rician_sd)[pair.valid]
    return kept


class CheckQualityOperator(Operator):  # type: ignore[misc]
    """The gate."""

    def __init__(
        self, fragment: Any, *args: Any, strengths: tuple[float, ...], settings: GateSettings, **kwargs: Any
    ) -> None:
        self._strengths, self._settings = strengths, settings
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """A pair of ports for each branch, so that none waits for another; any input is reason enough to run."""
        for port in PORTS:
            spec.input(port)
            spec.output(port)
        spec.or_combine_port_conditions(list(PORTS))

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Pass on what came of each branch."""
        for port in PORTS:
            outcome: DenoisedSeries | LedgerEntry | None = op_input.receive(port)
            if outcome is not None:
                op_output.emit(self._checked(outcome), port)

    def _checked(self, outcome: DenoisedSeries | LedgerEntry) -> CheckedSeries | LedgerEntry:
        if isinstance(outcome, LedgerEntry):
            return outcome
        return within_boundary(outcome.source, lambda: check(outcome, self._strengths, self._settings))
