"""Names of the UIDs that pydicom does not know yet, and those of all others: PS3.6 annex A, 2026."""

from pydicom.uid import UID

CT_FOR_PROCESSING = UID("1.2.840.10008.5.1.4.1.1.2.3")
ENHANCED_CT_FOR_PROCESSING = UID("1.2.840.10008.5.1.4.1.1.2.4")
LEGACY_CONVERTED_CT_FOR_PROCESSING = UID("1.2.840.10008.5.1.4.1.1.2.5")
LABEL_MAP = UID("1.2.840.10008.5.1.4.1.1.66.7")
JPEG_XL_LOSSLESS = UID("1.2.840.10008.1.2.4.110")
JPEG_XL_JPEG_RECOMPRESSION = UID("1.2.840.10008.1.2.4.111")
JPEG_XL = UID("1.2.840.10008.1.2.4.112")
NEW_NAMES = {
    CT_FOR_PROCESSING: "CT Image Storage - For Processing",
    ENHANCED_CT_FOR_PROCESSING: "Enhanced CT Image Storage - For Processing",
    LEGACY_CONVERTED_CT_FOR_PROCESSING: "Legacy Converted Enhanced CT Image Storage - For Processing",
    LABEL_MAP: "Label Map Segmentation Storage",
    JPEG_XL_LOSSLESS: "JPEG XL Lossless",
    JPEG_XL_JPEG_RECOMPRESSION: "JPEG XL JPEG Recompression",
    JPEG_XL: "JPEG XL",
}


def name_of(uid: str) -> str:
    """Return the name of a UID, or its digits; empty where it is text of somebody's own."""
    return NEW_NAMES.get(UID(uid)) or (UID(uid).name if UID(uid).is_valid else "")
