"""Low-contrast detectability on the FDA's simulated phantom: filtered back-projection, ours, and its DL denoiser.

``python -m bench.detectability --data FOLDER``; FOLDER holds ct_lcd_fda of the LCD-CT tool's data (CC0): ten
realisations at 10 and 100 % dose, with and without four faint discs. The ten are stacked as neighbouring slices, which
is the best case for a method that learns from neighbours. The DL files are other realisations than the FBP files.
Prints d' of the channelised Hotelling observer with its 95 % interval, and the noise in the middle.
"""

import argparse
import logging
import math
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.conformance import table
from app.settings import load_settings
from models.compute import choose_compute
from models.fitting import FitContext
from models.volume.ns_n2n import denoise_volume
from operators.report.noise_power import sds_of
from validation.measures.intervals import Measured, bootstrapped
from validation.measures.observer import detectability, laguerre_gauss, regions_around, responses

DOSES = ("010", "100")  # percent
SIDE, REALISATIONS = 256, 10
PIXEL_MM = 0.67  # a disc of 3 mm spans 4.5 pixels
WATER = 1000.0  # stored value of 0 HU
INSERTS = {  # name: (row, column) of the centre and diameter, pixels
    "3 mm, 14 HU": ((95, 160), 5.8),
    "5 mm, 7 HU": ((95, 95), 8.3),
    "7 mm, 5 HU": ((160, 95), 11.8),
    "10 mm, 3 HU": ((160, 160), 16.3),
}
REGION, WIDTH = 33, 1.5  # pixels that the observer sees; channel width over the disc's diameter
BUDGET = 240.0  # seconds for a volume

Volume = NDArray[np.float32]


def read(folder: Path, kind: str, dose: str, signal: str) -> Volume:
    """Return the realisations in HU, (REALISATIONS, SIDE, SIDE)."""
    files = sorted((folder / kind / f"dose_{dose}" / f"signal_{signal}").glob("*.raw"))[:REALISATIONS]
    # the DL files are big-endian and lifted by 2^15
    stored, lift = ("<i2", 0.0) if kind == "fbp" else (">u2", 2.0**15)
    images = np.stack([np.fromfile(file, stored).reshape(SIDE, SIDE) for file in files])
    return np.asarray(images - lift - WATER, np.float32)


def ours(volume: Volume) -> Volume:
    """Denoise the realisations as one volume, at the installed settings."""
    settings = load_settings()
    compute, seed = choose_compute(settings.run.device), settings.run.seed
    context = FitContext(compute, seed, BUDGET, math.inf, "FDA phantom", modality="CT")
    done = denoise_volume(
        volume,
        np.ones(volume.shape, bool),
        spacing=(1.0, PIXEL_MM, PIXEL_MM),
        settings=settings.ns_n2n,
        context=context,
    )
    return done.images


def seen(volumes: Mapping[str, Volume], insert: str) -> Measured:
    """Return d' of an insert; regions without signal are taken at all four locations, which are equivalent."""
    centre, diameter = INSERTS[insert]
    channels = laguerre_gauss(REGION, WIDTH * diameter)
    numbers = range(REALISATIONS)
    with_it = regions_around(volumes["present"], [(z, *centre) for z in numbers], REGION)
    without = regions_around(volumes["absent"], [(z, *c) for z in numbers for c, _ in INSERTS.values()], REGION)
    present, absent = responses(with_it, channels), responses(without, channels)
    return bootstrapped(lambda i, j: detectability(present[i], absent[j]), len(present), len(absent))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Detectability before and after, beside a DL denoiser's.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ct_lcd_fda")
    folder = parser.parse_args().data / "ct_lcd_fda" / "small_dataset"
    logging.basicConfig(level=logging.INFO)
    rows = []
    for dose in DOSES:
        fbp = {signal: read(folder, "fbp", dose, signal) for signal in ("present", "absent")}
        learned = {signal: read(folder, "DL_denoised", dose, signal) for signal in ("present", "absent")}
        kinds = {"FBP": fbp, "ours": {signal: ours(volume) for signal, volume in fbp.items()}, "DL": learned}
        for name, volumes in kinds.items():
            middle = slice(SIDE // 2 - 16, SIDE // 2 + 16)
            noise = sds_of(volumes["absent"][:, middle, middle]).mean()
            measured = [seen(volumes, insert) for insert in INSERTS]
            cells = (f"{d.value:.2f} [{d.low:.2f}, {d.high:.2f}]" for d in measured)
            rows.append((f"{int(dose)} %", name, f"{noise:.1f}", *cells))
    print(table(("Dose", "Image", "Noise, HU", *INSERTS), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
