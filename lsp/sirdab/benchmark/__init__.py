"""Measures completions on the user's own code; see `sirdab bench`."""
