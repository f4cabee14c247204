"""Pure measures of what was removed, and their pictures."""
