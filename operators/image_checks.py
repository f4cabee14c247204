"""Assess one image of a series, before and after, and restore the original where something small was lost.

The Rician bias that was removed from MR is a known change and no harm: it is put back before anything is measured.
"""

from collections.abc import Iterator
from dataclasses import replace

from models.fitting import Denoised, FitRecord
from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from models.volume.tissue import tissue_of
from operators.messages import RESTORED, DenoisedSeries
from operators.quality.assessment import Assessment
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.noise import noise_levels
from operators.quality.restoring import restore_small_structures
from operators.quality.volume_checks import SMALL_STRUCTURES, VolumePair, assess_volume
from operators.sources.image import Image, Images


def assessed(denoised: DenoisedSeries, strength: float, settings: GateSettings) -> Iterator[Assessment]:
    """Assess each image of a series after so many percent of the change, one after another."""
    for (key, after), fit in zip(denoised.images.items(), denoised.summary.fits, strict=True):
        before = denoised.originals.read(key)
        if denoised.source.method == "ultrasound":
            clip = ClipPair(before.values, after, before.valid, before.maximum)
            yield assess_clip(clip.at(strength), strength, settings)
        else:
            volume = volume_pair(before, after, denoised.source.modality, fit)
            yield assess_volume(volume.at(strength), strength, settings)


def with_small_structures(before: Image, fitted: Denoised, modality: str, settings: GateSettings) -> Denoised:
    """Blend the original into a fitted volume of CT or MR where something small was erased or invented.

    The images of ``fitted`` are changed in place, before they travel in a message: a copy would exceed the memory that
    the fit needs.

    Returns:
        The same images, and the record with the number of locations.
    """
    images, record = fitted.images, fitted.record
    if modality not in SMALL_STRUCTURES or settings.on_failure != "reduce_strength":
        return fitted
    pair, rician_sd = volume_pair(before, images, modality, record), _rician_sd(record)
    tissue = pair.tissue
    noise_sd, _ = noise_levels(pair.before, pair.after, tissue)
    if not noise_sd:
        return fitted
    locations = restore_small_structures(pair.before, pair.after, pair.valid, tissue, noise_sd, settings.local_sd)
    if locations and rician_sd > 0:  # else pair.after is images
        images[pair.valid] = remove_rician_bias(pair.after, rician_sd)[pair.valid]
    return replace(fitted, record=replace(record, measures={**record.measures, RESTORED: locations}))


def volume_pair(before: Image, after: Images, modality: str, fit: FitRecord) -> VolumePair:
    """Return the pair that the checks of a volume measure."""
    if (rician_sd := _rician_sd(fit)) > 0:
        amplitude, after = after, return_rician_bias(after, rician_sd)
        after[~before.valid] = amplitude[~before.valid]
    threshold = tissue_of(before.values, modality).threshold
    return VolumePair(before.values, after, before.valid, before.spacing, threshold, modality)


def _rician_sd(fit: FitRecord) -> float:
    """The sd of the noise whose Rician bias was removed, 0 where none was."""
    return float(fit.measures.get("rician_sd", 0.0))
