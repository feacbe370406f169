"""Files of results: one JSON object a line, so that a run that was stopped can go on."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast, get_type_hints

from sirdab.benchmark.score import Score

_TYPES = get_type_hints(Score)


class ResultsError(Exception):
    """A file is no file of results; the message is one sentence."""


def entries_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of results; the first one holds what the run was made with.

    A last line that was cut off, because the run was stopped while it wrote, is left out.

    Raises:
        ResultsError: The file cannot be read or holds something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise ResultsError(f"{path} cannot be read ({reason}).") from error
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            entry: Any = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break
            raise ResultsError(f"{path} holds no results in line {number}.") from error
        if not isinstance(entry, dict):
            raise ResultsError(f"{path} holds no results in line {number}.")
        entries.append(cast("dict[str, Any]", entry))
    if not entries or "conditions" not in entries[0]:
        raise ResultsError(f"{path} holds no results of `sirdab bench`.")
    return entries


def read(path: Path) -> tuple[dict[str, Any], list[Score]]:
    """Return what a run was made with, and its scores.

    Raises:
        ResultsError: The file cannot be read or holds something else.
    """
    entries = entries_of(path)
    try:
        scores = [_score(entry) for entry in entries[1:]]
    except (KeyError, TypeError) as error:
        raise ResultsError(f"{path} was written by another version; begin a new file.") from error
    return entries[0]["conditions"], scores


def _score(entry: dict[str, Any]) -> Score:
    """Read one score.

    Raises:
        KeyError: One of its figures is missing.
        TypeError: One is of another type.
    """
    for name, kind in _TYPES.items():
        if not isinstance(entry[name], int | float if kind is float else kind):
            raise TypeError(name)
    return Score(**{name: entry[name] for name in _TYPES})


def begin(path: Path, conditions: dict[str, Any]) -> list[Score]:
    """Open a file of results for a run and return what it has of the run already.

    Args:
        path: Made when it does not exist.
        conditions: What the run is made with; a file of another run is not added to.

    Raises:
        ResultsError: It cannot be written, or belongs to another run.
    """
    if path.exists() and path.stat().st_size:
        before, scores = read(path)
        if before != conditions:
            raise ResultsError(
                f"{path} is of a run with other options; name another file with --output."
            )
        # A line that was cut off goes.
        _write(path, conditions, scores)
        return scores
    _write(path, conditions, [])
    return []


def append(path: Path, score: Score) -> None:
    """Add a score.

    Raises:
        ResultsError: The file cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(score.as_json()) + "\n")
    except OSError as error:
        raise ResultsError(f"{path} cannot be written ({error.strerror}).") from error


def _write(path: Path, conditions: dict[str, Any], scores: Iterable[Score]) -> None:
    entries = [{"conditions": conditions}, *(score.as_json() for score in scores)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    except OSError as error:
        raise ResultsError(f"{path} cannot be written ({error.strerror}).") from error
