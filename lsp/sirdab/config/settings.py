"""Resolves settings from their sources into one valid `Settings`.

Sources, strongest first: what the client sends as `workspace/configuration`, then
`initializationOptions`, then the user's `config.toml`, then the defaults. Keys marked
user-only in the schema are taken only from `initializationOptions` and `config.toml`,
because a client may fill `workspace/configuration` from files of the workspace.

Nothing here raises on bad input: each problem becomes one sentence, and the value is
replaced by the next source's.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sirdab.config.schema import SettingInfo, Settings, all_settings

CONFIG_ENV = "SIRDAB_CONFIG"


@dataclass(frozen=True, slots=True)
class Source:
    """One tree of values as it was received.

    Attributes:
        name: How a message names it, for example "initializationOptions".
        values: Nested objects with the public camelCase names.
        user_level: Whether it may set the user-only keys.
    """

    name: str
    values: Mapping[str, Any]
    user_level: bool


@dataclass(frozen=True, slots=True)
class Resolved:
    """Settings and what was wrong with their sources.

    Attributes:
        settings: Complete and valid.
        problems: One sentence each, in the order found.
    """

    settings: Settings
    problems: tuple[str, ...]


def config_path() -> Path:
    """Return the path of the user's configuration file, whether or not it exists."""
    named = os.environ.get(CONFIG_ENV)
    if named:
        path = Path(named)
        # The home of a user who does not exist is left as it is written, and then not found.
        with suppress(RuntimeError):
            path = path.expanduser()
        return path
    import platformdirs

    return platformdirs.user_config_path("sirdab", appauthor=False) / "config.toml"


def load_user_source() -> tuple[Source | None, tuple[str, ...]]:
    """Read the user's configuration file.

    Returns:
        The source, or None when there is no usable file, and the problems met.
    """
    path = config_path()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if os.environ.get(CONFIG_ENV):
            return None, (f"{path}: {CONFIG_ENV} names this file but it does not exist.",)
        return None, ()
    except (OSError, ValueError, RecursionError) as error:
        # Bytes that are no UTF-8 and what is no TOML are `ValueError`s, and so is a number of
        # thousands of digits.
        reason = error.strerror if isinstance(error, OSError) else error
        lost = "its settings are not used, privacy.exclude among them"
        return None, (f"{path}: cannot be read ({reason}); {lost}.",)
    return Source(str(path), values, user_level=True), ()


def resolve(sources: list[Source]) -> Resolved:
    """Merge the sources, the strongest first.

    Args:
        sources: Trees of values; earlier ones win.
    """
    known = {info.key: info for info in all_settings()}
    problems: list[str] = []
    ignored: list[tuple[Source, str, Any]] = []
    chosen: dict[str, Any] = {}
    for source in sources:
        for key, value in _flatten(source.values, known).items():
            info = known.get(key)
            if info is None:
                problems.append(_unknown(key, known, source))
            elif info.spec.user_only and not source.user_level:
                ignored.append((source, key, value))
            elif value is None:
                continue
            else:
                checked, complaint = _check(info, value)
                if complaint:
                    problems.append(f"{source.name}: {key} {complaint}")
                elif info.spec.adds_up:
                    chosen[key] = tuple(dict.fromkeys((*chosen.get(key, ()), *checked)))
                else:
                    chosen.setdefault(key, checked)
    for source, key, value in ignored:
        # A client sends its whole section, also what it sent with `initialize`; only a value that
        # would change something is worth a word.
        repeated = tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        if repeated not in (None, chosen.get(key, known[key].default)):
            problems.append(
                f"{source.name}: {key} is ignored here because it decides where code is "
                f"sent; set it in {config_path()} or in the editor's user settings."
            )
    return Resolved(_build(known, chosen), tuple(dict.fromkeys(problems)))


def _flatten(
    values: Mapping[str, Any], known: Mapping[str, SettingInfo], prefix: str = ""
) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    groups = {info.group for info in known.values() if info.group}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and key in groups:
            flat.update(_flatten(cast("Mapping[str, Any]", value), known, f"{key}."))
        elif key in groups and value is None:
            continue
        else:
            flat[key] = value
    return flat


def _unknown(key: str, known: Mapping[str, SettingInfo], source: Source) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; see the settings table in README.md."
    return f"{source.name}: {key} is not a setting of Sirdab{hint}"


def _check(info: SettingInfo, value: Any) -> tuple[Any, str]:
    """Return the value in its Python form, or a complaint that completes "KEY ..."."""
    expected = describe_type(info)
    wrong = f"must be {expected}, not {value!r}; the default {_show(info.default)} is used."
    if info.is_list:
        return _check_list(info, value, wrong)
    if info.accepts_list and isinstance(value, list | tuple):
        # Where one string would do too, an empty list says nothing at all.
        return _check_list(info, value, wrong) if value else (None, wrong)
    if info.accepts_bool and isinstance(value, bool):
        return value, ""
    if info.accepts_int and isinstance(value, int) and not isinstance(value, bool):
        low, high = info.spec.minimum, info.spec.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            return None, wrong
        return value, ""
    if isinstance(value, str) and (info.accepts_any_string or value in info.choices):
        return value, ""
    return None, wrong


def _check_list(info: SettingInfo, value: Any, wrong: str) -> tuple[Any, str]:
    if not isinstance(value, list | tuple):
        return None, wrong
    items = cast("list[Any] | tuple[Any, ...]", value)
    allowed = info.spec.item_values
    if not all(isinstance(item, str) and (not allowed or item in allowed) for item in items):
        return None, wrong
    return tuple(cast("list[str]", items)), ""


def describe_type(info: SettingInfo) -> str:
    """Say in words what a setting accepts."""
    if info.is_list:
        among = ", ".join(f'"{value}"' for value in info.spec.item_values)
        return f"a list of {among}" if among else "a list of strings"
    options = ["true", "false"] if info.accepts_bool else []
    options += [f'"{choice}"' for choice in info.choices]
    if info.accepts_int:
        low, high = info.spec.minimum, info.spec.maximum
        options.append(f"a whole number from {low} to {high}")
    if info.accepts_any_string:
        options.append("a string")
    if info.accepts_list:
        options.append("a list of strings")
    return " or ".join(filter(None, (", ".join(options[:-1]), options[-1])))


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return str(list(cast("tuple[str, ...]", value)))
    return f'"{value}"' if isinstance(value, str) else str(value)


def _build(known: Mapping[str, SettingInfo], chosen: Mapping[str, Any]) -> Settings:
    settings = Settings()
    for key, value in chosen.items():
        info = known[key]
        if not info.group:
            settings = replace(settings, **{info.field_name: value})
            continue
        group = replace(getattr(settings, info.group), **{info.field_name: value})
        settings = replace(settings, **{info.group: group})
    return settings
