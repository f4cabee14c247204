"""NS-N2N (arXiv 2411.10831): denoising of one CT, MR or PET volume by a network fitted on that volume alone."""
