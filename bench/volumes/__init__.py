"""Methods for CT, MR and PET side by side: the same volumes, the same measures, one table."""
