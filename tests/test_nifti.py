"""NIfTI through bytes and back."""

from collections import Counter
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.provenance import Provenance
from operators.sources.image import Image
from operators.sources.nifti import NiftiRefusal, find_nifti
from operators.sources.nifti_image import NiftiImage
from operators.sources.nifti_settings import NiftiSettings
from tests.small_study import CANARY

AFFINE = np.array([[1.5, 0.1, 0, -5], [-0.1, 2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1.0]])
MR = NiftiSettings("MR")


def saved(folder: Path, values: Any, slope: float = 1.0, intercept: float = 0.0, name: str = ".nii.gz") -> Path:
    image = nibabel.Nifti1Image(values, AFFINE)
    image.set_qform(AFFINE, 1, strip_shears=True)
    image.set_sform(AFFINE, 2)
    image.header["descrip"] = b"as it was"
    image.header.set_slope_inter(slope, intercept)
    path = folder / f"{CANARY}{name}"
    nibabel.save(image, path)
    return path


def described(path: Path) -> NiftiImage:
    ((image,), unread) = find_nifti(path, MR)
    assert not unread
    return image


def volumes(source: NiftiImage) -> list[Image]:
    return [image for _, image in source.images(Counter())]


def written(source: NiftiImage, images: dict[int, Any], strength: float, folder: Path) -> Path:
    provenance = Provenance("NS-N2N", "0.1", "abc", 0, strength, "cpu", "float32", "AVX2 in 2 threads", 5)
    return folder / source.write(images, source.plan(provenance, DerivedSettings(), frozenset()), folder).series_uid


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.3, -7.5), (-2.0, 1.0)])
@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 3), (5, 4, 3, 2)])
def test_no_change_is_the_identity(
    tmp_path: Path, dtype: type[np.generic], slope: float, intercept: float, shape: tuple[int, ...]
) -> None:
    stored = np.random.default_rng(0).integers(0, 120, shape).astype(dtype)
    path = saved(tmp_path, stored, slope, intercept)
    source = described(path)
    same = {index: volume.values for index, volume in enumerate(volumes(source))}
    after = nibabel.load(written(source, same, 100, tmp_path))
    before = nibabel.load(path)
    np.testing.assert_array_equal(after.dataobj.get_unscaled(), stored)
    assert after.header == before.header
    np.testing.assert_array_equal(after.affine, before.affine)


def test_axes_are_slices_rows_columns(tmp_path: Path) -> None:
    (volume,) = volumes(described(saved(tmp_path, np.arange(60, dtype=np.int16).reshape(5, 4, 3))))
    assert volume.values.shape == (3, 4, 5)
    assert volume.values[2, 1, 4] == np.arange(60).reshape(5, 4, 3)[4, 1, 2]


def test_what_is_given_is_written_and_the_name_says_the_strength(tmp_path: Path) -> None:
    source = described(saved(tmp_path, np.full((4, 4, 3), 100, np.int16), 0.5))
    path = written(source, {0: np.full((3, 4, 4), 44, np.float32)}, 60, tmp_path)
    np.testing.assert_array_equal(nibabel.load(path).get_fdata(), 44.0)
    assert path.name.endswith("_strength-60.nii.gz")


def test_integers_stay_in_their_range(tmp_path: Path) -> None:
    source = described(saved(tmp_path, np.full((4, 4, 3), 100, np.uint8)))
    change = np.full((3, 4, 4), -5, np.float32)
    change[0] = 300
    values = nibabel.load(written(source, {0: change}, 100, tmp_path)).get_fdata()
    assert (values[..., 0] == 255).all()
    assert (values[..., 1:] == 0).all()


def test_what_is_not_finite_is_left_out_and_stays(tmp_path: Path) -> None:
    values = np.ones((4, 4, 3), np.float32)
    values[0, 0, 0], values[1, 1, 1] = np.nan, np.inf
    source = described(saved(tmp_path, values))
    (volume,) = volumes(source)
    assert np.isfinite(volume.values).all()
    assert (~volume.valid).sum() == 2
    after = nibabel.load(written(source, {0: volume.values * 2}, 100, tmp_path)).get_fdata()
    np.testing.assert_array_equal(after, values * np.where(np.isfinite(values), 2, 1))


def test_the_same_file_gives_the_same_bytes_and_no_name(tmp_path: Path) -> None:
    source = described(saved(tmp_path, np.ones((4, 4, 3), np.int16)))
    same = {0: np.ones((3, 4, 4), np.float32)}
    first = written(source, same, 100, tmp_path).read_bytes()
    path = written(source, same, 100, tmp_path)
    assert path.read_bytes() == first
    assert CANARY not in path.name
    assert CANARY.encode() not in first


@pytest.mark.parametrize(
    ("values", "settings", "reason"),
    [
        (np.ones((4, 4, 3), np.int16), NiftiSettings(), "nifti.modality"),
        (np.ones(4, np.int16), MR, "1 dimensions"),
        (np.ones((4, 4, 3), np.complex64), MR, "no grey values"),
    ],
)
def test_what_can_not_be_denoised_is_refused(tmp_path: Path, values: Any, settings: NiftiSettings, reason: str) -> None:
    ((image,), _) = find_nifti(saved(tmp_path, values), settings)
    assert isinstance(image.refusal, NiftiRefusal)
    assert reason in str(image.refusal)


def test_a_folder_gives_its_files_by_content_and_reports_the_broken_ones(tmp_path: Path) -> None:
    for index, name in enumerate(("b.nii", "a.nii.gz")):
        saved(tmp_path, np.full((4, 4, 3), index, np.int16), name=name)
    (tmp_path / "broken.nii").write_bytes(b"x" * 400)
    (tmp_path / "other.txt").write_text("x")
    images, unread = find_nifti(tmp_path, MR)
    assert len(images) == 2
    assert [image.uid for image in images] == sorted(image.uid for image in images)
    assert len(unread) == 1
