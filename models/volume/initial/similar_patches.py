"""How far similar patches are searched, and in which passes."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product


@dataclass(frozen=True)
class Search:
    """How far a pass searches.

    Attributes:
        reach: half axes of an ellipsoid, in slices, rows and columns, in which similar patches are searched.
        step: pixels between the patches that lead a group; the members of groups fill the space between them.
        patch: size of a patch in slices, rows and columns, at most `BLOCK` each.
        between: whether the patches that lead lie midway between those of other passes, in rows and in columns.
    """

    reach: tuple[int, int, int]
    step: int
    patch: tuple[int, int, int] = (3, 3, 3)
    between: bool = False

    @cached_property
    def shifts(self) -> list[tuple[int, int, int]]:
        """Slices, rows and columns from a patch to the candidates."""
        z, y, x = (range(-reach, reach + 1) for reach in self.reach)
        return [shift for shift in product(z, y, x) if self._reaches(shift)]

    @cached_property
    def runs(self) -> list[tuple[tuple[int, int, int], slice]]:
        """Neighbouring candidates of one row: the shift to the first, and their indices among `shifts`."""
        runs, first = [], 0
        for _, row in groupby(self.shifts, key=lambda shift: shift[:2]):
            run = list(row)
            runs.append((run[0], slice(first, first + len(run))))
            first += len(run)
        return runs

    def margins(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the rows and columns before the first patch of a slice of ``size``."""
        top, left = (self._margin(length - side) for length, side in zip(size, self.patch[1:], strict=True))
        return top, left

    def _margin(self, most: int) -> int:
        return min(most, (most % self.step // 2 + self.between * (self.step // 2)) % self.step)

    def _reaches(self, shift: tuple[int, int, int]) -> bool:
        return sum((by / (reach + 0.5)) ** 2 for by, reach in zip(shift, self.reach, strict=True)) <= 1


NEAR, FAR = (3, 5, 5), (3, 6, 6)  # the first, nearer pass gains most
QUICK = (Search(NEAR, 5),)  # for volumes whose time allows no more
BRISK = (*QUICK, Search(FAR, 5, between=True))
STEADY = (*QUICK, Search(FAR, 4, between=True), Search(FAR, 4))
THOROUGH = (*STEADY[:2], Search(FAR, 3))
IN_SLICE = Search(FAR, 3, (1, 4, 4))  # patches of one slice, searched in several: for slices that may differ
THOROUGH_MR = (*STEADY[:2], IN_SLICE)  # in slices of 6 mm .2 to .3 dB more, in 3 mm .15, in 1.4 mm as much
# Slices without neighbours, sought farther in the plane: .02 to .25 dB more than 6 pixels away.
WITHOUT_NEIGHBOURS = tuple(Search((3, reach, reach), 3, IN_SLICE.patch) for reach in (8, 10, 10))
