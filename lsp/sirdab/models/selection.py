"""Writes the chosen model into the user's configuration file, and nothing else in it.

The file is the user's own: comments, order and spelling stay. So the text is edited by line
and the result is parsed again; an edit that would change anything but the one key is not made.
"""

import copy
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any, cast

from sirdab.models.errors import ModelError

_TABLE = re.compile(r"^\s*\[\s*endpoint\s*\]\s*(#.*)?$")
_ANY_TABLE = re.compile(r"^\s*\[")
_KEY = re.compile(r"^(\s*)model(\s*=\s*).*$")
_DOTTED = re.compile(r"^(\s*endpoint\s*\.\s*)model(\s*=\s*).*$")


def select_model(path: Path, model: str) -> None:
    """Set `endpoint.model` in a configuration file, which is made when it does not exist.

    Args:
        path: The file.
        model: The value.

    Raises:
        ModelError: The file cannot be read or written, or is written in a way this edit does
            not handle; the message then says what to add by hand.
    """
    try:
        # Bytes are decoded here, because reading as text would turn "\r\n" into "\n".
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read ({error}); {_by_hand(model)}") from error
    edited = set_endpoint_model(text, model)
    if edited is None:
        raise ModelError(f"{path} could not be edited safely; {_by_hand(model)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A link stays a link: people keep their configuration in a repository of their own.
        target = path.resolve()
        written = target.with_name(f"{target.name}.{os.getpid()}.new")
        written.write_bytes(edited.encode("utf-8"))
        if target.exists():
            written.chmod(target.stat().st_mode)
        written.replace(target)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be written: {error.strerror or error}; {_by_hand(model)}"
        ) from error


def set_endpoint_model(text: str, model: str) -> str | None:
    """Return TOML text with `endpoint.model` set, or None where no safe edit was found."""
    try:
        before: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    wanted = copy.deepcopy(before)
    table = wanted.setdefault("endpoint", {})
    if not isinstance(table, dict):
        return None
    cast("dict[str, Any]", table)["model"] = model
    # A JSON string of printable text is a basic string of TOML.
    edited = _edit(text, json.dumps(model, ensure_ascii=False))
    try:
        return edited if tomllib.loads(edited) == wanted else None
    except tomllib.TOMLDecodeError:
        return None


def _edit(text: str, value: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    inside = False
    header = -1
    for index, line in enumerate(lines):
        body = line.rstrip("\r\n")
        if _ANY_TABLE.match(body):
            inside = bool(_TABLE.match(body))
            header = index if inside else header
            continue
        pattern = _KEY if inside else _DOTTED
        found = pattern.match(body)
        if found:
            key = f"{found[1]}model{found[2]}"
            lines[index] = f"{key}{value}{line[len(body) :]}"
            return "".join(lines)
    if header >= 0:
        lines[header] = lines[header].rstrip("\r\n") + end
        lines.insert(header + 1, f"model = {value}{end}")
        return "".join(lines)
    if text and not text.endswith("\n"):
        text += end
    gap = end if text else ""
    return f"{text}{gap}[endpoint]{end}model = {value}{end}"


def _by_hand(model: str) -> str:
    return f'set model = "{model}" under [endpoint] there yourself.'
