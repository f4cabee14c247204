"""The validation kit: runs the installed software on test objects and holds what it measures to written limits."""
