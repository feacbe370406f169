"""Reads `FILE:LINE:COL` and the file it names."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

import click

from sirdab.policy import limits
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text


class Target(NamedTuple):
    """A place in a file.

    Attributes:
        path: Absolute path.
        snapshot: The file as a document.
        point: The place, 0-based.
    """

    path: Path
    snapshot: Snapshot
    point: Point


class TargetParam(click.ParamType[Target]):
    """`FILE:LINE:COL` with line and column from 1, as compilers print them."""

    name = "FILE:LINE:COL"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Target:
        """Read the file and check the place.

        Raises:
            click.BadParameter: With one sentence, when something about it is wrong.
        """
        if isinstance(value, Target):
            return value
        match = re.fullmatch(r"(?P<file>.+):(?P<line>\d{1,9}):(?P<column>\d{1,9})", str(value))
        if match is None:
            self.fail(
                f"{value!r} is not FILE:LINE:COL; write for example src/app.py:12:5.", param, ctx
            )
        path = Path(match["file"])
        text = _read(path, lambda message: self.fail(message, param, ctx))
        line, column = int(match["line"]), int(match["column"])
        if not 1 <= line <= text.line_count:
            self.fail(
                f"{path} has {text.line_count} lines, so there is no line {line}.", param, ctx
            )
        width = len(text.line_body(line - 1)) + 1
        if not 1 <= column <= width:
            self.fail(
                f"line {line} of {path} has columns 1 to {width}, so there is no column {column}.",
                param,
                ctx,
            )
        absolute = path.resolve()
        snapshot = Snapshot(
            uri=absolute.as_uri(), language_id=language_of(path), version=0, text=text
        )
        return Target(absolute, snapshot, Point(line - 1, column - 1))


def _read(path: Path, fail: Callable[[str], NoReturn]) -> Text:
    try:
        size = path.stat().st_size
        if path.is_dir():
            fail(f"{path} is a folder; name a file.")
        if size > limits.MAX_MESSAGE_BYTES:
            fail(f"{path} has {size:,} bytes; at most {limits.MAX_MESSAGE_BYTES:,} are read.")
        data = path.read_bytes()
    except FileNotFoundError:
        fail(f"{path} does not exist; check the path.")
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}.")
    if b"\0" in data[:8192]:
        fail(f"{path} is a binary file; name a text file.")
    try:
        return Text.from_str(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        fail(f"{path} is not UTF-8 text; convert it first.")
