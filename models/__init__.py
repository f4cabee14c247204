"""The methods in pure PyTorch: arrays in, arrays out; no DICOM and no Holoscan."""
