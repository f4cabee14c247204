"""How derived series are named, as a site sets it; imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DerivedSettings:
    """How a derived series is named and qualified."""

    suffix: str = "denoised"  # added to SeriesDescription
    series_number_offset: int = 1000  # added to SeriesNumber, again and again until the number is free
    content_qualification: Literal["RESEARCH", "PRODUCT", "SERVICE"] = "RESEARCH"  # as the site's clearance says
