"""Maps are not images: refused by name before any fit, and images that resemble them are served."""

from pathlib import Path

import numpy as np
import pytest
from dicom_builders import enhanced, image_series, save, set_pixels
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from operators.dicom.errors import ImageKindError, MapError
from operators.dicom.geometry import Stack, stacks_of, volumes_in
from operators.dicom.label_masks import resembles_labels
from operators.dicom.map_kinds import MAP_KINDS
from operators.dicom.pixels import images_among
from operators.dicom.reading import read_study
from operators.dicom.reading_limits import ReadingLimits

MINIMUM = 3
DERIVED, ORIGINAL = ["DERIVED", "PRIMARY"], ["ORIGINAL", "PRIMARY"]
ADC_UNIT = "mm2/s"


def stacks(folder: Path, *datasets: Dataset, maps: tuple[str, ...] = ()) -> tuple[Stack, ...]:
    return stacks_of(read_study(save(folder, *datasets), ReadingLimits(maps=maps)).series[0], MINIMUM)


def coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def mapping(unit: str = "", quantity: Code | None = None) -> Dataset:
    """A real world value mapping with a UCUM unit, or a quantity."""
    made = Dataset()
    if unit:
        made.MeasurementUnitsCodeSequence = [coded(Code(unit, "UCUM", unit))]
    if quantity:
        definition = Dataset()
        definition.ValueType, definition.ConceptCodeSequence = "CODE", [coded(quantity)]
        made.QuantityDefinitionSequence = [definition]
    return made


EXPLICIT = {
    "ADC map": ("MR", ["DERIVED", "SECONDARY", "ADC"]),
    "ADC map of Siemens": ("MR", ["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND", "NORM"]),
    "anisotropy": ("MR", [*DERIVED, "DIFFUSION", "FA"]),
    "tensor": ("MR", [*DERIVED, "DIFFUSION", "TENSOR_TRACE"]),
    "relaxation of T1": ("MR", [*DERIVED, "T1 MAP", "ND"]),
    "relaxation of T2": ("MR", [*DERIVED, "T2_MAP"]),
    "relaxation of T2*": ("MR", [*DERIVED, "T2STAR MAP"]),
    "relaxation, a rate": ("MR", [*DERIVED, "R2_STAR"]),
    "proton density map": ("MR", [*DERIVED, "PD_MAP"]),
    "perfusion, flow": ("MR", [*DERIVED, "PERFUSION", "RELCBF"]),
    "perfusion, volume": ("CT", [*DERIVED, "PERFUSION", "RCBV"]),
    "perfusion, MTT": ("CT", [*DERIVED, "PERFUSION", "MTT"]),
    "perfusion, TTP": ("MR", [*DERIVED, "PERFUSION", "TTP"]),
    "perfusion, Tmax": ("CT", [*DERIVED, "TMAX"]),
    "perfusion, Ktrans": ("MR", [*DERIVED, "KTRANS"]),
    "fraction of fat": ("MR", [*DERIVED, "DIXON", "FAT_FRACTION"]),
    "field map": ("MR", [*ORIGINAL, "B0 MAP", "B0", "UNSPECIFIED"]),
    "field map of B1": ("MR", [*DERIVED, "B1_MAP"]),
    "kinetic Ki": ("PT", [*DERIVED, "KI"]),
    "kinetic Vt": ("PT", [*DERIVED, "VT"]),
    "subtraction": ("CT", ["DERIVED", "SECONDARY", "AXIAL", "SUBTRACTION"]),
    "material: iodine": ("CT", [*DERIVED, "AXIAL", "MAT_SPECIFIC"]),
    "material: virtual non-contrast": ("CT", [*DERIVED, "AXIAL", "VNC"]),
    "spectral: effective Z": ("CT", [*DERIVED, "AXIAL", "EFF_ATOMIC_NUM"]),
    "spectral: electron density": ("CT", [*DERIVED, "AXIAL", "ELECTRON_DENSITY"]),
    "label mask": ("MR", [*DERIVED, "SEGMENTATION"]),
    "screen capture": ("CT", ["DERIVED", "SECONDARY", "SCREENSHOT"]),
    "projection": ("PT", [*DERIVED, "MIP"]),
}


