"""Every bench starts without the peers' packages: its modules import, and its command prints its help."""

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [file for file in sorted((ROOT / "bench").rglob("*.py")) if file.stem != "__init__"]
MODULES = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in FILES}
COMMANDS = [module for module, file in MODULES.items() if "argparse" in file.read_text()]


@pytest.mark.parametrize("module", MODULES)
def test_a_bench_imports(module: str) -> None:
    importlib.import_module(module)


@pytest.mark.parametrize("module", COMMANDS)
def test_a_bench_prints_its_help(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module).main()
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out
