"""Chooses the holes that a completion benchmark asks to be filled.

A hole is a stretch that is taken out of a real source file; what was there is the right answer. The
same folder, kinds, number and seed always give the same holes, so that two runs can be compared.
"""

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from sirdab.policy.ignore import ExclusionRules
from sirdab.syntax.languages import language_of
from sirdab.text.store import Point, Text

Kind = Literal["line", "middle", "block"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Languages that are written by people line by line; data and prose are another question.
LANGUAGES = frozenset(
    {
        "c",
        "cpp",
        "csharp",
        "go",
        "java",
        "javascript",
        "javascriptreact",
        "kotlin",
        "lua",
        "php",
        "python",
        "ruby",
        "rust",
        "scala",
        "swift",
        "typescript",
        "typescriptreact",
    }
)

_LARGEST_BYTES = 400_000
_SHORTEST_LINE = 12
_LARGEST_BLOCK_LINES = 8
# Between tokens, where a person pauses: before a word, behind a bracket or an operator.
_BOUNDARY = re.compile(r"(?<=[\s(\[{.,=:])(?=\S)")
_COMMENT = re.compile(r"\s*(?:#|//|/\*|\*|--|\"\"\"|''')")
# Files are looked at for holes in this order of magnitude before it is given up.
_TRIES_PER_HOLE = 200


@dataclass(frozen=True, slots=True)
class Hole:
    """A document with a stretch taken out.

    Attributes:
        id: Names the hole in a file of results; changes when the file does.
        path: The file, relative to the folder that was asked about.
        language_id: Its language.
        kind: The rest of a line, a part within a line, or the body of a block.
        text: The document without the stretch.
        point: Where it was.
        expected: The stretch, with LF line ends.
    """

    id: str
    path: str
    language_id: str
    kind: Kind
    text: Text
    point: Point
    expected: str


def source_files(folder: Path, exclude: Sequence[str] = ()) -> list[Path]:
    """Return the source files of a folder that may be read, in a fixed order.

    Args:
        folder: Any folder; what its ignore files exclude is left out.
        exclude: The setting `privacy.exclude`.
    """
    rules = ExclusionRules(exclude, (str(folder),))
    found = (
        path
        for path in folder.rglob("*")
        if language_of(path) in LANGUAGES
        and path.is_file()
        and path.stat().st_size <= _LARGEST_BYTES
        and not rules.is_excluded(str(path))
    )
    return sorted(found)


def choose(
    folder: Path, kinds: tuple[Kind, ...], count: int, seed: int, exclude: Sequence[str] = ()
) -> Iterator[Hole]:
    """Yield holes, the kinds in turn; fewer than asked for when the folder has no more.

    Args:
        folder: The folder with the code.
        kinds: Kinds of holes.
        count: How many.
        seed: Another seed gives other holes.
        exclude: The setting `privacy.exclude`.
    """
    files = source_files(folder, exclude)
    # Not a secret: the same holes each time is the point.
    chance = random.Random(seed)  # noqa: S311
    seen: set[str] = set()
    tries = count * _TRIES_PER_HOLE if files else 0
    while len(seen) < count and tries:
        tries -= 1
        path = chance.choice(files)
        hole = _dig(folder, path, kinds[len(seen) % len(kinds)], chance)
        if hole is not None and hole.id not in seen:
            seen.add(hole.id)
            yield hole


def _dig(folder: Path, path: Path, kind: Kind, chance: random.Random) -> Hole | None:
    try:
        text = Text(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    number = chance.randrange(text.line_count)
    span = _block(text, number) if kind == "block" else _in_line(text, number, kind, chance)
    if span is None:
        return None
    start, stop = span
    expected = text.slice(start, stop).replace("\r\n", "\n").replace("\r", "\n")
    name = path.relative_to(folder).as_posix()
    mark = f"{name}:{start.line}:{start.column}:{kind}:{expected}:{text}"
    return Hole(
        id=hashlib.sha256(mark.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        path=name,
        language_id=language_of(path),
        kind=kind,
        text=text.replace(start, stop, ""),
        point=start,
        expected=expected,
    )


def _in_line(
    text: Text, number: int, kind: Kind, chance: random.Random
) -> tuple[Point, Point] | None:
    body = text.line_body(number)
    code = body.rstrip()
    if len(code.strip()) < _SHORTEST_LINE or _COMMENT.match(code):
        return None
    places = [match.start() for match in _BOUNDARY.finditer(code) if code[: match.start()].strip()]
    if not places:
        return None
    start = chance.choice(places)
    if kind == "line":
        return Point(number, start), Point(number, len(body))
    # Within a pair of brackets, so that what follows on the line stays.
    stop = _closing(code, start)
    return None if stop is None or stop == start else (Point(number, start), Point(number, stop))


def _closing(code: str, start: int) -> int | None:
    """Return where the bracket around a place is closed on its line."""
    depth = 0
    for column in range(start, len(code)):
        if code[column] in "([{":
            depth += 1
        elif code[column] in ")]}":
            if depth == 0:
                return column
            depth -= 1
    return None


def _block(text: Text, number: int) -> tuple[Point, Point] | None:
    """Return the lines below a line that are indented deeper, without the first indentation."""
    header = text.line_body(number)
    if not header.strip() or _COMMENT.match(header):
        return None
    depth = _depth(header)
    last = number
    for line in range(number + 1, min(text.line_count, number + 2 + _LARGEST_BLOCK_LINES)):
        body = text.line_body(line)
        if body.strip() and _depth(body) <= depth:
            break
        if body.strip():
            last = line
    lines = last - number
    if not 2 <= lines <= _LARGEST_BLOCK_LINES:
        return None
    first = text.line_body(number + 1)
    if not first.strip() or _depth(first) <= depth:
        return None
    return Point(number + 1, _depth(first)), Point(last, len(text.line_body(last)))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
