"""The pipeline: one Holoscan operator per file, and the pure functions that they call."""
