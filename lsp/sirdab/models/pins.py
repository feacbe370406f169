"""Which digest a model must have: the user's lock file, `models.lock` beside `config.toml`.

A name like "qwen2.5-coder:7b" may mean another file tomorrow, because who publishes a model may
replace it. A pin keeps the file: one whose SHA-256 is another is not used.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sirdab.models.errors import ModelError

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BEGINNING = re.compile(r"[0-9a-f]{8,64}")
SHORT = 12
"""Characters of a digest that are shown: as many as Ollama shows."""


class PinnedError(ModelError):
    """A model is there, but not the file that the user pinned it to."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The file that a name must mean.

    Attributes:
        model: The model's name: an id of the catalog, the path of a file, or a server's name.
        digest: SHA-256 in lower-case hexadecimal.
        size_bytes: Size of the file; 0 when not known.
        source: Whose file it was when it was pinned, for example "sirdab" or "ollama".
        time: When it was pinned, as ISO 8601 in UTC.
    """

    model: str
    digest: str
    size_bytes: int = 0
    source: str = ""
    time: str = ""


def default_path() -> Path:
    """Return the user's lock file, whether or not it exists."""
    from sirdab.config.settings import config_path

    return config_path().with_name("models.lock")


def read(path: Path | None = None) -> dict[str, Pin]:
    """Return the pins by the names of their models.

    Raises:
        ModelError: The file is there and is not a lock file. It is not passed over, because a pin
            that is lost without a word protects nobody.
    """
    place = path or default_path()
    try:
        tree: Any = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(tree, dict):
            raise _damaged(place)
        rows: Any = cast("dict[str, Any]", tree)["models"]
        return {name: _pin(name, row) for name, row in rows.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(f"{place} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(place) from error


def pin_of(model: str, path: Path | None = None) -> Pin | None:
    """Return the pin of a model, or None.

    Raises:
        ModelError: The lock file cannot be understood.
    """
    return read(path).get(model)


def check(model: str, digest: str, path: Path | None = None) -> None:
    """Make sure that a model's digest is the one it is pinned to, if it is pinned.

    Args:
        model: The model's name.
        digest: SHA-256 of what is there; "" when not known, which is let pass.
        path: The lock file; the user's own by default.

    Raises:
        PinnedError: It is another one.
        ModelError: The lock file cannot be understood.
    """
    pin = pin_of(model, path)
    if pin is not None and digest and digest.lower().removeprefix("sha256:") != pin.digest:
        raise mismatch(pin, digest)


def mismatch(pin: Pin, digest: str) -> PinnedError:
    """Return the error that says that a model is another file than the pinned one.

    Args:
        pin: What it should be.
        digest: What it is.
    """
    return PinnedError(
        f"Model {pin.model} is pinned to {short(pin.digest)}, and what is here is {short(digest)}, "
        f"so it is not used; bring the pinned file back, or run: sirdab model pin {pin.model}"
    )


def set_pin(pin: Pin, path: Path | None = None) -> None:
    """Pin a model, in the place of an earlier pin.

    Raises:
        ModelError: The lock file cannot be understood or written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    pinned = Pin(pin.model, pin.digest, pin.size_bytes, pin.source, pin.time or now)
    place = path or default_path()
    _write(place, {**read(place), pin.model: pinned})


def remove_pin(model: str, path: Path | None = None) -> bool:
    """Let a model be any file again; returns whether it was pinned.

    Raises:
        ModelError: The lock file cannot be understood or written.
    """
    place = path or default_path()
    pins = read(place)
    if pins.pop(model, None) is None:
        return False
    _write(place, pins)
    return True


def short(digest: str) -> str:
    """Return as much of a digest as is shown."""
    return digest.lower().removeprefix("sha256:")[:SHORT]


def beginning(text: str) -> str | None:
    """Return what a person wrote as a digest or its beginning, or None when it is neither."""
    digest = text.strip().lower().removeprefix("sha256:")
    return digest if _BEGINNING.fullmatch(digest) else None


def _pin(name: str, row: dict[str, Any]) -> Pin:
    digest, size = str(row["sha256"]), row.get("size_bytes", 0)
    if not _DIGEST.fullmatch(digest) or type(size) is not int:
        raise ValueError(name)
    return Pin(name, digest, size, str(row.get("source", "")), str(row.get("time", "")))


def _write(path: Path, pins: dict[str, Pin]) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for name, pin in sorted(pins.items()):
        row = asdict(pin)
        del row["model"]
        row["sha256"] = row.pop("digest")
        rows[name] = row
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A link stays a link: people keep their configuration in a repository of their own.
        target = path.resolve()
        written = target.with_name(f"{target.name}.{os.getpid()}.new")
        text = json.dumps({"version": 1, "models": rows}, ensure_ascii=False, indent=2)
        written.write_text(f"{text}\n", encoding="utf-8")
        written.replace(target)
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror or error}.") from error


def _damaged(path: Path) -> ModelError:
    return ModelError(
        f"{path} is not a lock file that this version understands; correct it, or delete it to pin "
        "the models anew."
    )
