"""What of an unfinished answer stands on its own, for an editor that waits no longer.

An answer that is late is shown as far as it is worth taking: whole lines, or the beginning of a
line up to where a call, an index or a string has been closed. The rest comes with a later key.
"""

_OPENERS = {")": "(", "]": "[", "}": "{"}
_QUOTES = frozenset("\"'`")


def standing(text: str) -> str:
    """Return the part of an unfinished answer that can be shown, "" for none.

    Args:
        text: What the model has written so far, from the cursor on.
    """
    whole, found, _ = text.rpartition("\n")
    if found and whole.strip():
        return whole
    return "" if found else _closed(text)


def _closed(line: str) -> str:
    """Return the longest beginning of a line that ends where a bracket or a quote is closed."""
    open_brackets: list[str] = []
    quote = ""
    escaped = False
    end = 0
    for index, character in enumerate(line):
        if quote:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == quote:
                quote = ""
                end = end if open_brackets else index + 1
        elif character in _QUOTES:
            quote = character
        elif character in _OPENERS.values():
            open_brackets.append(character)
        elif character in _OPENERS:
            if not open_brackets or open_brackets.pop() != _OPENERS[character]:
                # It closes what was open before the answer: what is behind it is another thought.
                return line[: index + 1]
            end = end if open_brackets else index + 1
    return line[:end]
