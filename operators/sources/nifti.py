"""Find NIfTI files, for researchers. Nothing of a file's name is reported or written."""

import hashlib
from pathlib import Path
from typing import Any

import nibabel
from nibabel.filebasedimages import ImageFileError

from operators.dicom.errors import Refusal
from operators.dicom.study import Unread
from operators.sources.nifti_image import DAMAGED, NiftiImage, NiftiRefusal
from operators.sources.nifti_settings import NiftiSettings

SUFFIXES = (".nii", ".nii.gz")
UID_DIGITS = 16  # of the file's SHA-256; enough for a billion files


def is_nifti(path: Path) -> bool:
    """Return whether the name says so."""
    return path.name.lower().endswith(SUFFIXES)


def find_nifti(path: Path, settings: NiftiSettings) -> tuple[tuple[NiftiImage, ...], tuple[Unread, ...]]:
    """Return every NIfTI file that ``path`` is or holds, ordered by content, and those that only bear its name."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    images: list[NiftiImage] = []
    unread: list[Unread] = []
    for file in filter(is_nifti, files):
        try:
            images.append(_describe(file, settings))
        except (ImageFileError, *DAMAGED):
            unread.append(Unread("named as NIfTI, but not readable as such"))
    return tuple(sorted(images, key=lambda image: image.uid)), tuple(unread)


def _describe(file: Path, settings: NiftiSettings) -> NiftiImage:
    image = nibabel.load(file)
    with file.open("rb") as content:
        uid = hashlib.file_digest(content, "sha256").hexdigest()[:UID_DIGITS]
    return NiftiImage(file, f"nifti-{uid}", settings.modality, tuple(map(int, image.shape)), _fault(image, settings))


def _fault(image: Any, settings: NiftiSettings) -> Refusal | None:
    if not settings.modality:
        return NiftiRefusal("does not say its modality", "give it by --set nifti.modality=CT, MR or PT")
    if len(image.shape) not in {2, 3, 4}:
        return NiftiRefusal(f"of {len(image.shape)} dimensions is no volume", "give one of two to four dimensions")
    if image.get_data_dtype().kind not in "iuf":
        return NiftiRefusal(f"of type {image.get_data_dtype()} holds no grey values", "convert it to real numbers")
    return None
