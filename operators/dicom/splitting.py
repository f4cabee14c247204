"""Separate the volumes of one series: time points, echoes, b-values, gates, image types.

Parallel slices that all lie at different positions are one volume. Where positions repeat, the first
attribute in ``DISTINGUISHING`` that lessens the repetition splits the slices, again and again. What is
left is separated by order at each position, when every position repeats equally often.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from pydicom.dataset import Dataset

from operators.dicom.private_tags import b_value
from operators.dicom.values import numbers, texts
from operators.dicom.volume_errors import RepeatedPositionError

SAME_POSITION = 0.01  # mm: positions closer than this are one, the header rounds them
B_VALUE = "DiffusionBValue"  # or a maker's private element
COVERAGE = 0.5  # fraction of the positions that a volume must cover, lest an attribute of slices splits volumes

DISTINGUISHING = (
    ("FrameType", "image type"),
    ("ImageType", "image type"),
    ("ComplexImageComponent", "component"),
    ("EffectiveEchoTime", "echo time (ms)"),
    ("EchoNumbers", "echo"),
    ("EchoTime", "echo time (ms)"),
    ("InversionTimes", "inversion time (ms)"),
    ("InversionTime", "inversion time (ms)"),
    (B_VALUE, "b-value (s/mm2)"),
    ("DiffusionGradientOrientation", "diffusion direction"),
    ("StackID", "stack"),
    ("TemporalPositionIndex", "time point"),
    ("TemporalPositionIdentifier", "time point"),
    ("NominalPercentageOfCardiacPhase", "cardiac phase (%)"),
    ("NominalCardiacTriggerDelayTime", "trigger delay (ms)"),
    ("NominalPercentageOfRespiratoryPhase", "respiratory phase (%)"),
    ("TriggerTime", "trigger time (ms)"),
    ("FrameReferenceTime", "frame reference time (ms)"),
    ("FrameAcquisitionNumber", "acquisition"),
    ("AcquisitionNumber", "acquisition"),
    ("AcquisitionDateTime", "acquisition"),
    ("AcquisitionTime", "acquisition"),
    ("ContentTime", "content"),
    ("InstanceNumber", "object"),
    ("SOPInstanceUID", "object"),
)
TIMES_OF_DAY = frozenset({"AcquisitionDateTime", "AcquisitionTime", "ContentTime"})  # counted, never shown
# By which the slices at one position are ordered when no value is shared across positions.
ORDERING = ("DimensionIndexValues", "TriggerTime", "InstanceNumber")


def volumes_among(along: Sequence[float], headers: Sequence[Dataset]) -> Iterator[tuple[str, list[int]]]:
    """Yield each volume among parallel slices: what distinguishes it, and its slices ordered by position.

    Args:
        along: the position of each slice along the normal, mm.
        headers: the flat header of each slice.

    Raises:
        RepeatedPositionError: positions repeat and no attribute separates the volumes.
    """
    positions = _position_numbers(along)
    for label, members in _split(list(range(len(along))), positions, headers, ""):
        yield label, sorted(members, key=lambda index: along[index])


def _position_numbers(along: Sequence[float]) -> list[int]:
    """Return equal numbers for equal positions, counted along the normal."""
    order = sorted(range(len(along)), key=lambda index: along[index])
    counts = [0] * len(along)
    for before, index in pairwise(order):
        counts[index] = counts[before] + (along[index] - along[before] > SAME_POSITION)
    return counts


def _repetition(members: Sequence[int], positions: Sequence[int]) -> int:
    return max(Counter(positions[index] for index in members).values())


def _split(
    members: list[int], positions: Sequence[int], headers: Sequence[Dataset], label: str
) -> Iterator[tuple[str, list[int]]]:
    if _repetition(members, positions) == 1:
        yield label, members
        return
    for keyword, word in DISTINGUISHING:
        parts = _by_value(members, headers, keyword)
        if _explains(parts.values(), members, positions):
            for number, (key, part) in enumerate(sorted(parts.items(), key=_natural), 1):
                shown = _is_number(key) and keyword not in TIMES_OF_DAY
                name = f"{word} {key.removesuffix('.0')}" if shown else f"{word} {number} of {len(parts)}"
                yield from _split(part, positions, headers, f"{label}, {name}" if label else name)
            return
    yield from _by_order(members, positions, headers, label)


def _by_value(members: Sequence[int], headers: Sequence[Dataset], keyword: str) -> dict[str, list[int]]:
    parts: dict[str, list[int]] = defaultdict(list)
    for index in members:
        parts[_key(headers[index], keyword)].append(index)
    return parts


def _key(header: Dataset, keyword: str) -> str:
    if keyword == B_VALUE:
        weighting = b_value(header)
        return "" if weighting is None else f"{weighting:g}"
    return "\\".join(texts(header, keyword))


def _explains(parts: Collection[list[int]], members: Sequence[int], positions: Sequence[int]) -> bool:
    """Return whether the parts repeat less, and each covers enough positions to be a volume."""
    whole = len({positions[index] for index in members})
    repetition = _repetition(members, positions)
    return all(
        _repetition(part, positions) < repetition and len({positions[index] for index in part}) > COVERAGE * whole
        for part in parts
    )


def _by_order(
    members: Sequence[int], positions: Sequence[int], headers: Sequence[Dataset], label: str
) -> Iterator[tuple[str, list[int]]]:
    """Yield volumes by order: volume k takes the k-th slice of every position, where each position has equally many."""
    at: dict[int, list[int]] = defaultdict(list)
    for index in members:
        at[positions[index]].append(index)
    repetition = _repetition(members, positions)
    for keyword in ORDERING:
        keys = {index: numbers(headers[index], keyword) or () for index in members}
        if all(len({keys[index] for index in same}) == repetition for same in at.values()):
            ordered = [sorted(same, key=keys.__getitem__) for same in at.values()]
            for number, part in enumerate(zip(*ordered, strict=True), 1):
                yield ", ".join(filter(None, (label, f"volume {number} of {repetition}"))), list(part)
            return
    raise RepeatedPositionError(len(members), len(at))


def _is_number(key: str) -> bool:
    return key.replace(".", "", 1).replace("-", "", 1).isdigit()


def _natural(part: tuple[str, list[int]]) -> tuple[float, str]:
    return (float(part[0]) if _is_number(part[0]) else 0.0), part[0]
