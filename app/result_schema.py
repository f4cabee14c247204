"""The JSON schema of result.json and the list of reason codes, from the code: ``make schema``.

``python -m app.result_schema FOLDER`` writes result.schema.json and reason-codes.md there.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from app.conformance import table
from app.host_process import load_cuda_runtime
from app.result_types import Result
from models.fitting import GIVEN_UP
from operators.dicom.errors import Refusal
from operators.reason_codes import MEANINGS, WORTH_RETRYING

SCHEMA_FILE, CODES_FILE = "result.schema.json", "reason-codes.md"
HEAD = """# Reason codes

Made by `make schema` from the code; a test holds the two together. `reason_code` in `result.json` and `reason_codes` in
`metadata.json` hold these for every series that was refused or failed. A code keeps its meaning; new ones may be added.
"""


GIVEN_UP_HEAD = """
## Given up for lack of time

`given_up` in `result.json` holds these for a series that was denoised with less work than the settings ask for, since
the time budget or the speed of the machine allowed no more.
"""


def reason_codes() -> dict[str, str]:
    """Return every code with its meaning, in alphabetical order."""
    load_cuda_runtime()
    import app.application  # noqa: F401  every kind of refusal is defined by what this imports

    refusals = {kind.reason_code: str(kind.__doc__).partition("\n")[0] for kind in _kinds_of(Refusal)}
    return dict(sorted({**refusals, **MEANINGS}.items()))


def schema() -> dict[str, Any]:
    """Return the JSON schema of result.json (draft 2020-12)."""
    made = TypeAdapter(Result).json_schema()
    row = made["$defs"]["SeriesRow"]["properties"]
    row["reason_code"]["enum"] = ["", *reason_codes()]
    row["given_up"]["items"]["enum"] = list(GIVEN_UP)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def documents() -> dict[str, str]:
    """Return the content of both files by their names."""
    rows = [(f"`{code}`", meaning, WORTH_RETRYING.get(code, "no")) for code, meaning in reason_codes().items()]
    lost = table(("Code", "Meaning"), [(f"`{code}`", meaning) for code, meaning in GIVEN_UP.items()])
    return {
        SCHEMA_FILE: json.dumps(schema(), indent=2) + "\n",
        CODES_FILE: f"{HEAD}\n{table(('Code', 'Meaning', 'Worth trying again'), rows)}\n{GIVEN_UP_HEAD}\n{lost}\n",
    }


def _kinds_of(refusal: type[Refusal]) -> Iterator[type[Refusal]]:
    for kind in refusal.__subclasses__():
        yield kind
        yield from _kinds_of(kind)


if __name__ == "__main__":
    for name, content in documents().items():
        (Path(sys.argv[1]) / name).write_text(content)
