"""Fixes and refactorings: what the model is asked, and what of its answer may become an edit."""
