"""Series that hold several volumes, as makers send them: split by what differs, named by it, none mixed up."""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dicom_builders import enhanced, image_slice, save
from pydicom.dataset import Dataset

from operators.dicom.geometry import Stack, stacks_of
from operators.dicom.reading import read_study

MINIMUM, SLICES = 4, 4
Attributes = Mapping[str, object]


def series_of(modality: str, volumes: list[Attributes]) -> Iterator[Dataset]:
    """One slice after the other, and at each position every volume: the order in which many scanners number them."""
    for index in range(SLICES):
        for number, attributes in enumerate(volumes):
            yield image_slice(
                modality, index * len(volumes) + number, ImagePositionPatient=[0, 0, 2 * index], **attributes
            )


def split(folder: Path, slices: list[Dataset]) -> tuple[Stack, ...]:
    (series,) = read_study(save(folder, *slices)).series
    return stacks_of(series, MINIMUM)


def numbers(stack: Stack) -> list[int]:
    return [int(place.instance.header.InstanceNumber) for place in stack.places]


TIMES = ["20240102090000", "20240102090130", "20240102090300"]
SERIES = {
    "gated CT by phase": ("CT", "NominalPercentageOfCardiacPhase", [10, 50, 90], "cardiac phase (%) 50"),
    "gated CT by trigger": ("CT", "TriggerTime", [100, 400, 700], "trigger time (ms) 400"),
    "breathing CT": ("CT", "NominalPercentageOfRespiratoryPhase", [0, 50], "respiratory phase (%) 50"),
    "dynamic PET": ("PT", "FrameReferenceTime", [5000, 15000, 45000], "frame reference time (ms) 15000"),
    "perfusion CT": ("CT", "AcquisitionNumber", [1, 2, 3], "acquisition 2"),
    "contrast CT": ("CT", "AcquisitionDateTime", TIMES, "acquisition 2 of 3"),
    "multi-echo MR": ("MR", "EchoTime", ["4.6", "9.2", "13.8"], "echo time (ms) 9.2"),
    "multi-echo MR by number": ("MR", "EchoNumbers", [1, 2], "echo 2"),
    "inversion recovery MR": ("MR", "InversionTime", [50, 400], "inversion time (ms) 400"),
    "time points of MR": ("MR", "TemporalPositionIdentifier", [1, 2], "time point 2"),
    "diffusion MR": ("MR", "DiffusionBValue", [0.0, 500.0, 1000.0], "b-value (s/mm2) 500"),
    "DIXON MR": (
        "MR",
        "ImageType",
        [["DERIVED", "PRIMARY", "DIXON", kind] for kind in ("FAT", "IN_PHASE", "OPP_PHASE", "WATER")],
        "image type 2 of 4",
    ),
}


@pytest.mark.parametrize("name", SERIES)
def test_a_series_is_split_by_what_differs(tmp_path: Path, name: str) -> None:
    modality, keyword, values, label = SERIES[name]
    slices = list(series_of(modality, [{keyword: value} for value in values]))
    found = split(tmp_path, slices[::-1])
    assert [numbers(stack) for stack in found] == [
        [1 + volume + len(values) * index for index in range(SLICES)] for volume in range(len(values))
    ]
    assert found[1].label == label


def with_private(made: Dataset, group: int, creator: str, element: int, kind: str, value: object) -> Dataset:
    made.private_block(group, creator, create=True).add_new(element, kind, value)
    return made


@pytest.mark.parametrize(
    ("group", "creator", "element", "kind", "values"),
    [
        (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", ["0", "1000"]),
        (0x0019, "SIEMENS MR HEADER", 0x0C, "UN", [b"0 ", b"1000"]),
        (0x0043, "GEMS_PARM_01", 0x39, "IS", [["0", "8", "0", "0"], ["1000001000", "8", "0", "0"]]),
        (0x0043, "GEMS_PARM_01", 0x39, "UN", [b"0\\8\\0\\0", b"1000001000\\8\\0\\0 "]),
        (0x2001, "Philips Imaging DD 001", 0x03, "FL", [0.0, 1000.0]),
        (0x2001, "Philips Imaging DD 001", 0x03, "UN", [struct.pack("<f", value) for value in (0, 1000)]),
    ],
)
def test_makers_private_b_values_report_volumes_apart(
    tmp_path: Path, group: int, creator: str, element: int, kind: str, values: list[object]
) -> None:
    slices = []
    for index, made in enumerate(series_of("MR", [{}, {}])):
        slices.append(with_private(made, group, creator, element, kind, values[index % 2]))
    assert [stack.label for stack in split(tmp_path, slices)] == ["b-value (s/mm2) 0", "b-value (s/mm2) 1000"]


def test_a_broken_private_b_value_is_passed_over(tmp_path: Path) -> None:
    slices = [
        with_private(made, 0x0019, "SIEMENS MR HEADER", 0x0C, "UN", b"\xff\xfe\x00abc")
        for made in series_of("MR", [{"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}])
    ]
    assert [stack.label for stack in split(tmp_path, slices)] == ["time point 1", "time point 2"]


def test_directions_within_a_b_value_are_volumes_of_their_own(tmp_path: Path) -> None:
    weighted = [{"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": axis} for axis in ([1, 0, 0], [0, 1, 0])]
    found = split(tmp_path, list(series_of("MR", [{"DiffusionBValue": 0.0}, *weighted])))
    assert [len(stack.places) for stack in found] == [4, 4, 4]
    assert found[0].label == "b-value (s/mm2) 0"
    assert found[1].label == "b-value (s/mm2) 1000, diffusion direction 1 of 2"


def test_echoes_of_several_time_points_are_split_twice(tmp_path: Path) -> None:
    volumes = [{"EchoTime": echo, "TemporalPositionIdentifier": time} for time in (1, 2) for echo in ("5", "10")]
    labels = [stack.label for stack in split(tmp_path, list(series_of("MR", volumes)))]
    assert labels == [f"echo time (ms) {echo}, time point {time}" for echo in (5, 10) for time in (1, 2)]


def test_the_time_of_each_slice_splits_no_volume(tmp_path: Path) -> None:
    slices = [
        image_slice("CT", i, AcquisitionTime=f"0900{i:02d}", TriggerTime=str(i), AcquisitionNumber=i) for i in range(6)
    ]
    (stack,) = split(tmp_path, slices)
    assert (len(stack.places), stack.label) == (6, "")


def test_enhanced_frames_at_several_times_are_volumes(tmp_path: Path) -> None:
    assert len(split(tmp_path, [enhanced("MR", 4, times=3)])) == 3


def test_a_time_series_of_one_slice_is_a_volume_for_each_time(tmp_path: Path) -> None:
    slices = [image_slice("MR", i, ImagePositionPatient=[0, 0, 0], TemporalPositionIdentifier=i) for i in range(19)]
    found = split(tmp_path, slices)
    assert [len(stack.places) for stack in found] == [1] * 19
    assert found[7].label == "time point 7"


def test_a_position_reported_by_slice_location_alone_is_refused_by_name(tmp_path: Path) -> None:
    slices = [image_slice("CT", i, SliceLocation=2 * i) for i in range(4)]
    for made in slices:
        del made.ImagePositionPatient
    with pytest.raises(ValueError, match=r"ImagePositionPatient .* SliceLocation has an origin of the maker's own"):
        split(tmp_path, slices)
