"""The settings that a host sends beside the images: ``process.settings`` in a ``task.json`` of the input folder.

In: the input path. Out: settings by section, as in app.yaml. A host may write ``{"ns_n2n": {"steps": 60}}`` or
``{"ns_n2n.steps": 60}``. Everything else in the file belongs to the host and is ignored.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.setting_errors import SettingsError

TASK_FILE = "task.json"
LARGEST = 2**24  # bytes; a host's file has a few thousand


def task_settings(source: Path) -> dict[str, dict[str, Any]]:
    """Return the settings that the host asks for; none without such a file.

    Raises:
        SettingsError: the file can't be read, or its settings are not of that form.
    """
    task = _read(source / TASK_FILE)
    process = task.get("process") if isinstance(task, Mapping) else None
    asked = process.get("settings") if isinstance(process, Mapping) else None
    if not asked:
        return {}
    if not isinstance(asked, Mapping):
        raise SettingsError(TASK_FILE, "process.settings holds no sections; write {'section': {'key': value}}")
    sections: dict[str, dict[str, Any]] = {}
    for name, value in asked.items():
        section, dot, key = name.partition(".")
        if not dot and not isinstance(value, Mapping):
            raise SettingsError(TASK_FILE, f"process.settings has {name!r} outside of any section; write 'section.key'")
        sections.setdefault(section, {}).update({key: value} if dot else value)
    return sections


def _read(file: Path) -> Any:
    if file.is_symlink() or not file.is_file():
        return None
    if file.stat().st_size > LARGEST:
        raise SettingsError(TASK_FILE, f"is larger than {LARGEST} bytes; no host writes such a task")
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(TASK_FILE, f"not readable as JSON ({type(error).__name__}); mend or remove it") from error
