"""Applies the text edits of the protocol as an editor does."""

from itertools import pairwise
from typing import Any

from sirdab.text.positions import Encoding, to_point
from sirdab.text.store import Text


def applied(content: str, edits: list[dict[str, Any]], encoding: Encoding = Encoding.UTF16) -> str:
    """Return a document with edits applied; all their ranges are those of the document as it is.

    Fails when two of them overlap (LSP 3.18, "TextEdit[]"): an editor may refuse such edits.
    """
    text = Text(content)
    spans = [
        (
            *(
                to_point(
                    text, edit["range"][end]["line"], edit["range"][end]["character"], encoding
                )
                for end in ("start", "end")
            ),
            edit["newText"],
        )
        for edit in edits
    ]
    spans.sort(key=lambda span: span[:2])
    for (_, stop, _), (start, _, _) in pairwise(spans):
        assert stop <= start, "two edits overlap"
    for start, stop, new in reversed(spans):
        text = text.replace(start, stop, new)
    return str(text)
