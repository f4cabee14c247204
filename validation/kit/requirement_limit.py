"""Limits that figures are held to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """The least or the most a figure may be."""

    kind: str  # "at least" or "at most"
    value: float
    unit: str = ""

    def met_by(self, value: float) -> bool:
        """Return whether a figure keeps to it; one that is not a number does not."""
        return value >= self.value if self.kind == "at least" else value <= self.value

    def __str__(self) -> str:
        return f"{self.kind} {self.value:g} {self.unit}".rstrip()


def least(value: float, unit: str = "") -> Limit:
    """At least this much."""
    return Limit("at least", value, unit)


def most(value: float, unit: str = "") -> Limit:
    """At most this much."""
    return Limit("at most", value, unit)
