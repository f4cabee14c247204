"""The matrix that an MR scanner acquired, before it interpolated the image by filling k-space with zeros."""
