"""The import rules of the house, and that importing does nothing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("app", "models", "operators", "validation")
FILES = [file for room in OURS for file in (ROOT / room).rglob("*.py")]
OPERATORS = {
    "load_study",
    "select_series",
    "route_modality",
    "denoise_volume",
    "denoise_ultrasound",
    "check_quality",
    "report_series",
    "write_series",
}
ADAPTERS = tuple(f"operators.sources.{name}" for name in ("clips", "dicom_series", "nifti_image", "volumes"))
HOLOSCAN = ("holoscan", "monai.deploy")
BROAD_EXCEPTS = {"app/__main__.py", "operators/boundary.py"}
MOST_ARGUMENTS = 6
ENVIRONMENT = {"environ", "getenv", "environb"}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports_of(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)} imports relatively"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_any(file: Path, *banned: str) -> set[str]:
    return {name for name in imports_of(file) for one in banned if name == one or name.startswith(f"{one}.")}


@pytest.mark.parametrize("file", FILES, ids=name_of)
class TestEveryFile:
    def test_imports_only_what_its_room_may(self, file: Path) -> None:
        room = name_of(file)
        if room.startswith("models/"):
            assert not imports_any(file, "pydicom", "highdicom", "app", "operators", *HOLOSCAN)
        if room.startswith("operators/dicom/"):
            assert not imports_any(file, "torch", "monai", "models", "app", *HOLOSCAN)
        if room.startswith("operators/quality/"):
            assert not imports_any(file, "monai", "app", "pydicom", *HOLOSCAN)
        if room.startswith("operators/"):
            assert not imports_any(file, "app", "validation")
        if room.startswith("validation/"):
            assert not imports_any(file, "bench", *HOLOSCAN)

    def test_holoscan_is_for_operators_and_the_application(self, file: Path) -> None:
        allowed = {f"operators/{name}.py" for name in OPERATORS} | {"app/application.py"}
        assert name_of(file) in allowed or not imports_any(file, *HOLOSCAN)

    def test_operators_do_not_import_one_another(self, file: Path) -> None:
        if name_of(file).startswith("operators/"):
            assert not imports_any(file, *(f"operators.{name}" for name in OPERATORS))

    def test_a_source_is_asked_and_never_its_type(self, file: Path) -> None:
        assert name_of(file).startswith("operators/sources/") or not imports_any(file, *ADAPTERS)

    def test_the_environment_is_read_in_one_place(self, file: Path) -> None:
        names = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        assert name_of(file) == "app/__main__.py" or not names & ENVIRONMENT

    def test_broad_excepts_stand_in_two_places(self, file: Path) -> None:
        handlers = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ExceptHandler)]
        broad = [one for one in handlers if one.type is None or "Exception" in ast.unparse(one.type).split(" | ")]
        assert len(broad) == (1 if name_of(file) in BROAD_EXCEPTS else 0)

    def test_it_has_a_docstring_and_a_size_one_can_read(self, file: Path) -> None:
        text = file.read_text()
        assert ast.get_docstring(ast.parse(text))
        assert len(text.splitlines()) <= (250 if "network" in file.name or "unet" in file.name else 200)

    def test_no_function_is_long(self, file: Path) -> None:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                assert (node.end_lineno or 0) - first.lineno < 40, f"{node.name} is long"

    def test_no_function_takes_many_arguments(self, file: Path) -> None:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                names = [argument.arg for argument in given if argument.arg not in {"self", "cls"}]
                assert len(names) <= MOST_ARGUMENTS, f"{node.name} takes {len(names)} arguments"

    def test_nothing_runs_at_import(self, file: Path) -> None:
        calls = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.Expr | ast.For | ast.With)]
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in calls)