@pytest.mark.parametrize("name", EXPLICIT)
def test_one_value_of_image_type_is_enough(tmp_path: Path, name: str) -> None:
    modality, image_type = EXPLICIT[name]
    word = name.partition(":")[0].partition(",")[0].partition(" of ")[0].split(" K")[0].split(" V")[0]
    with pytest.raises(ImageKindError, match=word):
        stacks(tmp_path, *image_series(modality, 4, ImageType=image_type))


def test_a_quantity_or_derivation_code_is_enough(tmp_path: Path) -> None:
    adc = codes.DCM.ApparentDiffusionCoefficient
    made = image_series("MR", 4, RealWorldValueMappingSequence=[mapping(quantity=adc)])
    with pytest.raises(MapError, match="ADC map"):
        stacks(tmp_path / "quantity", *made)
    made = image_series("CT", 4, DerivationCodeSequence=[coded(codes.DCM.PixelByPixelSubtraction)])
    with pytest.raises(MapError, match="subtraction"):
        stacks(tmp_path / "derivation", *made)


@pytest.mark.parametrize("units", ["MLMINML", "UMOLMINML", "MLML"])
def test_the_units_of_pet_name_kinetic_parameters(tmp_path: Path, units: str) -> None:
    with pytest.raises(MapError, match="kinetic"):
        stacks(tmp_path, *image_series("PT", 4, Units=units))


ADC_WORDS = "Apparent Diffusion Coefficient"
WEAK = {
    "unit and description": ("MR", {"RescaleType": ADC_UNIT, "SeriesDescription": "Ax DWI_ADC"}),
    "unit and derivation": ("MR", {"RescaleType": ADC_UNIT, "DerivationDescription": ADC_WORDS}),
    "derived, and described": ("MR", {"ImageType": ["DERIVED", "SECONDARY"], "SeriesDescription": ADC_WORDS}),
    "mapped unit and description": (
        "MR",
        {"RealWorldValueMappingSequence": [mapping("mm2/s")], "SeriesDescription": "dReg - ADC"},
    ),
    "iodine": ("CT", {"RescaleType": "MGML", "ImageType": [*DERIVED, "AXIAL"]}),
    "effective Z": ("CT", {"RescaleType": "Z_EFF", "SeriesDescription": "Z Effective"}),
    "T2 map": ("MR", {"RescaleType": "ms", "SeriesDescription": "T2 Map"}),
    "fat": ("MR", {"ImageType": [*DERIVED, "OTHER"], "SeriesDescription": "IDEAL FatFrac"}),
}
IMAGES = {
    "protocol that names its map": ("MR", {"SeriesDescription": "DWI b1000 ADC"}),
    "unit alone": ("MR", {"RescaleType": ADC_UNIT}),
    "trace-weighted": ("MR", {"ImageType": [*DERIVED, "DIFFUSION", "TRACEW"], "SeriesDescription": "DWI_ADC_TRACEW"}),
    "trace-weighted by name": ("MR", {"ImageType": DERIVED, "SeriesDescription": "Ax DWI Trace"}),
    "flip angle": ("MR", {"ImageType": [*DERIVED, "M"], "SeriesDescription": "t1_vibe_FA 15"}),
    "proton density weighting": ("MR", {"ImageType": [*DERIVED, "M", "NORM"], "SeriesDescription": "PD FS sag"}),
    "weighting in the type": ("MR", {"ImageType": [*ORIGINAL, "T2", "NONE"]}),
    "moved images of a T1 mapping": ("MR", {"ImageType": [*DERIVED, "M", "MOCO"], "SeriesDescription": "T1Map_MOCO"}),
    "b = 0 by the maker's flag": (
        "MR",
        {
            "ImageType": [*ORIGINAL, "DIFFUSION", "B0"],
            "DiffusionBValue": 1000.0,
            "DiffusionGradientOrientation": [0, 0, 0],
        },
    ),
    "arterial spin labels": ("MR", {"ImageType": [*ORIGINAL, "ASL", "LABEL"]}),
    "uptake": ("PT", {"Units": "GML", "SUVType": "BW"}),
    "counts of a SPECT": ("PT", {"Units": "CNTS", "Modality": "NM"}),
    "mono-energetic": ("CT", {"ImageType": [*DERIVED, "AXIAL", "VMI"], "SeriesDescription": "iodine map mono 70 keV"}),
    "less than a millimetre": ("CT", {"ImageType": [*DERIVED, "AXIAL"], "SeriesDescription": "SUB 1 mm lung"}),
    "contrast agent": ("CT", {"ImageType": [*DERIVED, "AXIAL", "MPR"], "SeriesDescription": "Thorax iodine 3 mm"}),
}


