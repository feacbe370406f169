"""What is kept of suggestions: figures and a few names of ours, and nothing of anybody's text."""

import math
import re
from dataclasses import dataclass
from typing import Literal

Source = Literal["model", "cache", "in-flight", "speculation", "copy"]
"""Where a suggestion came from: asked of the model; known already; joined while the model was
writing it; computed ahead of an acceptance; copied from the open files."""

SOURCES: tuple[Source, ...] = ("model", "in-flight", "speculation", "cache", "copy")

Part = Literal["full", "line", "word"]
"""How much of a suggestion was taken, the most of it when that happened several times."""

PARTS: tuple[Part, ...] = ("full", "line", "word")

Ending = Literal["dismissed", "passed", "typed", "replaced", "left"]
"""How a suggestion that nobody took came to its end: seen and not wanted; gone before it could be
read; typed out by hand; replaced by another one at the same place; on the screen when the document
was closed."""

HORIZONS = (30, 90, 300)
"""Seconds after an acceptance at which is looked how much of it is still there."""

# The names that clients give to languages are short; anything else could be text.
_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#._-]{0,39}", re.ASCII)
_UNNAMED = "other"

# Twenty steps to the doubling: a percentile is off by 2 % at most.
_STEPS = 20
# 17 minutes; what takes longer takes too long.
_LAST_BUCKET = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with a suggestion, whether or not it came to be shown.

    Attributes:
        language: The client's language identifier.
        source: Where it came from.
        latency_ms: Milliseconds from the request to the answer, with the debounce.
        tokens_read: Tokens of the prompt that the model had to read anew for it.
        tokens_written: Tokens that the model wrote.
    """

    language: str
    source: Source
    latency_ms: float
    tokens_read: int = 0
    tokens_written: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """One suggestion that was on the screen, as far as its story has gone.

    Attributes:
        number: Tells it from the others of this session.
        language: The client's language identifier.
        source: Where it came from.
        latency_ms: Milliseconds from the request to the answer, with the debounce.
        characters: Its length.
        lines: Its lines.
        told: Whether the editor said that it was shown; else that was concluded from its being
            offered for a while with nothing said against it.
        seen_ms: Milliseconds on the screen; None while it still is.
        ending: How it ended; None when it was taken, or has not ended.
        part: How much of it was taken; None when nothing was.
        part_told: Whether the editor said that it was taken; else its text came into the document
            in one piece.
        characters_accepted: Characters that did not have to be typed.
    """

    number: int
    language: str
    source: Source
    latency_ms: float
    characters: int
    lines: int
    told: bool
    seen_ms: float | None = None
    ending: Ending | None = None
    part: Part | None = None
    part_told: bool = False
    characters_accepted: int = 0


def language_name(language_id: str) -> str:
    """Return a language identifier, or "other" for what cannot be one."""
    return language_id if _LANGUAGE.fullmatch(language_id) else _UNNAMED


def bucket_of(ms: float) -> int:
    """Return the bucket of a latency; the buckets grow by a constant factor."""
    if not math.isfinite(ms) or ms <= 0:
        return 0
    return min(round(_STEPS * math.log2(ms + 1)), _LAST_BUCKET)


def bucket_ms(bucket: int) -> float:
    """Return the milliseconds that a bucket stands for."""
    return 2 ** (bucket / _STEPS) - 1
