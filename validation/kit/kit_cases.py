"""Which test objects a validation runs: a case is one DICOM series and one run of the application.

Cases of one group differ only in the noise and the locations drawn and are pooled. `quick` has each kind at few noise
levels; the full kit has more levels and more draws.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from validation.phantoms.ct_inserts import ct_inserts
from validation.phantoms.mr_inserts import mr_inserts
from validation.phantoms.pet_inserts import pet_inserts
from validation.phantoms.pet_phantom import NOISE_PER_ROOT
from validation.phantoms.speckle_inserts import speckle_inserts
from validation.phantoms.test_object import TestObject

CT, CT_NOISY, MR, PET, US = "CT 15 HU", "CT 30 HU", "MR 8 %", "PET", "US"  # groups that every validation has
SITE = "site"  # the group of the site's own phantom
CT_QUIET, CT_THICK, MR_QUIET, MR_NOISY, PET_NOISY = "CT 8 HU", "CT 15 HU, 3 mm", "MR 4 %", "MR 12 %", "PET, half dose"
NOISE_HU, NOISE_HU_HIGH, NOISE_HU_LOW, NOISE_PERCENT = 15.0, 30.0, 8.0, 8.0
HALF_DOSE = NOISE_PER_ROOT * 2**0.5


@dataclass(frozen=True)
class KitCase:
    """One series to be made and run."""

    group: str
    make: Callable[[], TestObject]
    draw: int  # number of the case in its group; seed of the object
    seed: int = 0  # of the application's run

    @property
    def name(self) -> str:
        """What the log and the document call it."""
        return f"{self.group}, draw {self.draw}, seed {self.seed}"


def cases(quick: bool) -> tuple[KitCase, ...]:
    """Return those of a quick or of a full validation."""
    makers: dict[str, tuple[Callable[..., TestObject], int]] = {
        CT: (partial(ct_inserts, noise_hu=NOISE_HU), 1 if quick else 3),
        CT_NOISY: (partial(ct_inserts, noise_hu=NOISE_HU_HIGH), 1 if quick else 3),
        MR: (partial(mr_inserts, noise_percent=NOISE_PERCENT), 1 if quick else 3),
        PET: (pet_inserts, 1 if quick else 4),
        US: (speckle_inserts, 2 if quick else 6),
    }
    if not quick:
        makers |= {
            CT_QUIET: (partial(ct_inserts, noise_hu=NOISE_HU_LOW), 2),
            CT_THICK: (partial(ct_inserts, slice_mm=3.0, noise_hu=NOISE_HU), 2),
            MR_QUIET: (partial(mr_inserts, noise_percent=NOISE_PERCENT / 2), 2),
            MR_NOISY: (partial(mr_inserts, noise_percent=NOISE_PERCENT * 1.5), 2),
            PET_NOISY: (partial(pet_inserts, noise_per_root=HALF_DOSE), 8),  # of fewer, chance alone passes the limit
        }
    return tuple(_drawn(makers, 1 if quick else 3))


def _drawn(makers: dict[str, tuple[Callable[..., TestObject], int]], seeds: int) -> Iterator[KitCase]:
    for group, (make, draws) in makers.items():
        yield from (KitCase(group, partial(make, seed=draw), draw) for draw in range(draws))
    make = makers[CT][0]
    yield from (KitCase(CT, partial(make, seed=0), 0, seed) for seed in range(1, seeds + 1))
