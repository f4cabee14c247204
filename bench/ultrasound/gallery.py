"""Pictures of the bench: every method's image beside the input, at full size."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

COLUMNS = 3
TITLE = 16  # pixels above each image


def save_gallery(path: Path, images: Mapping[str, npt.NDArray[np.float32]]) -> None:
    """One PNG with every image (rows, columns), grey 0 to 255, under its name."""
    rows, columns = next(iter(images.values())).shape
    count = min(COLUMNS, len(images))
    sheet = Image.new("L", (count * columns, -(-len(images) // count) * (rows + TITLE)))
    draw = ImageDraw.Draw(sheet)
    for index, (name, image) in enumerate(images.items()):
        left, top = index % count * columns, index // count * (rows + TITLE)
        draw.text((left + 2, top + 2), name, fill=255)
        sheet.paste(Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8)), (left, top + TITLE))
    sheet.save(path)
