"""Programs of others that judge what is written, and small studies for them to judge.

Where a judge is not installed its tests are skipped with the reason; with CI=true they fail, so that none is
forgotten there.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_builders import ENHANCED_CLASSES, enhanced, save
from pydicom import dcmread
from pydicom.dataset import Dataset

from operators.dicom.cine import read_clip
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.deriving import derive_clip_series, derive_volume_series
from operators.dicom.geometry import stacks_of
from operators.dicom.pixels import read_volume
from operators.dicom.provenance import Provenance
from operators.dicom.reading import Series, read_study
from validation import demo_study

PROVENANCE = Provenance("NS-N2N", "0.1.0", "abc123", 7, 100.0, "cpu", "float32", "AVX2 in 2 threads", 50)
ADDED = 3.0  # to every value: what a fit would do does not matter to a judge
SECONDS = 60.0  # a judge may take; all of them need less than one


def judge(program: str, package: str) -> str:
    """The path of a program; without it the test ends here."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing(f"{program} (Debian package {package}) is not installed")
    return str(found)


def library(name: str, package: str) -> Any:
    """A judge that is a Python package; without it the test ends here."""
    if importlib.util.find_spec(name) is None:
        missing(f"the Python package {package} is not installed; requirements-dev.txt names it")
    return importlib.import_module(name)


def missing(reason: str) -> None:
    """Skip; fail where every judge must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def said_by(*command: object) -> str:
    """What a judge writes on both streams."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=SECONDS, errors="replace"
    )
    return done.stdout + done.stderr


def derived(series: Series) -> Iterator[Dataset]:
    """The derived objects of a series, every value raised by ``ADDED``."""
    if series.modality == "US":
        clips = {instance: read_clip(instance).frames + np.float32(ADDED) for instance in series.instances}
        yield from derive_clip_series(series, clips, PROVENANCE, DerivedSettings(), frozenset())
        return
    volumes = {stack: read_volume(stack).voxels + np.float32(ADDED) for stack in stacks_of(series, 3)}
    yield from derive_volume_series(series, volumes, PROVENANCE, DerivedSettings(), frozenset())


def make_source(folder: Path) -> Path:
    """CT, MR, PET, an ultrasound still and a cine, and enhanced CT, MR and PET; a folder for each kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_study, "CT_SHAPE", (4, 96, 96))
        patch.setattr(demo_study, "MR_SHAPE", (4, 64, 64))
        patch.setattr(demo_study, "PET_SHAPE", (8, 64, 64))
        patch.setattr(demo_study, "CINE_FRAMES", 3)
        demo_study.make_study(folder, 0)
    for modality in ENHANCED_CLASSES:
        save(folder / f"enhanced {modality}", enhanced(modality, count=4))
    return folder


def make_derived(source: Path, folder: Path) -> Path:
    """The derived objects of every series of ``source``, under the names of their source's folders."""
    for kind in sorted(path for path in source.iterdir() if path.is_dir()):
        for series in read_study(kind).series:
            for made in derived(series):
                target = folder / kind.name / f"{made.SOPInstanceUID}.dcm"
                target.parent.mkdir(parents=True, exist_ok=True)
                made.save_as(target, enforce_file_format=True)
    return folder


def source_of(made: Dataset, sources: dict[str, Path]) -> Path:
    """The file from which an object says to be derived."""
    groups = made.get("PerFrameFunctionalGroupsSequence")
    derivation = groups[0].DerivationImageSequence[0] if groups else made
    return sources[derivation.SourceImageSequence[0].ReferencedSOPInstanceUID]


def files_by_uid(folder: Path) -> dict[str, Path]:
    """Every DICOM file below a folder by its SOP Instance UID."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(dcmread(file, stop_before_pixels=True).SOPInstanceUID): file for file in files}
