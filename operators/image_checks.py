"""Assess one image of a series, before and after, and restore the original where it fails.

The Rician bias that was removed from MR is a known change and no harm: it is put back before anything is measured.
"""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from models.fitting import Denoised, FitRecord
from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from models.volume.tissue import tissue_of
from operators.messages import RESTORED, RESTORED_PERCENT, DenoisedSeries
from operators.quality.assessment import Assessment
from operators.quality.blending import blend_of
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.clip_restoring import restore_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.restoring import clip, restore
from operators.quality.strength import FULL, at_strength
from operators.quality.volume_checks import Structure, assess_volume, structure_of
from operators.quality.volume_pair import VolumePair
from operators.sources.image import Image, Images
from operators.sources.source import Key


def assessed(
    denoised: DenoisedSeries, strength: float, settings: GateSettings, structures: MutableMapping[Key, Structure]
) -> Iterator[Assessment]:
    """Assess each image of a series after so many percent of the change, one after another.

    Args:
        structures: what was measured of volumes at another strength and holds at any; added to.
    """
    for (key, after), fit in zip(denoised.images.items(), denoised.summary.fits, strict=True):
        before = denoised.originals.read(key)
        if denoised.source.method == "ultrasound":
            clip = ClipPair(before.values, after, before.valid, before.maximum, torch.device(fit.device_kind))
            yield assess_clip(clip.at(strength), strength, settings)
        else:
            volume = volume_pair(before, after, denoised.source.modality, fit)
            if key not in structures:
                structures[key] = structure_of(volume)
            yield assess_volume(volume, strength, settings, structures[key])


def with_original(before: Image, fitted: Denoised, modality: str, settings: GateSettings) -> Denoised:
    """Blend the original into a fitted volume where it fails, and clip it to what can be measured.

    The images of ``fitted`` are changed in place, before they travel in a message.

    Returns:
        The same images, and the record with the percent of the tissue that was restored, by check too.
    """
    images, record = fitted.images, fitted.record
    if settings.on_failure != "reduce_strength":
        return fitted
    pair, rician_sd = volume_pair(before, images, modality, record), _rician_sd(record)
    restored = restore(pair, settings)
    amplitude = remove_rician_bias(restored.images, rician_sd) if rician_sd > 0 else restored.images
    if restored.coarse is not None:
        images[pair.valid] = amplitude[pair.valid]
    clip(images, pair)
    by_check = {f"{RESTORED_PERCENT} {check}": percent for check, percent in restored.by_check.items()}
    measures = {RESTORED: restored.locations, RESTORED_PERCENT: restored.percent, **by_check}
    return Denoised(images, replace(record, measures={**record.measures, **measures}), restored.coarse)


def clip_with_original(before: Image, fitted: Denoised, settings: GateSettings) -> Denoised:
    """Blend the original into a fitted clip, in place, where a line or a spot was lost or made.

    Returns:
        The same images, and the record with the percent of the tissue that was restored, if any was.
    """
    if settings.on_failure != "reduce_strength":
        return fitted
    blend = blend_of(before.values, fitted.images)
    locations = restore_clip(blend, before.valid, settings.local_sd, torch.device(fitted.record.device_kind))
    if not locations:
        return fitted
    percent = blend.percent(np.broadcast_to(before.valid, fitted.images.shape))
    measures = {RESTORED: locations, RESTORED_PERCENT: percent, f"{RESTORED_PERCENT} local_change": percent}
    return Denoised(
        blend.images, replace(fitted.record, measures={**fitted.record.measures, **measures}), blend.coarse()
    )


def images_at(denoised: DenoisedSeries, strength: float) -> Mapping[Key, Images]:
    """Return the images of a series as they are written at a strength."""
    return {key: image_at(denoised, key, strength) for key in denoised.images}


def image_at(denoised: DenoisedSeries, key: Key, strength: float, indices: Sequence[int] | None = None) -> Images:
    """Return one image of a series, or some of its slices or frames, as it is written at a strength."""
    after = denoised.images[key] if indices is None else denoised.images[key][indices]
    if strength == FULL:
        return after
    before = denoised.originals.read(key, indices)
    fit = dict(zip(denoised.images, denoised.summary.fits, strict=True))[key]
    is_volume = denoised.source.method == "volume"
    return at_strength(before.values, after, before.valid, strength, rician_sd=_rician_sd(fit), low_first=is_volume)


def volume_pair(before: Image, after: Images, modality: str, fit: FitRecord) -> VolumePair:
    """Return the pair that the checks of a volume measure."""
    if (rician_sd := _rician_sd(fit)) > 0:
        amplitude, after = after, return_rician_bias(after, rician_sd)
        after[~before.valid] = amplitude[~before.valid]
    threshold = tissue_of(before.values, modality).threshold
    device = torch.device(fit.device_kind)
    return VolumePair(before.values, after, before.valid, before.spacing, threshold, modality, device)


def _rician_sd(fit: FitRecord) -> float:
    """The sd of the noise whose Rician bias was removed, 0 where none was."""
    return float(fit.measures.get("rician_sd", 0.0))
