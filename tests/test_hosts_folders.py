"""Folders as hosts lay them: neighbours, odd names, links, several studies. Every file is reported or a neighbour."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from dicom_builders import ROOT, enhanced, image_series, image_slice, save
from pydicom.fileset import FileSet
from pydicom.uid import MediaStorageDirectoryStorage, SecondaryCaptureImageStorage

from app.setting_errors import SettingsError
from app.settings import load_settings
from app.task_file import TASK_FILE, task_settings
from operators.dicom.errors import SeveralStudiesError, SharedInstanceError
from operators.dicom.geometry import stacks_of, volumes_in
from operators.dicom.reading import read_study
from operators.dicom.reading_limits import ReadingLimits
from operators.dicom.study import Study
from operators.sources.nifti import find_nifti
from operators.sources.nifti_settings import NiftiSettings

MINIMUM = 3


def sizes(study: Study) -> list[int]:
    return [len(series.instances) for series in study.series]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*") if path.is_file()}


class TestMedia:
    def test_a_media_set_with_its_directory_is_read(self, tmp_path: Path) -> None:
        media = FileSet()
        for made in image_series("CT", 4):
            made.PatientOrientation = None
            media.add(made)
        media.write(tmp_path / "disc")
        study = read_study(tmp_path / "disc")
        assert (sizes(study), study.unread) == ([4], ())

    def test_a_directory_under_another_name_is_reported(self, tmp_path: Path) -> None:
        media = FileSet()
        media.add(image_slice("CT", 0, PatientOrientation=None))
        media.write(tmp_path / "disc")
        (tmp_path / "disc" / "DICOMDIR").rename(tmp_path / "disc" / "index")
        (unread,) = read_study(tmp_path / "disc").unread
        assert "a DICOM directory" in unread.reason
        assert "a DICOM directory" in read_study(tmp_path / "disc" / "index").unread[0].reason

    def test_an_image_that_says_to_be_a_directory_is_reported(self, tmp_path: Path) -> None:
        made = image_slice("CT", 0)
        made.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        made.save_as(tmp_path / "image", enforce_file_format=False)
        (unread,) = read_study(tmp_path).unread
        assert "a DICOM directory" in unread.reason


class TestNames:
    @pytest.mark.parametrize(
        "name", ["1.2.3#4.5.6.dcm", "no extension", "ü\n\t.dcm", b"\xff\xfe#", "-i", "*.dcm", "a" * 255]
    )
    def test_any_name_is_read(self, tmp_path: Path, name: str | bytes) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        for index, made in enumerate(image_series("CT", 4)):
            made.save_as(tmp_path / "file", enforce_file_format=True)
            target = os.fsencode(folder / str(index))
            os.mkdir(target)
            shutil.move(tmp_path / "file", os.path.join(target, os.fsencode(name)))
        study = read_study(folder)
        assert (sizes(study), study.unread) == ([4], ())
        assert len(stacks_of(study.series[0], MINIMUM)) == 1

    def test_a_pipe_among_the_files_is_passed_over(self, tmp_path: Path) -> None:
        os.mkfifo(save(tmp_path, *image_series("CT", 3)) / "pipe")
        assert sizes(read_study(tmp_path)) == [3]


class TestLinks:
    def test_a_link_inside_the_folder_is_the_same_object(self, tmp_path: Path) -> None:
        save(tmp_path, *image_series("CT", 3))
        (tmp_path / "again").symlink_to(tmp_path / "file0")
        assert sizes(read_study(tmp_path)) == [3]

    def test_circles_and_dead_links_end(self, tmp_path: Path) -> None:
        save(tmp_path, *image_series("CT", 3))
        (tmp_path / "circle").symlink_to(tmp_path)
        (tmp_path / "dead").symlink_to(tmp_path / "nothing")
        (tmp_path / "self").symlink_to(tmp_path / "self")
        assert sizes(read_study(tmp_path)) == [3]

    def test_nifti_behind_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)), tmp_path / "outside.nii")
        (tmp_path / "in" / "link.nii").symlink_to(tmp_path / "outside.nii")
        assert find_nifti(tmp_path / "in", NiftiSettings("MR")) == ((), ())


class TestStudies:
    def test_a_study_in_several_folders_is_one(self, tmp_path: Path) -> None:
        for number, made in enumerate(image_series("CT", 6)):
            save(tmp_path / str(number % 3) / "deep" / "deeper", made)
        assert len(stacks_of(read_study(tmp_path).series[0], MINIMUM)[0].places) == 6

    def test_two_studies_are_both_denoised_or_both_refused(self, tmp_path: Path) -> None:
        save(tmp_path / "a", *image_series("CT", 3))
        other = [image_slice("CT", i, series=5, StudyInstanceUID=f"{ROOT}.77") for i in range(3)]
        save(tmp_path / "b", *other)
        assert [series.refusal for series in read_study(tmp_path).series] == [None, None]
        refused = read_study(tmp_path, ReadingLimits(several_studies="refuse"))
        assert [type(series.refusal) for series in refused.series] == [SeveralStudiesError] * 2
        one = read_study(tmp_path / "a", ReadingLimits(several_studies="refuse"))
        assert one.series[0].refusal is None

    def test_the_settings_know_both(self) -> None:
        assert load_settings().limits.several_studies == "denoise"
        assert load_settings(overrides=["limits.several_studies=refuse"]).limits.several_studies == "refuse"
        with pytest.raises(SettingsError, match="several_studies"):
            load_settings(overrides=["limits.several_studies=estimate"])

    def test_one_instance_in_two_series_is_refused_in_both(self, tmp_path: Path) -> None:
        save(tmp_path, *image_series("CT", 3), *image_series("MR", 3, SeriesInstanceUID=f"{ROOT}.88"))
        assert [type(series.refusal) for series in read_study(tmp_path).series] == [SharedInstanceError] * 2

    def test_an_object_of_another_class_in_a_series_is_left_out_and_reported(self, tmp_path: Path) -> None:
        capture = image_slice("CT", 9, SOPClassUID=SecondaryCaptureImageStorage)
        (series,) = read_study(save(tmp_path, *image_series("CT", 4), capture)).series
        assert (len(series.instances), series.refusal) == (4, None)
        ((reason, count),) = series.left_out.items()
        assert (count, "Secondary Capture" in reason) == (1, True)


class TestLeftOut:
    def test_frames_of_other_kinds_are_counted_by_their_reason(self, tmp_path: Path) -> None:
        phase = [
            image_slice("MR", 10 + i, ImagePositionPatient=[0, 0, 2 * i], ImageType=["O", "P", "P"]) for i in range(4)
        ]
        colour = image_slice("MR", 30, PhotometricInterpretation="RGB", SamplesPerPixel=3)
        save(tmp_path, *image_series("MR", 4), *phase, colour)
        found = volumes_in(read_study(tmp_path).series[0], MINIMUM)
        assert [len(stack.places) for stack in found.stacks] == [4]
        counted = {next(word for word in ("phase", "colour") if word in reason): count
                   for reason, count in found.left_out.items()}  # fmt: skip
        assert counted == {"phase": 4, "colour": 1}

    def test_a_volume_with_a_gap_does_not_take_the_others_along(self, tmp_path: Path) -> None:
        slices = [
            image_slice("MR", 10 * time + i, ImagePositionPatient=[0, 0, 2 * i], TemporalPositionIdentifier=time)
            for time in range(3)
            for i in range(5)
            if (time, i) != (1, 2)
        ]
        found = volumes_in(read_study(save(tmp_path, *slices)).series[0], MINIMUM)
        parts = [(stack.label, len(stack.places)) for stack in found.stacks]
        assert parts == [
            ("time point 0", 5), ("time point 1, part 1 of 2", 2), ("time point 1, part 2 of 2", 2), ("time point 2", 5)
        ]  # fmt: skip

    def test_nothing_left_out_is_nothing_reported(self, tmp_path: Path) -> None:
        assert volumes_in(read_study(save(tmp_path, enhanced("MR", 4))).series[0], MINIMUM).left_out == {}


class TestReadOnly:
    def test_nothing_is_written_into_the_input(self, tmp_path: Path) -> None:
        save(tmp_path / "in", *image_series("CT", 4))
        before = files_of(tmp_path / "in")
        for path in [tmp_path / "in", *(tmp_path / "in").iterdir()]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        study = read_study(tmp_path / "in")
        stacks_of(study.series[0], MINIMUM)
        assert files_of(tmp_path / "in") == before


def task(folder: Path, settings: Any) -> Path:
    (folder / TASK_FILE).write_text(json.dumps({"id": "1", "info": {"mrn": "X"}, "process": {"settings": settings}}))
    return folder


class TestTaskSettings:
    @pytest.mark.parametrize(
        "settings", [{"ns_n2n": {"steps": 7}, "run": {"strength": [50]}}, {"ns_n2n.steps": 7, "run.strength": [50]}]
    )
    def test_the_host_s_settings_are_followed(self, tmp_path: Path, settings: Any) -> None:
        found = load_settings(host=task_settings(task(tmp_path, settings)))
        assert (found.ns_n2n.steps, found.run.strength) == (7, (50,))

    def test_the_command_line_comes_last(self, tmp_path: Path) -> None:
        host = task_settings(task(tmp_path, {"ns_n2n.steps": 7, "run.seed": 3}))
        found = load_settings(overrides=["ns_n2n.steps=8"], host=host)
        assert (found.ns_n2n.steps, found.run.seed) == (8, 3)

    def test_an_unknown_key_names_key_and_file(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"task\.json: unknown key 'ns_n2n\.stepps'; .*'steps'"):
            load_settings(host=task_settings(task(tmp_path, {"ns_n2n.stepps": 7})), host_name=TASK_FILE)

    @pytest.mark.parametrize("settings", [None, {}, []])
    def test_no_settings_are_none(self, tmp_path: Path, settings: Any) -> None:
        assert task_settings(task(tmp_path, settings)) == {}
        assert task_settings(tmp_path / "nowhere") == {}

    @pytest.mark.parametrize("text", ["[]", "3", '{"process": []}', '{"process": {"module_name": "x"}}', "{}"])
    def test_a_task_without_a_process_is_none(self, tmp_path: Path, text: str) -> None:
        (tmp_path / TASK_FILE).write_text(text)
        assert task_settings(tmp_path) == {}

    @pytest.mark.parametrize("text", ["{", "", "\ufffe", "[" * 100_000])
    def test_a_broken_task_is_reported_without_its_content(self, tmp_path: Path, text: str) -> None:
        (tmp_path / TASK_FILE).write_text(text)
        with pytest.raises(SettingsError, match=r"task\.json: not readable as JSON"):
            task_settings(tmp_path)

    @pytest.mark.parametrize("settings", ["steps", {"steps": 7}])
    def test_settings_of_another_form_are_reported(self, tmp_path: Path, settings: Any) -> None:
        with pytest.raises(SettingsError, match=r"task\.json: process\.settings"):
            task_settings(task(tmp_path, settings))

    def test_a_link_is_no_task(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / TASK_FILE).symlink_to(task(tmp_path, {"ns_n2n.steps": 7}) / TASK_FILE)
        assert task_settings(tmp_path / "in") == {}
