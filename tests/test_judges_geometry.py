"""SimpleITK and highdicom: a derived series lies where its source lies, and holds its values."""

from collections import defaultdict
from pathlib import Path

import highdicom
import numpy as np
import pytest
from judges import ADDED, files_by_uid, missing, source_of
from pydicom import dcmread

CLASSIC = ("ct", "mr", "pet")
ROUNDING = 0.51  # stored steps


@pytest.mark.parametrize("kind", CLASSIC)
def test_simpleitk_reads_the_same_geometry_and_the_changed_values(judged: tuple[Path, Path], kind: str) -> None:
    try:
        import SimpleITK
    except ImportError:
        missing("SimpleITK is not installed")
    images = []
    for folder in (side / kind for side in judged):
        (uid,) = SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
        names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
        images.append(SimpleITK.ReadImage(names, SimpleITK.sitkFloat32))
    one, other = images
    assert other.GetSize() == one.GetSize()
    assert other.GetOrigin() == one.GetOrigin()
    assert other.GetSpacing() == one.GetSpacing()
    assert other.GetDirection() == one.GetDirection()
    change = SimpleITK.GetArrayFromImage(other) - SimpleITK.GetArrayFromImage(one)
    assert abs(np.median(change) - ADDED) < 1


@pytest.mark.parametrize("kind", CLASSIC)
def test_highdicom_builds_the_same_volume_from_both(judged: tuple[Path, Path], kind: str) -> None:
    one, other = (
        highdicom.get_volume_from_series([dcmread(file) for file in sorted((side / kind).iterdir())]) for side in judged
    )
    assert np.array_equal(one.affine, other.affine)
    assert one.frame_of_reference_uid == other.frame_of_reference_uid
    step = max(float(dcmread(file).get("RescaleSlope", 1)) for file in (judged[0] / kind).iterdir())
    change = other.array - one.array
    assert np.abs(change[change != 0] - ADDED).max() <= ROUNDING * step + 1
    assert (change != 0).mean() > 0.5


@pytest.mark.parametrize("kind", ["enhanced CT", "enhanced MR", "enhanced PT"])
def test_highdicom_places_the_frames_of_an_enhanced_object_similar(judged: tuple[Path, Path], kind: str) -> None:
    one, other = (highdicom.imread(next((side / kind).iterdir())) for side in judged)
    here, there = one.get_volume_geometry(), other.get_volume_geometry()
    assert np.array_equal(here.affine, there.affine)
    assert here.spatial_shape == there.spatial_shape


def test_each_object_lies_where_the_one_it_names_as_its_source_lies(judged: tuple[Path, Path]) -> None:
    sources, seen = files_by_uid(judged[0]), defaultdict(set)
    for kind in CLASSIC:
        for file in (judged[1] / kind).iterdir():
            made = dcmread(file, stop_before_pixels=True)
            source = dcmread(source_of(made, sources), stop_before_pixels=True)
            assert made.ImagePositionPatient == source.ImagePositionPatient
            seen[kind].add(source.SOPInstanceUID)
        assert len(seen[kind]) == len(list((judged[0] / kind).iterdir()))
