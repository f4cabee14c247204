"""The rooms of the pipeline: one Holoscan operator per file, and the pure functions they call."""
