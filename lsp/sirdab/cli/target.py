"""Reads `FILE:LINE:COL` and the file it names."""

import re
from pathlib import Path
from typing import NamedTuple

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
            click.UsageError: With one sentence, when something about it is wrong.
        """
        del param, ctx
        if isinstance(value, Target):
            return value
        match = re.fullmatch(r"(?P<file>.+):(?P<line>\d{1,9}):(?P<column>\d{1,9})", str(value))
        if match is None:
            raise click.UsageError(
                f"{value!r} is not FILE:LINE:COL; write for example src/app.py:12:5."
            )
        path = Path(match["file"])
        text = _read(path)
        line, column = int(match["line"]), int(match["column"])
        if not 1 <= line <= text.line_count:
            raise click.UsageError(
                f"{path} has {text.line_count} lines, so there is no line {line}."
            )
        width = len(text.line_body(line - 1)) + 1
        if not 1 <= column <= width:
            raise click.UsageError(
                f"line {line} of {path} has columns 1 to {width}, so there is no column {column}."
            )
        absolute = path.resolve()
        snapshot = Snapshot(
            uri=absolute.as_uri(), language_id=language_of(path), version=0, text=text
        )
        return Target(absolute, snapshot, Point(line - 1, column - 1))


def _read(path: Path) -> Text:
    try:
        if path.is_dir():
            raise click.UsageError(f"{path} is a folder; name a file.")
        # Opening a pipe waits for its writer, and a device may have no end.
        if path.exists() and not path.is_file():
            raise click.UsageError(f"{path} is not a regular file; name a text file.")
        with path.open("rb") as file:
            data = file.read(limits.MAX_MESSAGE_BYTES + 1)
    except FileNotFoundError:
        raise click.UsageError(f"{path} does not exist; check the path.") from None
    except (OSError, ValueError) as error:
        # A path with a NUL is a ValueError.
        reason = error.strerror if isinstance(error, OSError) else error
        raise click.UsageError(f"{path} cannot be read: {reason}.") from error
    if len(data) > limits.MAX_MESSAGE_BYTES:
        raise click.UsageError(
            f"{path} has more than {limits.MAX_MESSAGE_BYTES:,} bytes; name a smaller file."
        )
    if b"\0" in data[:8192]:
        raise click.UsageError(f"{path} is a binary file; name a text file.")
    try:
        return Text.from_str(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is not UTF-8 text; convert it first.") from None
