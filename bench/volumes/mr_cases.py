"""MR of thick slices as hospitals make it: each way of acquiring and filtering, by name."""

from collections.abc import Mapping

from validation.phantoms.k_space import Encoding
from validation.phantoms.mr_acquisition import Acquisition
from validation.phantoms.mr_receive import COILS

PLAIN = Acquisition()
MR_SCANS: Mapping[str, tuple[str, Acquisition]] = {  # name: anatomy and acquisition
    "mr_t1_5mm": ("t1", PLAIN),
    "mr_t2_5mm": ("t2", PLAIN),
    "mr_flair_5mm": ("flair", PLAIN),
    "mr_neck_5mm": ("neck", PLAIN),
    "mr_filled_2": ("t2", Acquisition(Encoding(zero_fill=(2.0, 2.0)))),
    "mr_flair_filled_2": ("flair", Acquisition(Encoding(zero_fill=(2.0, 2.0)))),
    "mr_filled_133": ("t2", Acquisition(Encoding(zero_fill=(1.0, 1.33)))),
    "mr_elliptical": ("t2", Acquisition(Encoding(zero_fill=(1.5, 1.5), elliptical=True))),
    "mr_partial": ("t2", Acquisition(Encoding(partial_fourier=0.75))),
    "mr_hamming": ("t2", Acquisition(Encoding(window="hamming"), noise_percent=14.0)),
    "mr_fermi": ("t2", Acquisition(Encoding(window="fermi"))),
    "mr_four_coils": ("flair", Acquisition(coils=COILS)),
    "mr_g_factor": ("flair", Acquisition(noise_percent=4.0, g_factor=3.0)),
    "mr_norm": ("flair", Acquisition(coils=COILS, normalised=True)),
    "mr_air_masked": ("t1", Acquisition(air_masked=True)),
}
