"""The check that no harm was done: what each derived series is measured by before it is handed out."""
