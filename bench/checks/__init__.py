"""What the checks report, held against the truth on phantoms."""
