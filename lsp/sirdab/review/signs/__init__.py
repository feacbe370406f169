"""Structural signs of defects: what a regular expression on a line cannot see.

Whether a loop stands around a line, an `await` around a call, a check before a division; what a
name was made of, and which parameters a function takes. Each sign is a function from a
`Scene` (a document's tree, with what its names mean) to the lines that show it. Signs are
registered by name, and `rules.toml` refers to them through `structure`.
"""

from sirdab.review.signs.registry import Place, Signs, find, seen
from sirdab.review.signs.scene import Scene

__all__ = ["Place", "Scene", "Signs", "find", "seen"]
