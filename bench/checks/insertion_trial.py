"""Small structures inserted into a volume, of which an output loses half, and whether they are found.

What is lost stands out by its matched filter's signal-to-noise ratio: an ideal observer, who knows shape and place,
has d' of so much in the noise of before, as far as it shows in what was removed. The filter is divided by the noise's
power, as the check's own, nowhere by less than `LEAST_POWER` of its mean: no scanner shows structures at frequencies
where it has no noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage

from operators.quality.even_change import FAINT, level_of, narrow, stabilised
from operators.quality.gate_settings import GateSettings
from operators.quality.local_change import BLOCK, SmallChange, searched, small_changes
from operators.quality.matched_filters import noise_powers
from operators.quality.noise import noise_levels
from operators.quality.volume_pair import VolumePair
from validation.phantoms.anatomy import Mask
from validation.phantoms.insertions import Insertion, Shape, draw_insertions, inserted, profile_of

SPOTS = tuple(Shape(mm, slices=n) for mm in (1.0, 2.0, 3.5, 5.0, 7.0) for n in (1, 3))
LINES = tuple(Shape(mm, 20.0, n) for mm in (1.0, 2.0, 3.5) for n in (1, 3, 7))  # over several slices plates
CONTRASTS = (3.0, 5.0, 8.0, 11.0, 15.0)  # sd of what was removed there
LOST = 0.5  # of their contrast
SURROUNDINGS = (1, 6, 6)  # slices and pixels, sd of what counts as there
APART = (2, 12, 12)  # slices and pixels between two insertions
NEAR = (1, 2, 2)  # slices and pixels beyond an insertion that still are its place
LIMIT = GateSettings().local_sd


@dataclass(frozen=True)
class Lost:
    """One insertion that lost half."""

    insertion: Insertion
    snr: float
    found: bool


def places_in(pair: VolumePair, body: Mask) -> list[SmallChange]:
    """Return what the check reports beyond its limit."""
    found = (change for start in range(0, len(body), BLOCK) for change in small_changes(pair, body, start))
    return [change for change in found if change.size > LIMIT]


def searched_body(pair: VolumePair) -> Mask:
    """Return where small changes are searched for."""
    tissue = pair.tissue
    return searched(pair, tissue, noise_levels(pair.before, pair.after, tissue)[0])


def try_insertions(pair: VolumePair, seed: int) -> Iterator[Lost]:
    """Insert each shape once, as far as there is room, into before and half as strong into after."""
    rng, body = np.random.default_rng(seed), searched_body(pair)
    removed = narrow(torch.tensor(pair.after - pair.before)).numpy()
    sd = np.sqrt(ndimage.gaussian_filter(removed * removed, SURROUNDINGS))
    shapes, drawn, free = [*SPOTS, *LINES], list[Insertion](), body.copy()
    rng.shuffle(shapes)
    for shape in shapes:
        for insertion in draw_insertions(rng, free, pair.spacing, [shape], [float(rng.choice(CONTRASTS))], sd):
            drawn.append(insertion)
            free[_around(insertion, pair)] = False
    added = inserted(np.zeros_like(pair.before), pair.spacing, drawn)
    spoiled = replace(pair, before=pair.before + added, after=pair.after + np.float32(1 - LOST) * added)
    changes = places_in(spoiled, searched_body(spoiled))
    for insertion in drawn:
        yield Lost(insertion, _snr(pair, body, insertion), any(_at(change, insertion, pair) for change in changes))


def _snr(pair: VolumePair, body: Mask, insertion: Insertion) -> float:
    box, profile = profile_of(insertion, pair.spacing)
    y, f = (stabilised(torch.tensor(images[box[0]]), pair.modality) for images in (pair.before, pair.after))
    level = level_of(narrow(f - y), torch.tensor(body[box[0]]))
    noise, before = narrow(f - y) / level, narrow(y) / level
    with_all, with_part = (
        stabilised(torch.tensor(pair.after[box] + np.float32(part) * insertion.contrast * profile), pair.modality)
        for part in (1, 1 - LOST)
    )
    lost = torch.zeros_like(noise)
    lost[:, box[1], box[2]] = with_all - with_part
    shape = torch.fft.rfft2((lost / level).mean(dim=0)).numpy()
    spectra = (torch.fft.rfft2(noise), torch.fft.rfft2((before + noise).clamp(-FAINT, FAINT)))
    power = noise_powers(*spectra)[1] / len(noise) / body[box[0]].mean()  # of the mean of independent slices
    weight = np.full(power.shape, 2.0)
    weight[:, [0, -1]] = 1
    return float(np.sqrt((weight * np.abs(shape) ** 2 / power).sum()))


def _at(change: SmallChange, insertion: Insertion, pair: VolumePair) -> bool:
    box, _ = profile_of(insertion, pair.spacing)
    return all(
        side.start - reach <= at < side.stop + reach for side, reach, at in zip(box, NEAR, change.place, strict=True)
    )


def _around(insertion: Insertion, pair: VolumePair) -> tuple[slice, ...]:
    """Return where no other insertion may have its centre."""
    box, _ = profile_of(insertion, pair.spacing)
    return tuple(slice(max(0, side.start - by), side.stop + by) for side, by in zip(box, APART, strict=True))
