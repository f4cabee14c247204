"""The removed part and the noise map: real values, sign, padding, identity, and what other readers make of them."""

from pathlib import Path

import numpy as np
import pytest
from dicom_builders import image_series, save, set_pixels, through_bytes
from judges import PROVENANCE, files_by_uid, missing, source_of
from pydicom import dcmread
from pydicom.dataset import Dataset
from test_judges_validators import contradictions_among, errors_in

from operators.dicom.deriving import derive_volume_series
from operators.dicom.errors import OwnOutputError
from operators.dicom.geometry import stacks_of
from operators.dicom.parts import derive_part
from operators.dicom.pixels import read_volume
from operators.dicom.provenance import DerivedSettings
from operators.dicom.reading import Series, read_study
from operators.residual_series import PARTS

REMOVED, NOISE_MAP = PARTS
NOISE = 12.5  # in real units, sets the window of the objects
PADDED = -1500  # HU; only padding is below
KINDS = ("ct", "mr", "pet")


def only_series(folder: Path) -> Series:
    (series,) = read_study(folder).series
    return series


def changed(series: Series) -> dict[object, np.ndarray]:
    """Smoother voxels: up here and down there."""
    volumes = {stack: read_volume(stack).voxels for stack in stacks_of(series, 3)}
    return {stack: (voxels + np.roll(voxels, 1, axis=-1)) / 2 for stack, voxels in volumes.items()}


def parts_of(series: Series, part: object = REMOVED) -> list[Dataset]:
    made = derive_part(series, changed(series), part, NOISE, PROVENANCE, DerivedSettings(), frozenset())
    return [through_bytes(each) for each in made]


def real(dataset: Dataset) -> np.ndarray:
    return dataset.pixel_array * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_source_less_derived_is_the_removed_part(tmp_path: Path, modality: str, signed: int) -> None:
    slices = image_series(modality, 4)
    for made in slices:
        made.PixelRepresentation = signed
    series = only_series(save(tmp_path, *slices))
    derived = derive_volume_series(series, changed(series), PROVENANCE, DerivedSettings(), frozenset())
    for before, after, part in zip(series.instances, derived, parts_of(series), strict=True):
        source = dcmread(before.path)
        wanted = real(source) - real(through_bytes(after))
        assert np.abs(real(part) - wanted).max() <= 0.51 * float(part.RescaleSlope)
        assert wanted.min() < 0 < wanted.max()
        assert part.PixelRepresentation == 1


def test_padding_is_zero_and_no_longer_declared(tmp_path: Path) -> None:
    slices = image_series("CT", 4, PixelPaddingValue=9)
    for made in slices:
        pixels = made.pixel_array.copy()
        pixels[:3] = made.PixelPaddingValue
        made.PixelData = pixels.tobytes()
    for part in PARTS:
        for made in parts_of(only_series(save(tmp_path / part.word, *slices)), part):
            assert not made.pixel_array[:3].any()
            assert "PixelPaddingValue" not in made


def test_noise_map_is_in_the_unit_of_the_values(tmp_path: Path) -> None:
    rng, slices = np.random.default_rng(0), image_series("CT", 3)
    for made in slices:
        made.RescaleSlope, made.RescaleIntercept = 0.5, -1000
        set_pixels(made, np.rint(rng.normal(1500, 40, (64, 64))))
    maps = [real(made) for made in parts_of(only_series(save(tmp_path, *slices)), NOISE_MAP)]
    assert np.median(maps) == pytest.approx(20, rel=0.1)


def test_each_part_is_a_series_of_its_own_that_says_what_it_is(tmp_path: Path) -> None:
    series = only_series(save(tmp_path, *image_series("MR", 3)))
    derived = next(derive_volume_series(series, changed(series), PROVENANCE, DerivedSettings(), frozenset()))
    made = [parts_of(series, part)[0] for part in PARTS]
    assert len({each.SeriesInstanceUID for each in (derived, *made)}) == 3
    assert len({each.SOPInstanceUID for each in (derived, *made)}) == 3
    assert [each.ImageType[0] for each in made] == ["DERIVED"] * 2
    assert [each.ImageType[3] for each in made] == ["REMOVED", "NOISE_MAP"]
    assert [each.SeriesDescription.rpartition(", ")[2] for each in made] == ["removed part", "noise map"]
    assert [each.WindowCenter for each in made] == [0, NOISE]
    again = parts_of(series)
    assert again[0] == made[0]


def test_a_part_is_never_denoised(tmp_path: Path) -> None:
    made = parts_of(only_series(save(tmp_path / "in", *image_series("CT", 3))))
    with pytest.raises(OwnOutputError):
        stacks_of(only_series(save(tmp_path / "out", *made)), 3)


@pytest.fixture(scope="module")
def parted(judged: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Source folders by kind, and beside them both parts of each."""
    folder = tmp_path_factory.mktemp("parts")
    for kind in KINDS:
        for part in PARTS:
            for made in parts_of(only_series(judged[0] / kind), part):
                save(folder / kind / part.word, made)
    return judged[0], folder


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.word)
@pytest.mark.parametrize("kind", KINDS)
def test_dciodvfy_finds_no_error_that_the_source_did_not_have(
    parted: tuple[Path, Path], kind: str, part: object
) -> None:
    sources = files_by_uid(parted[0])
    files = list((parted[1] / kind / part.word).iterdir())
    for file in files:
        assert errors_in(file) <= errors_in(source_of(dcmread(file, stop_before_pixels=True), sources))
    source = list((parted[0] / kind).iterdir())
    assert contradictions_among([*source, *files]) <= contradictions_among(source)


@pytest.mark.parametrize("kind", KINDS)
def test_simpleitk_reads_the_removed_part_in_place_and_in_real_units(parted: tuple[Path, Path], kind: str) -> None:
    try:
        import SimpleITK
    except ImportError:
        missing("SimpleITK is not installed")
    images = []
    for folder in (parted[0] / kind, parted[1] / kind / REMOVED.word):
        (uid,) = SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
        names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
        images.append(SimpleITK.ReadImage(names, SimpleITK.sitkFloat32))
    source, removed = images
    assert removed.GetOrigin() == source.GetOrigin()
    assert removed.GetSpacing() == source.GetSpacing()
    assert removed.GetDirection() == source.GetDirection()
    voxels = SimpleITK.GetArrayFromImage(source)
    wanted = (voxels - np.roll(voxels, 1, axis=-1)) / 2
    step = max(float(dcmread(file).get("RescaleSlope", 1)) for file in (parted[0] / kind).iterdir())
    measured = (voxels > PADDED) & (np.roll(voxels, 1, axis=-1) > PADDED)
    assert measured.mean() > 0.5
    assert np.abs(SimpleITK.GetArrayFromImage(removed) - wanted)[measured].max() <= 1.1 * step
