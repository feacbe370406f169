r"""Matches paths against the patterns of a `.gitignore` file, as Git does.

The rules are those of gitignore(5); where the page is silent, those of Git's own code are taken:
`parse_path_pattern`, `match_basename`, `match_pathname` and `trim_trailing_spaces` of dir.c, and
wildmatch.c. A test compares the verdicts with those of `git check-ignore`.

Ignore files come with a workspace, and a workspace may be hostile. So a pattern is made into a
regular expression that cannot be made to backtrack for long: what a "*" or a "**" leaves to the
next one is taken at its first occurrence and never tried again (an atomic group), which is enough,
because the next one can stand for whatever is left.

Text is matched byte by byte, in the form `as_bytes` gives it, because Git's "?" is a byte.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

_SPECIAL = re.compile(r"[*?\[\\]")
_CLASSES = {
    "alnum": r"0-9A-Za-z",
    "alpha": r"A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": r"0-9",
    "graph": r"\x21-\x7e",
    "lower": r"a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": r"A-Z",
    "xdigit": r"0-9A-Fa-f",
}
_NEVER = r"(?!)"


class Match(NamedTuple):
    """The pattern that decides about a path.

    Attributes:
        excludes: Whether it excludes the path; False when it takes it back in.
        pattern: The line, as it stands in the file.
    """

    excludes: bool
    pattern: str


class _Pattern(NamedTuple):
    """One line.

    Attributes:
        line: As it stands in the file.
        excludes: False where it begins with "!".
        folders_only: Whether it ends in "/".
        literal: What it matches, where it has no special characters; else "".
        anywhere: Whether it matches a name wherever it is, and not a path.
        expression: Matches paths relative to the folder of the file.
    """

    line: str
    excludes: bool
    folders_only: bool
    literal: str
    anywhere: bool
    expression: str


class GitIgnore:
    """The patterns of one file."""

    def __init__(self, lines: Iterable[str], *, fold: bool = False, negation: bool = True) -> None:
        """Read patterns; like Git, lines that are no patterns match nothing.

        Args:
            lines: The lines of the file, in the form `as_bytes` gives.
            fold: Whether names that differ in case, or in how an accent is spelt, are the same.
            negation: Whether "!" takes paths back in; without it, such lines match nothing.
        """
        found = (_parse(line, fold) for line in lines)
        self._patterns = [one for one in found if one and (negation or one.excludes)]
        self._fold = fold
        # Most patterns are plain names, which need no expression; the others share one, because
        # most paths match none of them.
        self._names: dict[str, list[int]] = {}
        self._paths: dict[str, list[int]] = {}
        self._others: list[int] = []
        for number, one in enumerate(self._patterns):
            if not one.literal:
                self._others.append(number)
                continue
            literals = self._names if one.anywhere else self._paths
            literals.setdefault(one.literal, []).append(number)
        self._any: re.Pattern[str] | None = None
        self._compiled: dict[int, re.Pattern[str]] = {}

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self._patterns)

    @property
    def special(self) -> int:
        """How many patterns have special characters, which cost more than plain names."""
        return len(self._others)

    def match(self, path: str, *, is_folder: bool) -> Match | None:
        """Return the last pattern that speaks of a path, None when none does.

        Folders above it are not looked at: what they hold is excluded with them, which the caller
        has to find out first.

        Args:
            path: Relative to the folder of the file, with "/" between its parts, in the form
                `as_bytes` gives.
            is_folder: Whether it is a folder.
        """
        if not self._patterns:
            return None
        if self._fold:
            path = _fold(path)
        best = -1
        for literals, key in ((self._names, path.rpartition("/")[2]), (self._paths, path)):
            for number in literals.get(key, ()):
                if is_folder or not self._patterns[number].folders_only:
                    best = max(best, number)
        best = max(best, self._match_others(path, is_folder, best))
        if best < 0:
            return None
        pattern = self._patterns[best]
        return Match(pattern.excludes, pattern.line)

    def _match_others(self, path: str, is_folder: bool, above: int) -> int:
        """Return the number of the last pattern with special characters that matches, or -1."""
        if not self._others:
            return -1
        if self._any is None:
            expressions = dict.fromkeys(
                self._patterns[number].expression for number in self._others
            )
            self._any = re.compile("|".join(expressions), re.DOTALL)
        if self._any.fullmatch(path) is None:
            return -1
        for number in reversed(self._others):
            if number < above:
                break
            pattern = self._patterns[number]
            if pattern.folders_only and not is_folder:
                continue
            compiled = self._compiled.get(number)
            if compiled is None:
                compiled = self._compiled[number] = re.compile(pattern.expression, re.DOTALL)
            if compiled.fullmatch(path):
                return number
        return -1


def as_bytes(text: str) -> str:
    """Return a path or a pattern with one character for each byte of its UTF-8 form.

    Bytes of a name that are not UTF-8 reach Python as lone surrogates (PEP 383), and are
    themselves again here.
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "surrogatepass").decode(
        "latin-1"
    )


def _is_escaped(text: str) -> bool:
    return all("\udc80" <= char <= "\udcff" for char in text if "\ud800" <= char <= "\udfff")


