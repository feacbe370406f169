"""Defects of known kind and place: clean code of our own, its tests, and what breaks it."""
