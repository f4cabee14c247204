"""The figures of a validation as Markdown tables, for the documents: a summary, and the requirements by modality."""

from collections.abc import Mapping
from typing import Any

HEAD = "| | requirement | limit | measured [95 % interval] | repeats | |\n|---|---|---|---|---|---|"


def tables(record: Mapping[str, Any]) -> dict[str, str]:
    """Return each table by the name of its figures; ``record`` is the content of validation.json."""
    rows: dict[str, list[str]] = {}
    for row in record["requirements"]:
        rows.setdefault(row["id"].partition("-")[0].lower(), []).append(_row(row))
    parts = {f"kit-{modality}": "\n".join([HEAD, *lines]) for modality, lines in rows.items()}
    return {"kit-summary": _summary(record), **parts}


def _summary(record: Mapping[str, Any]) -> str:
    verdicts = [row["verdict"] for row in record["requirements"]]
    counted = ", ".join(f"{verdicts.count(verdict)} {name}" for verdict, name in (
        ("pass", "passed"), ("fail", "failed"), ("not measured", "not measured")
    ))  # fmt: skip
    installed = record["installation"]
    runs = "\n".join(
        f"| {case['name']} | {_strength(case)} | {case.get('steps_taken', '')} |" for case in record["cases"]
    )
    return (
        f"Version {installed['version']}, {record['kind']} kit, {installed['machine']}: {counted}.\n\n"
        f"| case | strength handed out, % | steps |\n|---|---|---|\n{runs}"
    )


def _strength(case: Mapping[str, Any]) -> str:
    return ", ".join(f"{strength:g}" for strength in case["strength"])


def _row(row: Mapping[str, Any]) -> str:
    limit = row["limit"]
    bound = f"{limit['kind']} {limit['value']:g} {limit['unit']}".rstrip()
    cells = row["id"], row["what"], bound, _measured(row), str(row.get("repeats", "")), _verdict(row)
    return f"| {' | '.join(cells)} |"


def _verdict(row: Mapping[str, Any]) -> str:
    return {"pass": "passed", "fail": "**failed**"}.get(row["verdict"], str(row["not_measured"]))


def _measured(row: Mapping[str, Any]) -> str:
    if row.get("value") is None:
        return ""
    if row["low"] is None or row["low"] == row["high"]:
        return f"{row['value']:.3g}"
    return f"{row['value']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"
