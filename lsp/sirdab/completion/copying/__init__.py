"""Predicts the rest of a line from what stands in the open documents, without a model.

The parts: `canonical` says when two stretches of code count as the same; `block` indexes a chunk
of lines; `corpus` keeps the indexes of the documents; `match` finds where the text before the
cursor stands already; `confidence` says how often what follows there is right.
"""
