"""What every test needs before it may import anything that imports Holoscan."""

import os
from pathlib import Path

import pytest

from app.host_process import load_cuda_runtime, share_cores

share_cores(os.environ)
load_cuda_runtime()


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A study and what is derived from it, for the judges: two folders, with a folder for each kind in both."""
    from judges import make_derived, make_source

    folder = tmp_path_factory.mktemp("judged")
    source = make_source(folder / "source")
    return source, make_derived(source, folder / "derived")
