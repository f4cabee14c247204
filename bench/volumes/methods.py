"""Every method of the bench by name: a `Case`, a number of steps and a seed in, the denoised volume out.

Each has one setting for all volumes. Those that fit nothing ignore steps and seed.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from bench.volumes import classical, self_supervised
from bench.volumes.bench_cases import Case
from models.compute import choose_compute
from models.fitting import FitContext
from models.volume.ns_n2n import denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings
from validation.phantoms.anatomy import Volume

PLENTY = 1e9  # seconds: the steps are those asked for
Method = Callable[[Case, int, int], Volume]


def ns_n2n(variant: str, case: Case, steps: int, seed: int) -> Volume:
    """Our pipeline's own entry, default or as published."""
    done = denoise_volume(
        case.noisy.copy(),
        np.ones(case.noisy.shape, bool),
        spacing=case.spacing,
        settings=NSN2NSettings(variant=variant, steps=steps),
        context=FitContext(choose_compute("cpu"), seed, PLENTY, math.inf, variant, modality=case.modality),
    )
    return done.images


def _fixed(denoise: Callable[[Case], Volume]) -> Method:
    return lambda case, steps, seed: denoise(case)


METHODS: Mapping[str, Method] = {
    "ours": partial(ns_n2n, "default"),
    "published": partial(ns_n2n, "published"),
    "bm4d": _fixed(classical.bm4d_sigma),
    "bm4d_spectrum": _fixed(classical.bm4d_spectrum),
    "bm3d_spectrum": _fixed(classical.bm3d_spectrum),
    "nlm": _fixed(classical.nlm),
    "tv": _fixed(classical.total_variation),
    **{name: partial(self_supervised.denoise, name) for name in self_supervised.LOSSES},
}
