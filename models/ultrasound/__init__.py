"""Speckle2Self (arXiv 2507.06828): despeckling of one ultrasound clip by a network fitted on that clip alone."""
