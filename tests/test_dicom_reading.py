"""Reading: every file ends in a series or among the unread, whatever it holds and wherever it lies."""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from dicom_builders import file_meta, image_series, image_slice, save, stored_values, ultrasound
from pydicom.uid import (
    ComprehensiveSRStorage,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
)

from operators.dicom.errors import ConflictingDuplicatesError, MissingAttributeError, NotAnImageError, TooLargeError
from operators.dicom.reading import read_study
from operators.dicom.reading_limits import ReadingLimits

CANARY = "CANARYBIRD"


def test_folder_of_any_depth_and_one_file_are_read(tmp_path: Path) -> None:
    slices = image_series("CT", 4)
    save(tmp_path / "a" / "b", *slices[:2])
    save(tmp_path / "c", *slices[2:])
    whole = read_study(tmp_path)
    assert [len(series.instances) for series in whole.series] == [4]
    assert whole.series[0].modality == "CT"
    assert len(read_study(tmp_path / "c" / "file0").series[0].instances) == 1


def test_shuffled_files_change_nothing(tmp_path: Path) -> None:
    slices = image_series("MR", 5)
    forward, backward = read_study(save(tmp_path / "f", *slices)), read_study(save(tmp_path / "b", *slices[::-1]))
    assert [i.uid for i in forward.series[0].instances] == [i.uid for i in backward.series[0].instances]


def test_neighbours_of_hosts_are_passed_over(tmp_path: Path) -> None:
    save(tmp_path, *image_series("CT", 3))
    for name in ("file0.dcm.json", "file1.tags", "task.json", "DICOMDIR"):
        (tmp_path / name).write_text(json.dumps({"process": {}}))
    assert read_study(tmp_path).unread == ()


def test_what_is_not_dicom_is_unread_and_named_by_reason_only(tmp_path: Path) -> None:
    (tmp_path / f"{CANARY}.txt").write_text(f"a note on {CANARY}, long enough to be looked at" * 9)
    (tmp_path / "empty").touch()
    (tmp_path / "noise").write_bytes(np.random.default_rng(0).bytes(4000))
    reasons = [unread.reason for unread in read_study(tmp_path).unread]
    assert sorted(reasons) == ["an empty file", "not a DICOM file", "not a DICOM file"]


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside, inside = save(tmp_path / "outside", *image_series("CT", 3)), tmp_path / "inside"
    inside.mkdir()
    (inside / "file").symlink_to(outside / "file0")
    (inside / "folder").symlink_to(outside)
    assert read_study(inside).series == ()


