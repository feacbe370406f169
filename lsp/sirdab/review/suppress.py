"""Comments in the code that tell a review to be silent: `# sirdab: ignore[rule]`.

A comment counts for its own line, or, where it stands alone on its line, for the next line of
code, which must be near. `# sirdab: ignore` means every rule, `# sirdab: ignore[a, b]` those two,
and `# sirdab: ignore-file[a]` on a line of its own among the first lines means the whole document.
A rule may be named as the editor shows it ("security/sql-injection"). A name that no rule has
ignores nothing; `unknown` finds it, so that it can be told.

What is a comment at all is said by `sirdab.review.comment_start`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sirdab.review.comment_start import BLOCK, BLOCK_END, SIGNS, Comments, start_in_line
from sirdab.review.track import compare
from sirdab.syntax.grammars import LANGUAGES
from sirdab.text.store import Text

WHOLE_DOCUMENT = -1
"""Stands in place of a line for what is ignored everywhere."""

FILE_LINES = 40
"""Lines at the top of a document in which `ignore-file` counts: a licence may stand before it."""

# A directive is looked for where the word stands, so that long lines cost one search.
_WORD = "sirdab:"
_BEFORE = re.compile(r"(//|/\*|--|#)[/*!#-]{0,4}[ \t]{0,8}$")
# A list that has no end, or is too long, is not taken for none, which would mean every rule.
_BEHIND = re.compile(
    r"[ \t]{0,8}ignore(-file)?(?![\w-])(?:[ \t]{0,8}\[([^\[\]\r\n]{0,1000})\]|(?![ \t]{0,8}\[))"
)
_LOOK_BACK = 16
_MOST_NAMES = 32
# More comments than anybody writes by hand; the rest ignores nothing.
_MOST_COMMENTS = 2_000
# Where a comment begins is found by going along its line, so in a longer line, which no person
# wrote, nothing is ignored.
_MOST_CHARACTERS = 2_000
# Lines below a comment that stands alone in which its code is looked for.
_LOOK_AHEAD = 64


class Directive(NamedTuple):
    """One comment that tells to ignore something.

    Attributes:
        line: Its line, 0-based.
        rules: The names in it; None for every rule.
        whole_file: Whether it means the whole document.
        alone: Whether nothing else stands on its line.
    """

    line: int
    rules: tuple[str, ...] | None
    whole_file: bool
    alone: bool


class Directives(NamedTuple):
    """The comments of a document.

    Attributes:
        entries: From top to bottom.
        is_sure: Whether the syntax tree said that each is a comment, where there could be one.
    """

    entries: tuple[Directive, ...]
    is_sure: bool = True


class Unknown(NamedTuple):
    """A name in a comment that no rule has.

    Attributes:
        line: 0-based line of the comment.
        name: The name as it is written there, at most 80 characters.
    """

    line: int
    name: str


def comment_for(language_id: str, rule: str) -> str | None:
    """Return the comment that ignores a rule, in a language's own syntax.

    Args:
        language_id: As LSP spells it.
        rule: Name of the rule, such as "sql-injection".

    Returns:
        For example "# sirdab: ignore[sql-injection]"; None where the language has no comments.
    """
    signs = SIGNS.get(language_id)
    return None if signs is None else f"{signs[0]} {_WORD} ignore[{rule}]"


def line_signs(language_id: str) -> tuple[str, ...]:
    """Return the signs that begin a comment which ends with its line."""
    return tuple(sign for sign in SIGNS.get(language_id, ()) if sign != BLOCK)


def read(text: Text, language_id: str) -> Directives:
    """Find the comments of a document. It may parse it; any thread may do it."""
    return Directives(tuple(_directives(text, language_id, Comments(text, language_id))))


def carried(known: Directives, old: Text, new: Text, language_id: str) -> Directives:
    """Return the comments of a document after an edit, in a time that goes with what was edited.

    Nothing is parsed for it, so a line that was edited is taken at its word until it is read anew.

    Args:
        known: The comments of `old`.
        old: The state before.
        new: The state now.
        language_id: As LSP spells it.
    """
    if old is new:
        return known
    head, tail, shift = compare(old, new)
    last = old.line_count - tail
    fresh = tuple(_directives(new, language_id, None, head, new.line_count - tail))
    return Directives(
        (
            *(entry for entry in known.entries if entry.line < head),
            *fresh,
            *(
                entry._replace(line=entry.line + shift)
                for entry in known.entries
                if entry.line >= last
            ),
        ),
        known.is_sure and (not fresh or language_id not in LANGUAGES),
    )


@lru_cache(maxsize=8)
def ignored(text: Text, language_id: str) -> dict[int, frozenset[str]]:
    """Return the rules that are ignored, by the 0-based line that they are ignored in.

    An empty set stands for all rules, and the line `WHOLE_DOCUMENT` for all lines. What is
    returned is shared and must not be changed.
    """
    return ignored_by(read(text, language_id), text, language_id)


def ignored_by(known: Directives, text: Text, language_id: str) -> dict[int, frozenset[str]]:
    """Return the same as `ignored`, where the comments are known already."""
    found: dict[int, frozenset[str]] = {}
    for directive in known.entries:
        names = frozenset(_plain(name) for name in directive.rules or ())
        if directive.rules is not None and not names:
            continue
        target: int | None = directive.line
        if directive.whole_file:
            if not directive.alone or directive.line >= FILE_LINES:
                continue
            target = WHOLE_DOCUMENT
        elif directive.alone:
            target = _next_code(text, directive.line, language_id)
        if target is not None:
            before = found.get(target)
            everything = not names or (before is not None and not before)
            found[target] = frozenset() if everything else names | (before or frozenset())
    return found


def is_ignored(marks: dict[int, frozenset[str]], rule: str, first: int, last: int) -> bool:
    """Whether a rule is ignored in one of the lines `first`..`last`.

    Args:
        marks: What `ignored` has returned.
        rule: Name of the rule.
        first: First line of the finding, 0-based.
        last: Its last line.
    """
    if not marks:
        return False
    return any(
        line in marks and (not marks[line] or rule in marks[line])
        for line in (WHOLE_DOCUMENT, *range(first, last + 1))
    )


def unknown(known: Directives) -> tuple[Unknown, ...]:
    """Return the names in a document's comments that no rule has."""
    from sirdab.review.rules import rule_named

    return tuple(
        Unknown(directive.line, name[:80])
        for directive in known.entries
        for name in directive.rules or ()
        if rule_named(_plain(name)) is None
    )


