"""What work costs in seconds, read from `costs.yaml`, which ``python -m bench.costs --write`` measures anew.

Each unit of work costs a fixed part and a part for each megavoxel; where only some slices of a large volume are looked
at, megavoxels beyond `SAMPLED` cost less. One and two threads of a processor are measured; for more of them Amdahl's
law is assumed through these two. The column of CUDA is an assumption until one is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.compute import Compute

TABLE = Path(__file__).with_name("costs.yaml")
CUDA = "cuda"  # column of the units that run on the device
SAMPLED = 32 * 512**2  # voxels; checks and reports look at about so many of a larger volume


@dataclass(frozen=True)
class Cost:
    """Seconds of one unit of work: fixed, for each megavoxel up to `SAMPLED`, and for each beyond."""

    fixed: float
    megavoxel: float
    beyond: float

    def of(self, voxels: float, times: int = 1) -> float:
        """Return the seconds for so many voxels, so many times."""
        sampled = min(voxels, SAMPLED)
        return times * (self.fixed + (self.megavoxel * sampled + self.beyond * (voxels - sampled)) / 1e6)


Costs = Mapping[str, Cost]
FREE = Cost(0.0, 0.0, 0.0)


def costs_of(compute: Compute, modality: str = "") -> Costs:
    """Return the cost of each unit by its name.

    Units that depend on the precision or on the modality bear it behind their name in the table, and not here.
    """
    return _costs(compute.kind, compute.precision, compute.threads, modality)


@cache
def _costs(kind: str, precision: str, threads: int, modality: str) -> Costs:
    units: Mapping[str, Mapping[Any, list[float]]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["units"]
    costs = {}
    for name, columns in sorted(units.items(), key=lambda unit: len(unit[0])):  # what is of a modality comes later
        column = columns[CUDA] if kind == CUDA and CUDA in columns else _on_threads(columns[1], columns[2], threads)
        costs[name.removesuffix(f" {precision}").removesuffix(f" {modality}")] = Cost(*column)
    return costs


def _on_threads(one: list[float], two: list[float], threads: int) -> list[float]:
    """Return a column for any number of threads: a part that stays, and a part that they share (Amdahl)."""
    shared = [min(a, max(0.0, 2 * (a - b))) for a, b in zip(one, two, strict=True)]
    return [a - part * (1 - 1 / threads) for a, part in zip(one, shared, strict=True)]
