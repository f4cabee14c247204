"""The only phantom maker: CT, MR and PET volumes whose truth is known, for demo, tests, bench and validation kit.

Each maker returns a `Phantom` (truth, noisy, spacing, modality, named regions) and draws everything from its seed.
"""

from app.validation.anatomy import Phantom
from app.validation.ct_phantom import ct
from app.validation.mr_phantom import mr
from app.validation.pet_phantom import pet

__all__ = ["Phantom", "ct", "mr", "pet"]
