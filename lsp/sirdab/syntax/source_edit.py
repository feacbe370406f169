"""Where two states of a source differ, in the terms in which a syntax tree is told of it."""

from sirdab.text.common import agreeing


class Edit:
    """The one stretch in which two sources differ, from and to bytes that begin a character.

    Attributes:
        start: Its first byte, in both.
        old_stop: The byte behind it in the old source.
        new_stop: The byte behind it in the new one.
    """

    __slots__ = ("new_stop", "old_stop", "start")

    def __init__(self, old: bytes, new: bytes) -> None:
        """Look for it."""
        size = min(len(old), len(new))
        start = agreeing(size, lambda low, high: old[low:high] == new[low:high])
        ends = len(old), len(new)
        tail = agreeing(
            size - start,
            lambda low, high: (
                old[ends[0] - high : ends[0] - low] == new[ends[1] - high : ends[1] - low]
            ),
        )
        # A character is either the same or it is not: bytes of one are never kept apart.
        while start and start < len(new) and new[start] & 0xC0 == 0x80:
            start -= 1
        while tail and new[len(new) - tail] & 0xC0 == 0x80:
            tail -= 1
        self.start, self.old_stop, self.new_stop = start, len(old) - tail, len(new) - tail


def position(source: bytes, offset: int) -> tuple[int, int]:
    """Return row and column, in bytes, of an offset."""
    return source.count(b"\n", 0, offset), offset - (source.rfind(b"\n", 0, offset) + 1)
