"""Completion by models that were never trained to fill in the middle: asked for it in words."""
