"""The bench of a GPU runs without one, and without what a GPU's machine may lack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ABSENT = ("pydicom", "holoscan", "highdicom", "monai.deploy", "matplotlib", "reportlab")
RUN = f"""
import sys
for name in {ABSENT!r}:
    sys.modules[name] = None
sys.argv = ["bench.gpu", "--device", "cpu", "--small", "--output", sys.argv[1]]
from bench.gpu import main
main()
"""


@pytest.mark.slow
def test_it_runs_on_a_processor_without_dicom_and_holoscan(tmp_path: Path) -> None:
    table = tmp_path / "gpu.md"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", RUN, table], check=True, cwd=ROOT, env=environment, timeout=600)
    rows = table.read_text().splitlines()
    assert {row.count("|") for row in rows} == {6}
    assert all(any(word in row for row in rows) for word in ("CT", "MR", "still", "two runs", "CPU", "kernel"))
