"""The storage classes that are denoised, by what they hold; every other class is refused by its name."""

from pydicom import uid

from operators.dicom.uid_names import (
    CT_FOR_PROCESSING,
    ENHANCED_CT_FOR_PROCESSING,
    LABEL_MAP,
    LEGACY_CONVERTED_CT_FOR_PROCESSING,
)

CLASSIC_VOLUMES: dict[str, str] = {
    uid.CTImageStorage: "CT",
    CT_FOR_PROCESSING: "CT",
    uid.MRImageStorage: "MR",
    uid.PositronEmissionTomographyImageStorage: "PT",
}
ENHANCED_VOLUMES: dict[str, str] = {
    uid.EnhancedCTImageStorage: "CT",
    uid.LegacyConvertedEnhancedCTImageStorage: "CT",
    ENHANCED_CT_FOR_PROCESSING: "CT",
    LEGACY_CONVERTED_CT_FOR_PROCESSING: "CT",
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
    LABEL_MAP: "a segmentation holds labels, not measured values",
}

# Defined terms of Modality, PS3.3 C.7.3.1.1.1, retired ones too; any other text may identify a patient.
MODALITIES = frozenset({
    "ANN", "AR", "AS", "ASMT", "AU", "BDUS", "BI", "BMD", "CD", "CF", "CFM", "CP", "CR", "CS", "CT", "CTPROTOCOL",
    "DD", "DF", "DG", "DM", "DMS", "DOC", "DS", "DX", "EC", "ECG", "EEG", "EMG", "EOG", "EPS", "ES", "FA", "FID",
    "FS", "GM", "HC", "HD", "IO", "IOL", "IVOCT", "IVUS", "KER", "KO", "LEN", "LP", "LS", "M3D", "MA", "MG", "MR",
    "MS", "NEARIR", "NM", "OAM", "OCT", "OP", "OPM", "OPR", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PA",
    "PLAN", "POS", "PR", "PT", "PX", "REG", "RESP", "RF", "RG", "RTDOSE", "RTIMAGE", "RTINTENT", "RTPLAN", "RTRAD",
    "RTRECORD", "RTSEGANN", "RTSTRUCT", "RWV", "SEG", "SM", "SMR", "SR", "SRF", "ST", "STAIN", "TEXTUREMAP", "TG",
    "US", "VA", "VF", "XA", "XAPROTOCOL", "XC",
})  # fmt: skip