def _plain(name: str) -> str:
    """Return a rule's name without the category that diagnostics put before it."""
    return name.rpartition("/")[2]


def _directives(
    text: Text, language_id: str, comments: Comments | None, first: int = 0, stop: int | None = None
) -> Iterator[Directive]:
    """Yield the comments in the lines `first` to before `stop`, from top to bottom."""
    signs = SIGNS.get(language_id, ())
    count = 0
    for number, line in enumerate(text.lines(first, stop), first):
        at = line.find(_WORD) if signs and len(line) <= _MOST_CHARACTERS else -1
        while at >= 0 and count < _MOST_COMMENTS:
            before = _BEFORE.search(line, max(0, at - _LOOK_BACK), at)
            behind = _BEHIND.match(line, at + len(_WORD))
            if before is not None and behind is not None and before[1] in signs:
                # Those that turn out to be none are counted too: looking is what costs.
                count += 1
                if comments is None:
                    start = start_in_line(line, before.start(1), signs)
                else:
                    start = comments.start(line, number, before.start(1), signs)
                if start is not None:
                    yield Directive(
                        number,
                        _names(behind[2]),
                        behind[1] is not None,
                        not line[:start].strip() and _ends_there(line, behind.end(), before[1]),
                    )
            at = line.find(_WORD, at + len(_WORD))


def _names(listed: str | None) -> tuple[str, ...] | None:
    if listed is None:
        return None
    names = (name.strip() for name in listed.split(","))
    return tuple(name for name in names if name)[:_MOST_NAMES]


def _ends_there(line: str, at: int, sign: str) -> bool:
    """Whether nothing but the comment follows in the line."""
    if sign != BLOCK:
        return True
    end = line.find(BLOCK_END, at)
    return end >= 0 and not line[end + len(BLOCK_END) :].strip()


def _next_code(text: Text, line: int, language_id: str) -> int | None:
    """Return the next line that is neither blank nor a comment alone; None where none is near."""
    signs = SIGNS[language_id]
    for number in range(line + 1, min(text.line_count, line + 1 + _LOOK_AHEAD)):
        body = text.line_body(number).strip()
        # PHP writes attributes with the sign of its comments.
        if body and (not body.startswith(signs) or body.startswith("#[")):
            return number
    return None
