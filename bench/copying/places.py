"""The places of the bench: cursors in real files of which only what stands before them is there."""

import math
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sirdab.completion import shape
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".venv" / "lib" / "python3.11" / "site-packages"
SUFFIXES = (".py", ".ts", ".lua")
OPEN_BESIDE = 6
PLACES_PER_FILE = 20
LINE_STARTS = 0.25
SEED = 4
# Code that people wrote by hand; what was generated from tables repeats itself far more.
FITTED = (
    "click", "anyio", "attr", "rich", "_pytest", "tomlkit", "filelock", "h11", "pynvim",
    "hatchling", "setuptools/command", "pygls", "pluggy",
)  # fmt: skip
JUDGED = (
    "httpx", "httpcore", "cattrs", "markdown_it", "pathspec", "hypothesis", "packaging",
    "platformdirs", "pyte", "psutil",
)  # fmt: skip
# Newer than any model that is asked here, so that none has it by heart.
FRESH = ("lsp/sirdab", "clients/vscode/src", "clients/neovim")


class Place(NamedTuple):
    """A cursor in a file of which only what stands before it is there.

    Attributes:
        path: The file, relative to the repository or the packages.
        beside: The open files.
        text: What was typed so far.
        point: The cursor.
        expected: The rest of the line.
        below: The lines that follow in the file.
    """

    path: str
    beside: tuple[Snapshot, ...]
    text: Text
    point: Point
    expected: str
    below: tuple[str, ...]


def files_of(root: Path, name: str) -> list[Path]:
    """Return the source files of a package or folder, in a fixed order."""
    found = (path for path in (root / name).rglob("*") if path.suffix in SUFFIXES)
    return sorted(p for p in found if p.is_file() and 1_500 < p.stat().st_size < 200_000)


def places(root: Path, name: str, count: int, chance: random.Random) -> Iterator[Place]:
    """Yield places in the files of a package, the later ones in each file last."""
    files = files_of(root, name)
    texts = {path: Text(path.read_text(encoding="utf-8", errors="replace")) for path in files}
    chosen = chance.sample(files, min(len(files), math.ceil(count / PLACES_PER_FILE)))
    for path in chosen:
        near = sorted(files, key=lambda one: (_steps(one, path), str(one)))
        beside = tuple(
            Snapshot(str(one), language_of(one), 1, texts[one])
            for one in near
            if one != path and one.suffix == path.suffix
        )[:OPEN_BESIDE]
        text = texts[path]
        lines = [n for n in range(8, text.line_count) if len(text.line_body(n).strip()) > 3]
        for number in sorted(chance.sample(lines, min(len(lines), PLACES_PER_FILE))):
            body = text.line_body(number).rstrip()
            indent = len(body) - len(body.lstrip())
            column = indent
            if chance.random() > LINE_STARTS:
                column = chance.randrange(indent + 1, len(body))
            yield Place(
                str(path.relative_to(root)),
                beside,
                text.replace(Point(number, column), text.end, ""),
                Point(number, column),
                body[column:],
                tuple(
                    text.line_body(n) for n in range(number + 1, min(number + 9, text.line_count))
                ),
            )


def _steps(path: Path, other: Path) -> int:
    """Return how many folders lie between two files."""
    common = len(Path(os.path.commonpath([path.parent, other.parent])).parts)
    return len(path.parent.parts) + len(other.parent.parts) - 2 * common


def shape_at(place: Place) -> shape.Shape:
    """Return how far a suggestion may go at a place."""
    before = place.text.slice(Point(max(place.point.line - 40, 0), 0), place.point)
    return shape.decide(before.replace("\r\n", "\n"), "", "auto")
