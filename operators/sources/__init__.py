"""What kind of source a series is: DICOM volumes, DICOM ultrasound clips, or NIfTI files."""
