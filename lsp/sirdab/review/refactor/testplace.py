"""Decides where new tests go and with which framework, by what the project does already.

Reads only names of files, and a few small files that say which framework is used. Nothing of the
project is run.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

LANGUAGES = frozenset(
    {"go", "java", "javascript", "javascriptreact", "python", "typescript", "typescriptreact"}
)
"""Languages whose conventions are known here."""

_ROOTS = (
    ".git", "pyproject.toml", "setup.py", "setup.cfg", "package.json", "go.mod", "pom.xml",
    "build.gradle", "build.gradle.kts",
)  # fmt: skip
# Levels above a file at which its project is looked for, and entries of a folder that are seen.
_MOST_LEVELS = 12
_MOST_ENTRIES = 500
_MOST_BYTES = 256 * 1024
_SCRIPT_TEST = re.compile(r"\.(test|spec)\.[cm]?[jt]sx?$")
_RUNNERS = ("vitest", "jest", "mocha", "jasmine", "ava")


@dataclass(frozen=True, slots=True)
class PlaceOfTests:
    """Where new tests go.

    Attributes:
        path: The file to be made.
        framework: Its name, as the model is told.
        module: How the tests name the module under test: for Python with dots, for JavaScript as a
            relative path; "" where the tests are in the same package.
    """

    path: Path
    framework: str
    module: str


Allowed = Callable[[Path], bool]
"""Whether a file may be read."""


def place_for(
    path: Path, language_id: str, folders: tuple[str, ...], allowed: Allowed
) -> PlaceOfTests:
    """Return where the tests of a file go.

    Args:
        path: The file under test; it need not be there.
        language_id: Its language, one of `LANGUAGES`.
        folders: Absolute paths of the workspace's folders; nothing above them is looked at.
        allowed: Says of a file of the project whether it may be read.
    """
    root = _root(path, folders)
    if language_id == "python":
        return _python(path, root, allowed)
    if language_id == "go":
        return PlaceOfTests(path.with_name(f"{path.stem}_test.go"), "the testing package", "")
    if language_id == "java":
        return _java(path, root, allowed)
    return _script(path, root, allowed)


def is_test(path: Path) -> bool:
    """Whether a file is one of tests itself."""
    name = path.name
    return bool(
        name.startswith("test_")
        or re.search(r"(_test\.(py|go)|Tests?\.java)$", name)
        or _SCRIPT_TEST.search(name)
    )


def _root(path: Path, folders: tuple[str, ...]) -> Path:
    """Return the folder of the project: the nearest one with a sign of it, within the workspace."""
    inside = [Path(folder) for folder in folders if path.is_relative_to(folder)]
    top = max(inside, key=lambda folder: len(folder.parts), default=None)
    for number, folder in enumerate(path.parents):
        if number >= _MOST_LEVELS:
            break
        if any((folder / name).exists() for name in _ROOTS):
            return folder
        if folder == top:
            return folder
    return top or path.parent


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False)]
    except OSError:
        return []


def _read(path: Path, allowed: Allowed) -> str:
    try:
        if not path.is_file() or path.is_symlink() or not allowed(path):
            return ""
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


# --- Python -------------------------------------------------------------------------------------


def _python(path: Path, root: Path, allowed: Allowed) -> PlaceOfTests:
    ending = any(name.endswith("_test.py") for name in _names(path.parent))
    beside = any(re.fullmatch(r"test_\w+\.py", name) for name in _names(path.parent))
    name = f"{path.stem}_test.py" if ending and not beside else f"test_{path.stem}.py"
    if beside or ending:
        place = path.with_name(name)
    else:
        folder = next((root / one for one in ("tests", "test") if (root / one).is_dir()), None)
        place = (folder or root / "tests") / name
        # Tests that mirror the packages stay beside their like.
        package = path.parent.name
        for mirrored in () if folder is None else (folder / package, folder / "unit" / package):
            if path.parent != root and mirrored.is_dir():
                place = mirrored / name
    return PlaceOfTests(place, _python_framework(root, place, allowed), _python_module(path, root))


def _python_framework(root: Path, place: Path, allowed: Allowed) -> str:
    says = "".join(
        _read(root / name, allowed)
        for name in ("pyproject.toml", "setup.cfg", "tox.ini", "requirements.txt",
                     "requirements-dev.txt", "pytest.ini")
    )  # fmt: skip
    if "pytest" in says or (root / "conftest.py").exists() or (root / "pytest.ini").exists():
        return "pytest"
    folder = place.parent
    others = [name for name in _names(folder) if name.endswith(".py") and is_test(Path(name))][:3]
    if (folder / "conftest.py").exists():
        return "pytest"
    if any("unittest" in _read(folder / name, allowed) for name in others):
        return "unittest"
    return "pytest" if others else "unittest"


def _python_module(path: Path, root: Path) -> str:
    parts = [path.stem] if path.stem != "__init__" else []
    folder = path.parent
    while (folder / "__init__.py").exists() and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    if len(parts) <= 1 and folder != root and folder.is_relative_to(root) and folder.name != "src":
        # Packages without __init__.py are named by their folders.
        parts = [part for part in folder.relative_to(root).parts if part not in ("src", "lib")]
        parts.append(path.stem)
    return ".".join(parts) or path.stem


# --- JavaScript and TypeScript ------------------------------------------------------------------


def _script(path: Path, root: Path, allowed: Allowed) -> PlaceOfTests:
    words = ("test", "spec")
    found = [match[1] for name in _names(path.parent) if (match := _SCRIPT_TEST.search(name))]
    folders = [
        folder
        for folder in (
            path.parent / "__tests__", root / "test", root / "tests", root / "spec",
            root / "__tests__",
        )
        if folder.is_dir()
    ]  # fmt: skip
    place = path.parent
    if not found and folders:
        place = folders[0]
        found = [match[1] for name in _names(place) if (match := _SCRIPT_TEST.search(name))]
    word = "spec" if found.count("spec") > found.count("test") else words[0]
    target = place / f"{path.stem}.{word}{path.suffix}"
    relative = os.path.relpath(path.parent / path.stem, place).replace(os.sep, "/")
    module = relative if relative.startswith(".") else f"./{relative}"
    return PlaceOfTests(target, _script_framework(path, root, allowed), module)


def _script_framework(path: Path, root: Path, allowed: Allowed) -> str:
    for folder in (path.parent, *path.parents):
        if not folder.is_relative_to(root):
            break
        package = _json(_read(folder / "package.json", allowed))
        names: set[str] = set()
        for key in ("dependencies", "devDependencies"):
            group = package.get(key)
            names |= set(cast("dict[str, Any]", group)) if isinstance(group, dict) else set()
        scripts = package.get("scripts")
        said = (
            str(cast("dict[str, Any]", scripts).get("test", ""))
            if isinstance(scripts, dict)
            else ""
        )
        for runner in _RUNNERS:
            if runner in names or re.search(rf"\b{runner}\b", said[:500]):
                return runner
    return "node:test"


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


# --- Java ---------------------------------------------------------------------------------------


def _java(path: Path, root: Path, allowed: Allowed) -> PlaceOfTests:
    says = "".join(
        _read(root / name, allowed) for name in ("pom.xml", "build.gradle", "build.gradle.kts")
    )
    old = "junit" in says and "jupiter" not in says and "junit5" not in says.lower()
    parts = list(path.parts)
    for index in range(len(parts) - 1):
        if parts[index : index + 2] == ["src", "main"]:
            parts[index + 1] = "test"
            break
    name = f"{path.stem}Test.java"
    return PlaceOfTests(Path(*parts).with_name(name), "JUnit 4" if old else "JUnit 5 (Jupiter)", "")
