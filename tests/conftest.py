"""What every test needs before it may import anything that imports Holoscan."""

import os
from pathlib import Path

import pydicom.config
import pytest

from app.host_process import load_cuda_runtime, share_cores

share_cores(os.environ)
load_cuda_runtime()
# A keyword that the standard does not know, and a value that its representation forbids, raise; reading stays as it is
# in the product, which has to bear what hospitals send.
pydicom.config.INVALID_KEYWORD_BEHAVIOR = "RAISE"
pydicom.config.INVALID_KEY_BEHAVIOR = "RAISE"
pydicom.config.settings.writing_validation_mode = pydicom.config.RAISE


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A study and what is derived from it, for the judges: two folders, with a folder for each kind in both."""
    from judges import make_derived, make_source

    folder = tmp_path_factory.mktemp("judged")
    source = make_source(folder / "source")
    return source, make_derived(source, folder / "derived")