@pytest.mark.parametrize("name", WEAK)
def test_two_weak_signs_are_enough(tmp_path: Path, name: str) -> None:
    modality, changes = WEAK[name]
    with pytest.raises(MapError):
        stacks(tmp_path, *image_series(modality, 4, **changes))


@pytest.mark.parametrize("name", IMAGES)
def test_what_resembles_a_map_is_served(tmp_path: Path, name: str) -> None:
    modality, changes = IMAGES[name]
    assert len(stacks(tmp_path, *image_series(modality, 4, **changes))) == 1


def test_the_frames_of_an_enhanced_object_are_judged_one_by_one(tmp_path: Path) -> None:
    made = enhanced("MR", 4, times=2)
    kind = made.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence
    del made.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence
    for group in made.PerFrameFunctionalGroupsSequence[:4]:
        group.MRImageFrameTypeSequence = kind
    for group in made.PerFrameFunctionalGroupsSequence[4:]:
        group.RealWorldValueMappingSequence = [mapping(quantity=codes.DCM.T1)]
    (stack,) = stacks(tmp_path, made)
    assert [place.frame for place in stack.places] == [0, 1, 2, 3]


def test_a_setting_lets_a_kind_through(tmp_path: Path) -> None:
    made = image_series("MR", 4, ImageType=[*DERIVED, "ADC"])
    assert len(stacks(tmp_path, *made, maps=("adc",))) == 1
    with pytest.raises(MapError, match=r"'adc' to limits\.maps"):
        stacks(tmp_path, maps=("subtraction",))
    with pytest.raises(ValueError, match="none of adc, anisotropy"):
        ReadingLimits(maps=("ADC",))


def labelled(kind: str) -> np.ndarray:
    """A volume (slices, rows, columns) of ten squares, each of one value, on background."""
    volume = np.zeros((6, 40, 40), np.float32)
    for label in range(1, 11):
        volume[:, 3 * label : 3 * label + 3, 4:36] = 1 if kind == "binary" else label
    return volume


@pytest.mark.parametrize("kind", ["binary", "labels"])
def test_labels_are_known_by_their_values(kind: str) -> None:
    assert resembles_labels(labelled(kind))


def test_noise_reports_an_image_from_labels() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (6, 40, 40))
    assert not resembles_labels(np.rint(labelled("labels") * 10 + noise))
    assert not resembles_labels(labelled("labels") * 0.5)
    assert not resembles_labels(np.full((6, 40, 40), 7.0))


def test_a_label_mask_without_a_name_is_refused_by_a_few_slices(tmp_path: Path) -> None:
    slices = image_series("MR", 6)
    for made, values in zip(slices, labelled("labels"), strict=True):
        set_pixels(made, values)
    volumes = volumes_in(read_study(save(tmp_path, *slices)).series[0], 3)
    with pytest.raises(ImageKindError, match="a label mask"):
        images_among(volumes)


def test_every_kind_has_a_key_of_its_own_and_compares_with_plain_values() -> None:
    assert len({kind.key for kind in MAP_KINDS}) == len(MAP_KINDS)
    for kind in MAP_KINDS:
        assert not any(set(value) & set(" _-") or not value.isupper() for value in kind.types)
