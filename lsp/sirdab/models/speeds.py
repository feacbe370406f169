"""How fast each model is on this machine, from one start of the editor to the next.

The first prompt of a day is as dear as any other, and both its size and the choice of the model
depend on the speed. The file holds figures by the name of a model and its server's host, nothing
else. The speeds are measured by whoever asks a model (`sirdab.completion.speeds`).
"""

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from sirdab.config.directories import state_directory

log = logging.getLogger(__name__)

MOST_MODELS = 64

# No machine is faster, so more is a damaged file.
_MOST_READ = 1e6
_MOST_WRITTEN = 1e5
_MOST_CHARACTERS = 20.0


class Figures(NamedTuple):
    """What is known of a model on this machine; 0 where nothing is.

    Attributes:
        read_per_second: Prompt tokens read in a second.
        written_per_second: Tokens written in a second.
        characters_per_token: Characters of a prompt for each token that the server counted.
    """

    read_per_second: float = 0.0
    written_per_second: float = 0.0
    characters_per_token: float = 0.0


def default_path() -> Path:
    """Return the file of this user."""
    return state_directory() / "speeds.json"


def key_of(model: str, host: str) -> str:
    """Return the name that a model's figures are kept under.

    Args:
        model: What the server calls the model.
        host: The server's host. Without the port, which is another one each time for the embedded
            server.
    """
    return f"{model} at {host}"


def read(path: Path) -> dict[str, Figures]:
    """Return what is known, the model that was used last at the end; nothing of a damaged file."""
    try:
        tree: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(tree, dict):
        return {}
    entries = cast("dict[str, Any]", tree).items()
    found = {
        key: _figures(cast("dict[str, Any]", one)) for key, one in entries if type(one) is dict
    }
    return dict(list(found.items())[-MOST_MODELS:])


def write(path: Path, known: Mapping[str, Figures]) -> None:
    """Keep figures beside those that are there. Never raises: they can be measured again."""
    rows = {key: figures._asdict() for key, figures in {**read(path), **known}.items()}
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        from sirdab.policy.private import make_private_directory

        make_private_directory(path.parent)
        part.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        log.info("the speeds were not saved (%s)", type(error).__name__)
        with contextlib.suppress(OSError):
            part.unlink()


def _figures(row: Mapping[str, object]) -> Figures:
    return Figures(
        _figure(row.get("read_per_second"), _MOST_READ),
        _figure(row.get("written_per_second"), _MOST_WRITTEN),
        _figure(row.get("characters_per_token"), _MOST_CHARACTERS),
    )


def _figure(value: object, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    return round(float(value), 3) if 0 < value <= most else 0.0