def test_file_without_meta_information_is_read(tmp_path: Path) -> None:
    made = image_slice("CT", 0)
    del made.file_meta
    made.save_as(tmp_path / "bare", implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert (tmp_path / "bare").read_bytes()[:2] == b"\x08\x00"
    assert read_study(tmp_path).series[0].modality == "CT"


def test_identical_duplicates_are_one_and_others_are_refused(tmp_path: Path) -> None:
    save(tmp_path, *image_series("CT", 3))
    shutil.copy(tmp_path / "file0", tmp_path / "again")
    assert len(read_study(tmp_path).series[0].instances) == 3
    save(tmp_path, image_slice("CT", 0, RescaleIntercept=-1000))
    assert isinstance(read_study(tmp_path).series[0].refusal, ConflictingDuplicatesError)


def test_duplicates_in_another_transfer_syntax_are_one(tmp_path: Path) -> None:
    packed = image_slice("CT", 0)
    packed.compress(RLELossless, generate_instance_uid=False)
    save(tmp_path, image_slice("CT", 0), packed)
    series = read_study(tmp_path).series[0]
    assert series.refusal is None
    assert len(series.instances) == 1


@pytest.mark.parametrize(
    ("sop_class", "name"),
    [
        (RTStructureSetStorage, "RT Structure Set Storage"),
        (ComprehensiveSRStorage, "Comprehensive SR Storage"),
        (SecondaryCaptureImageStorage, "Secondary Capture Image Storage"),
    ],
)
def test_other_objects_are_refused_by_the_name_of_their_class(tmp_path: Path, sop_class: str, name: str) -> None:
    save(tmp_path, file_meta(image_slice("CT", 0, SOPClassUID=sop_class)))
    refusal = read_study(tmp_path).series[0].refusal
    assert isinstance(refusal, NotAnImageError)
    assert name in str(refusal)


def test_announced_pixels_beyond_the_limit_are_refused_before_decoding(tmp_path: Path) -> None:
    save(tmp_path, image_slice("CT", 0, Rows=65535, Columns=65535))
    series = read_study(tmp_path).series[0]
    assert isinstance(series.refusal, TooLargeError)
    save(tmp_path / "small", image_slice("CT", 0))
    assert read_study(tmp_path / "small", ReadingLimits(47)).series[0].refusal is not None
    assert read_study(tmp_path / "small", ReadingLimits(48)).series[0].refusal is None


def test_text_in_a_uid_makes_the_file_unread_without_repeating_it(tmp_path: Path) -> None:
    made = image_slice("CT", 0)
    made.SeriesInstanceUID = f"../{CANARY}"
    save(tmp_path, made)
    study = read_study(tmp_path)
    assert study.series == ()
    assert CANARY not in study.unread[0].reason


def test_an_image_without_a_study_is_refused(tmp_path: Path) -> None:
    made = image_slice("CT", 0)
    del made.StudyInstanceUID
    save(tmp_path, made)
    with pytest.raises(MissingAttributeError, match="StudyInstanceUID"):
        read_study(tmp_path).series[0].check()


def test_what_follows_the_end_of_a_deflated_stream_is_no_reason_to_wait(tmp_path: Path) -> None:
    made = file_meta(image_slice("CT", 0), DeflatedExplicitVRLittleEndian)
    made.PixelData = bytes(2**20)
    save(tmp_path, made)
    with (tmp_path / "file0").open("ab") as file:
        file.write(bytes(9))
    assert [series.uid for series in read_study(tmp_path).series] == [made.SeriesInstanceUID]


def test_deflated_bomb_is_unread(tmp_path: Path) -> None:
    made = image_slice("CT", 0)
    file_meta(made, DeflatedExplicitVRLittleEndian)
    made.PixelData = bytes(64)
    save(tmp_path, made)
    whole = (tmp_path / "file0").read_bytes()
    assert read_study(tmp_path).series[0].modality == "CT"
    bomb = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data_set = 132 + 12 + int.from_bytes(whole[140:144], "little")
    megabytes = bomb.compress(bytes(2**24)) + bomb.flush(zlib.Z_FULL_FLUSH)
    (tmp_path / "file0").write_bytes(whole[:data_set] + 70 * megabytes)
    assert "deflated" in read_study(tmp_path).unread[0].reason


def test_header_cut_at_any_byte_is_no_crash(tmp_path: Path) -> None:
    save(tmp_path, image_slice("CT", 0))
    whole = (tmp_path / "file0").read_bytes()
    for length in range(0, len(whole), 37):
        (tmp_path / "file0").write_bytes(whole[:length])
        study = read_study(tmp_path)
        assert len(study.series) + len(study.unread) == 1


def test_a_uid_written_as_a_name_makes_the_file_unread(tmp_path: Path) -> None:
    save(tmp_path, image_slice("CT", 0))
    whole = (tmp_path / "file0").read_bytes()
    (tmp_path / "file0").write_bytes(whole.replace(b"\x08\x00\x16\x00UI", b"\x08\x00\x16\x00PN"))
    assert "SOPClassUID" in read_study(tmp_path).unread[0].reason


def test_modality_follows_the_storage_class(tmp_path: Path) -> None:
    save(tmp_path, ultrasound(stored_values(0)[None] % 255, "MONOCHROME2", Modality="OT"))
    assert read_study(tmp_path).series[0].modality == "US"
