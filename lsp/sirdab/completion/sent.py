"""What a model server has been sent, and may still know.

llama.cpp keeps the prompt that it has worked on last, and keeps those that it has left in memory as
well (its option `cache_ram_mib`); one of them is brought back for a prompt that begins with a good
part of it. So what has to be read of a prompt is what none of the last ones begins with.
"""

from collections import deque

from sirdab.text.common import agreeing

MOST_PROMPTS = 16
MOST_CHARACTERS = 1 << 20


class SentPrompts:
    """The prompts that were sent last, the latest at the end."""

    def __init__(self) -> None:
        self._prompts: deque[str] = deque()
        self._size = 0

    def add(self, prompt: str) -> None:
        """Take a prompt that is sent now."""
        # What it goes on with is part of it.
        if self._prompts and prompt.startswith(self._prompts[-1]):
            self._size -= len(self._prompts.pop())
        self._prompts.append(prompt)
        self._size += len(prompt)
        while len(self._prompts) > MOST_PROMPTS or (
            self._size > MOST_CHARACTERS and len(self._prompts) > 1
        ):
            self._size -= len(self._prompts.popleft())

    def known(self, prompt: str) -> int:
        """Return how many characters at the beginning of a prompt have been sent before."""
        return max((_same(prompt, sent) for sent in self._prompts), default=0)

    @property
    def last(self) -> str:
        """The prompt that the server has worked on last, "" before the first."""
        return self._prompts[-1] if self._prompts else ""


def _same(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    if other.startswith(one):
        return len(one)
    return agreeing(min(len(one), len(other)), lambda low, high: one[low:high] == other[low:high])
