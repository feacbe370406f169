"""Reads the model's findings while it writes them, and repairs nothing.

The answer is one JSON object that holds a list of findings. Each of them is read as soon as its
last brace is there, so that the first one can be checked and shown while the others are written.
What decides in the end is the whole answer: where that is not JSON, or says something else than
its beginning seemed to say, it is `broken`, and who reads it says so.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from sirdab.review import conversation

MAX_FINDINGS = 3
"""Most findings of one unit. Small models that name more of them are guessing."""

MAX_ANSWER_CHARACTERS = 16_000
"""Longest answer that is read; a longer one is none that was asked for, whatever it holds."""

MAX_BLANKS = 120
"""Most blanks in a row between the parts of an answer. Some servers allow their models any number,
and a small one that does not know how to go on writes nothing else until its limit."""

_TEXT_CHARACTERS = 2_000
_REPLACEMENT_CHARACTERS = 400
_WORD_CHARACTERS = 80
_MOST_LINES = 1_000_000

# Where a server does not hold its model to the schema, these may stand around the answer.
_FENCE = re.compile(r"\s*```(?:json)?[ \t]*\r?\n")
_FENCE_END = "```"
_LIST = re.compile(r'\s*\{\s*"findings"\s*:\s*\[')
# How far into an answer its list of findings is looked for: behind a fence, not behind a speech.
_HEAD_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class RawFinding:
    """A finding as the model wrote it; only its types are right.

    Attributes:
        line: Number of the line as it was shown, from 1.
        code: The quoted code.
        rule: Name of the rule.
        severity: The model's own word for how grave it is; "" where it was not asked.
        message: The sentence; "" where it was not asked.
        replacement: What the model would write instead, or None.
    """

    line: int
    code: str
    rule: str
    severity: str = ""
    message: str = ""
    replacement: str | None = None


class AnswerReader:
    """Reads one answer piece by piece; never raises, whatever the pieces are."""

    def __init__(self) -> None:
        self._text = ""
        # Where the list begins, 0 while it has not been seen, and how far it has been read.
        self._list = 0
        self._at = 0
        self._depth = 0
        self._start = 0
        self._after = 0
        self._blanks = 0
        self._in_string = False
        self._escaped = False
        self._read: list[Any] = []
        self._early: list[RawFinding] = []
        self._is_over = False
        self.misshapen = 0
        """How many entries are no finding, as far as the answer has been read."""
        self.broken = False
        """Whether the answer is not what was asked for; what was read before that stays."""

    @property
    def findings(self) -> tuple[RawFinding, ...]:
        """All findings that are complete, in the order in which they were written."""
        return tuple(self._early[:MAX_FINDINGS])

    def feed(self, piece: str) -> tuple[RawFinding, ...]:
        """Take the next piece and return the findings that it completes."""
        if self.broken or not piece:
            return ()
        if len(self._text) + len(piece) > MAX_ANSWER_CHARACTERS:
            self.broken = True
            return ()
        self._text += piece
        if not self._list and "[" in piece:
            self._find_list()
        if not self._list or self._is_over:
            return ()
        before = len(self.findings)
        self._scan()
        return self.findings[before:]

    def finish(self) -> tuple[RawFinding, ...]:
        """Take it that the answer has ended, and return the findings not returned before."""
        if self.broken:
            return ()
        entries = _entries(self._text)
        if entries is None or entries[: len(self._read)] != self._read:
            self.broken = True
            return ()
        before = len(self.findings)
        for entry in entries[len(self._read) :]:
            self._add(entry)
        return self.findings[before:]

    def _find_list(self) -> None:
        """Look for the beginning of the list, behind thoughts and a fence."""
        body = conversation.without_thoughts(self._text)
        skipped = len(self._text) - len(body)
        fence = _FENCE.match(body)
        if fence is not None:
            skipped += fence.end()
        found = _LIST.match(self._text[skipped : skipped + _HEAD_CHARACTERS])
        if found is not None:
            self._list = self._at = self._after = skipped + found.end()

    def _scan(self) -> None:
        """Go on to the end of the text, taking each object of the list that ends on the way."""
        while self._at < len(self._text) and not self._is_over and not self.broken:
            char = self._text[self._at]
            self._at += 1
            if self._in_string:
                self._in_string = self._escaped or char != '"'
                self._escaped = char == "\\" and not self._escaped
            elif char.isspace():
                self._blanks += 1
                self.broken = self._blanks > MAX_BLANKS
            else:
                self._blanks = 0
                self._structure(char)

    def _structure(self, char: str) -> None:
        """Take a character that stands outside of strings."""
        if char == '"':
            self._in_string = True
        elif char in "{[":
            if not self._depth:
                self._start = self._at - 1
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
            if not self._depth:
                self._take(self._text[self._start : self._at])
            self._is_over = self._is_over or self._depth < 0

    def _take(self, text: str) -> None:
        value = _load(text)
        between = self._text[self._after : self._start].strip()
        # Not JSON, or beside something that is no object: the whole answer will tell.
        if not isinstance(value, dict) or between != ("," if self._read else ""):
            self._is_over = True
            return
        self._after = self._at
        self._read.append(value)
        self._add(value)

    def _add(self, entry: Any) -> None:
        found = raw_of(entry)
        if found is None:
            self.misshapen += 1
        else:
            self._early.append(found)


def read(answer: str) -> list[RawFinding] | None:
    """Read a whole answer; nothing in it is repaired, but thoughts and a fence are taken off.

    Returns:
        The findings of the right shape, at most `MAX_FINDINGS`; None when the answer is not
        what was asked for.
    """
    if len(answer) > MAX_ANSWER_CHARACTERS:
        return None
    entries = _entries(answer)
    if entries is None:
        return None
    found = (raw_of(entry) for entry in entries)
    return [entry for entry in found if entry is not None][:MAX_FINDINGS]


def raw_of(entry: Any) -> RawFinding | None:
    """Return what the model wrote of one finding; None when it has not the right shape."""
    match entry:
        case {"line": int(line), "code": str(code), "rule": str(rule), **more} if (
            not isinstance(line, bool) and abs(line) <= _MOST_LINES
        ):
            severity, message = more.get("severity", ""), more.get("message", "")
            if not isinstance(severity, str) or not isinstance(message, str):
                return None
            if max(len(rule), len(severity)) > _WORD_CHARACTERS:
                return None
            if max(len(code), len(message)) > _TEXT_CHARACTERS:
                return None
            replacement: Any = more.get("replacement")
            if not isinstance(replacement, str) or len(replacement) > _REPLACEMENT_CHARACTERS:
                replacement = None
            return RawFinding(line, code, rule, severity, message, replacement)
        case _:
            return None


def _entries(answer: str) -> list[Any] | None:
    body = conversation.without_thoughts(answer)
    fence = _FENCE.match(body)
    if fence is not None:
        body = body[fence.end() :].rstrip().removesuffix(_FENCE_END)
    value = _load(body)
    findings = cast("dict[str, Any]", value).get("findings") if isinstance(value, dict) else None
    return cast("list[Any]", findings) if isinstance(findings, list) else None


def _load(text: str) -> Any:
    """Return the value of a JSON text, None where it is none."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> Any:
    """Refuse NaN and the infinities, which Python reads and JSON does not know (RFC 8259, 6)."""
    raise ValueError(name)