def lines_of(content: bytes) -> list[str]:
    """Return the lines of a file in the form `as_bytes` gives, without a byte order mark."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return [line.removesuffix("\r") for line in text.split("\n")]


def _fold(text: str) -> str:
    """Return a text as file systems compare it that take no notice of case.

    They know more letters than A to Z, unlike Git, so more than Git's own folding is done.
    """
    if text.isascii():
        return text.lower()
    try:
        read = text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text.translate(_LOWER)
    return unicodedata.normalize("NFC", read).casefold().encode("utf-8").decode("latin-1")


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _parse(line: str, fold: bool) -> _Pattern | None:
    """Read one line as `add_patterns_from_buffer` and `parse_path_pattern` do."""
    if line.startswith("#"):
        return None
    text = _without_trailing_spaces(line)
    excludes = not text.startswith("!")
    if not excludes:
        text = text[1:]
    folders_only = text.endswith("/")
    if folders_only:
        text = text[:-1]
    if not text or "\0" in text:
        return None
    if fold:
        text = _fold(text).replace("[:upper:]", "[:lower:]")
    # A slash at the beginning or in the middle ties a pattern to the folder of its file.
    anywhere = "/" not in text
    text = text.removeprefix("/")
    if not _SPECIAL.search(text):
        return _Pattern(line, excludes, folders_only, text, anywhere, "")
    expression = _translate(text)
    if anywhere:
        expression = rf"(?:.*/)?{expression}"
    return _Pattern(line, excludes, folders_only, "", anywhere, f"(?:{expression})")


def _without_trailing_spaces(line: str) -> str:
    """Cut off the spaces at the end that no backslash stands before (`trim_trailing_spaces`)."""
    spaces = -1
    at = 0
    while at < len(line):
        if line[at] == " ":
            spaces = at if spaces < 0 else spaces
        else:
            if line[at] == "\\":
                at += 1
                if at == len(line):
                    return line
            spaces = -1
        at += 1
    return line if spaces < 0 else line[:spaces]


def _translate(text: str) -> str:  # noqa: PLR0912 - one branch a special character
    """Return a regular expression that matches what a pattern does (wildmatch.c)."""
    parts: list[str] = []
    deep = ""
    section = _Section()
    first = _SPECIAL.search(text)
    literal = first.start() if first else len(text)
    at = 0
    while at < len(text):
        char = text[at]
        if char == "*":
            stop = at
            while stop < len(text) and text[stop] == "*":
                stop += 1
            # "**" between slashes goes across folders. `match_pathname` takes away what stands
            # before the first special character, so that is as good as a slash.
            starts = at == 0 or text[at - 1] == "/" or at == literal
            ends = stop == len(text) or text[stop] == "/" or text.startswith("\\/", stop)
            if stop - at > 1 and starts and ends:
                # What stands between two of these is taken where it is found first.
                parts.append(f"(?>{deep}?{section.close()})" if deep else section.close())
                section = _Section()
                deep = ".*"
                if text.startswith("/", stop):
                    deep = "(?:[^/]*/)*"
                    stop += 1
            else:
                section.star()
            at = stop
        elif char == "[":
            found = _bracket(text, at)
            if found is None:
                return _NEVER
            section.add(found[0])
            at = found[1]
        elif char == "?":
            section.add("[^/]")
            at += 1
        else:
            if char == "\\":
                at += 1
            if at == len(text):
                return _NEVER
            section.add(re.escape(text[at]))
            if text[at] == "/":
                section.end_folder()
            at += 1
    return "".join((*parts, deep, section.close()))


class _Section:
    """What stands between two "**", as an expression; stars in it stay within a folder."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._piece: list[str] = []
        self._after_star = False

    def add(self, expression: str) -> None:
        """Add what matches one character."""
        self._piece.append(expression)

    def star(self) -> None:
        """Add a star."""
        piece = "".join(self._piece)
        # Up to the next star of a name, what is found first is as good as what is found later.
        self._done.append(f"(?>[^/]*?{piece})" if self._after_star else piece)
        self._piece.clear()
        self._after_star = True

    def end_folder(self) -> None:
        """Say that a folder's name ends here, and with it what its last star can stand for."""
        piece = "".join(self._piece)
        self._done.append(f"[^/]*{piece}" if self._after_star else piece)
        self._piece.clear()
        self._after_star = False

    def close(self) -> str:
        """Return the expression."""
        self.end_folder()
        return "".join(self._done)


def _bracket(  # noqa: PLR0912 - the branches are wildmatch.c's
    text: str, at: int
) -> tuple[str, int] | None:
    """Return the expression for a set of characters and where it ends, None when it does not."""
    at += 1
    negated = at < len(text) and text[at] in "!^"
    at += negated
    members: list[str] = []
    previous: str | None = None
    begun = False
    while True:
        if at >= len(text):
            return None
        char = text[at]
        if char == "]" and begun:
            break
        begun = True
        if char == "\\":
            at += 1
            if at >= len(text):
                return None
            previous = text[at]
            members.append(re.escape(previous))
        elif char == "-" and previous is not None and at + 1 < len(text) and text[at + 1] != "]":
            at += 1
            if text[at] == "\\":
                at += 1
                if at >= len(text):
                    return None
            if previous <= text[at]:
                members.append(f"{re.escape(previous)}-{re.escape(text[at])}")
            previous = None
        elif char == "[" and text.startswith(":", at + 1):
            stop = text.find("]", at + 2)
            if stop < 0:
                return None
            if text[stop - 1] == ":" and stop - 1 >= at + 2:
                name = text[at + 2 : stop - 1]
                if name not in _CLASSES:
                    return None
                members.append(_CLASSES[name])
                previous = None
                at = stop
            else:
                previous = "["
                members.append(re.escape("["))
        else:
            previous = char
            members.append(re.escape(char))
        at += 1
    within = "".join(members)
    if negated:
        return (rf"[^/{within}]", at + 1)
    return (rf"(?!/)[{within}]" if within else _NEVER, at + 1)
