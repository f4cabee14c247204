"""Pure functions on pydicom datasets: read a study, place its frames, decode them, derive new series."""
