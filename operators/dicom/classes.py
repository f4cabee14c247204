"""The storage classes that are denoised, by what they hold; every other class is refused by its name."""

from pydicom import uid

CLASSIC_VOLUMES: dict[str, str] = {
    uid.CTImageStorage: "CT",
    uid.MRImageStorage: "MR",
    uid.PositronEmissionTomographyImageStorage: "PT",
}
ENHANCED_VOLUMES: dict[str, str] = {
    uid.EnhancedCTImageStorage: "CT",
    uid.LegacyConvertedEnhancedCTImageStorage: "CT",
    uid.EnhancedMRImageStorage: "MR",
    uid.LegacyConvertedEnhancedMRImageStorage: "MR",
    uid.EnhancedPETImageStorage: "PT",
    uid.LegacyConvertedEnhancedPETImageStorage: "PT",
}
CLIPS: dict[str, str] = {
    uid.UltrasoundImageStorage: "US",
    uid.UltrasoundMultiFrameImageStorage: "US",
    uid.UID("1.2.840.10008.5.1.4.1.1.6"): "US",  # the retired classes, still in archives
    uid.UID("1.2.840.10008.5.1.4.1.1.3"): "US",
}
MODALITY_OF_CLASS: dict[str, str] = {**CLASSIC_VOLUMES, **ENHANCED_VOLUMES, **CLIPS}

# Images that are near to those above, and why they are still refused.
REFUSED_IMAGES: dict[str, str] = {
    uid.SecondaryCaptureImageStorage: "a secondary capture is a picture of a screen, not measured values",
    uid.MultiFrameSingleBitSecondaryCaptureImageStorage: "a secondary capture is a picture of a screen",
    uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage: "a secondary capture is a picture of a screen",
    uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage: "a secondary capture is a picture of a screen",
    uid.MultiFrameTrueColorSecondaryCaptureImageStorage: "a secondary capture is a picture of a screen",
    uid.EnhancedMRColorImageStorage: "colour holds computed results, not measured values",
    uid.EnhancedUSVolumeStorage: "three-dimensional ultrasound is not denoised; send its two-dimensional clips",
    uid.ParametricMapStorage: "a parametric map holds computed results, not measured values",
    uid.SegmentationStorage: "a segmentation holds labels, not measured values",
}
