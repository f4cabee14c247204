"""How strong the noise of a volume is, where, in which frequencies, and how far it reaches between slices."""
