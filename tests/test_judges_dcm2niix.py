"""dcm2niix, the converter of the research world: source and derived, as many volumes, in one place."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from judges import ADDED, judge, said_by

KINDS = ("ct", "mr", "pet", "enhanced CT", "enhanced MR", "enhanced PT")


def converted(folder: Path, target: Path) -> nibabel.Nifti1Image:
    target.mkdir()
    said = said_by(judge("dcm2niix", "dcm2niix"), "-b", "n", "-f", "it", "-o", target, folder)
    files = list(target.glob("*.nii"))
    assert len(files) == 1, said
    return nibabel.Nifti1Image.from_filename(files[0])


@pytest.mark.parametrize("kind", KINDS)
def test_derived_converts_as_its_source_does(judged: tuple[Path, Path], kind: str, tmp_path: Path) -> None:
    source, derived = (converted(side / kind, tmp_path / name) for side, name in zip(judged, "sd", strict=True))
    assert derived.shape == source.shape
    assert np.array_equal(derived.affine, source.affine)
    if not kind.startswith("enhanced"):  # dcm2niix takes the slope of the first frame for all
        change = derived.get_fdata() - source.get_fdata()
        assert abs(np.median(change) - ADDED) < 1
