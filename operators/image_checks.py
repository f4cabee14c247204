"""One image of a series, before and after, for the checks: how it is assessed, and what of the original it gets back.

The Rician bias that was removed from MR is a known change and no harm: it is put back before anything is measured.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from models.volume.tissue import tissue_of
from operators.messages import CheckedSeries, DenoisedSeries
from operators.quality.assessment import Assessment
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.known_correction import with_whole_correction
from operators.quality.restoring import Restored, clipped, restore
from operators.quality.volume_checks import assess_volume
from operators.quality.volume_pair import VolumePair
from operators.sources.image import Image, Images
from operators.sources.source import Key

FULL = 100.0  # percent


@dataclass(frozen=True, eq=False)
class CheckedImage:
    """One image before and after, and what the checks need to know of it."""

    key: Key
    before: Image
    after: Images
    modality: str
    method: str
    rician_sd: float  # of the noise whose bias was removed, 0 where none was

    def assess(self, strength: float, settings: GateSettings) -> Assessment:
        """Run the checks of the method on the image after so many percent of the change."""
        if self.method == "ultrasound":
            return assess_clip(self.clip_pair().at(strength), strength, settings)
        return assess_volume(self.volume_pair().at(strength), strength, settings)

    def restored(self, settings: GateSettings) -> tuple[Images, Restored]:
        """Return ``after`` with the original restored where it fails, clipped to what can be measured, and where."""
        pair = self.volume_pair()
        restored = restore(pair, settings)
        images = restored.images
        if self.rician_sd > 0:
            images = np.where(pair.valid, remove_rician_bias(images, self.rician_sd), self.after)
        return clipped(images, pair), restored

    def clip_pair(self) -> ClipPair:
        """Return the pair that the checks of a clip measure."""
        return ClipPair(self.before.values, self.after, self.before.valid, self.before.maximum)

    def volume_pair(self) -> VolumePair:
        """Return the pair that the checks of a volume measure."""
        before, after = self.before, self.after
        if self.rician_sd > 0:
            after = return_rician_bias(after, self.rician_sd)
            after[~before.valid] = self.after[~before.valid]
        threshold = tissue_of(before.values, self.modality).threshold
        return VolumePair(before.values, after, before.valid, before.spacing, threshold, self.modality)


def images_at(checked: CheckedSeries, strength: float) -> Mapping[Key, Images]:
    """Return what a series' writer must be given at a strength: known corrections stay whole, whatever it is."""
    sds = [float(fit.measures.get("rician_sd", 0.0)) for fit in checked.summary.fits]
    if strength == FULL or not any(sds):
        return checked.images
    images = dict(checked.images)
    for (key, after), sd in zip(checked.images.items(), sds, strict=True):
        if sd > 0:
            before = checked.originals.read(key)
            images[key] = with_whole_correction(before.values, after, before.valid, sd, strength)
    return images


def checked_images(denoised: DenoisedSeries, images: Mapping[Key, Images]) -> Iterator[CheckedImage]:
    """Yield each of ``images`` beside its original; one original that has to be decoded is in memory at a time."""
    source = denoised.source
    for (key, after), fit in zip(images.items(), denoised.summary.fits, strict=True):
        rician_sd = float(fit.measures.get("rician_sd", 0.0))
        yield CheckedImage(key, denoised.originals.read(key), after, source.modality, source.method, rician_sd)


def restored_images(
    denoised: DenoisedSeries, settings: GateSettings
) -> tuple[Mapping[Key, Images], Mapping[Key, Restored]]:
    """Return the images of a series with the original restored where they fail, and what was restored of each."""
    if denoised.source.method == "ultrasound":
        return denoised.images, {}
    results = {image.key: image.restored(settings) for image in checked_images(denoised, denoised.images)}
    images = {key: images for key, (images, _) in results.items()}
    return images, {key: restored for key, (_, restored) in results.items()}
