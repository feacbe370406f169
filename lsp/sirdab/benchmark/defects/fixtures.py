"""The clean code that comes with the bench, and its tests.

It was written for the bench. It is ordinary and right, and has its share of lines that look wrong
and are not. `clean/` holds the code and `checks/` a test of each file, in the same language but for
TypeScript, whose tests are JavaScript.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

# Folder: the suffix of its files, their language, and the suffix of their tests.
_LANGUAGES = {
    "python": (".py", "python", ".py"),
    "javascript": (".js", "javascript", ".js"),
    "typescript": (".ts", "typescript", ".js"),
}


@dataclass(frozen=True, slots=True)
class Fixture:
    """A clean source file.

    Attributes:
        name: Its name below `clean/`, for example "python/web.py".
        language_id: As LSP spells it.
        text: The source.
        check: The source of its test.
    """

    name: str
    language_id: str
    text: str
    check: str

    @property
    def module(self) -> str:
        """The name that its test imports it by."""
        return self.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


@cache
def fixtures() -> tuple[Fixture, ...]:
    """Return the clean files, in a fixed order."""
    root = resources.files("sirdab.benchmark.defects")
    found: list[Fixture] = []
    for folder, (suffix, language_id, tested) in _LANGUAGES.items():
        files = root.joinpath("clean", folder).iterdir()
        for file in sorted(files, key=lambda file: file.name):
            if file.name.endswith(suffix):
                check = root.joinpath("checks", folder, file.name.removesuffix(suffix) + tested)
                name = f"{folder}/{file.name}"
                found.append(Fixture(name, language_id, _read(file), _read(check)))
    return tuple(found)


def fixture_named(name: str) -> Fixture | None:
    """Return the clean file of that name, or None."""
    return next((one for one in fixtures() if one.name == name), None)


def _read(file: Traversable) -> str:
    return file.read_text(encoding="utf-8").replace("\r\n", "\n") if file.is_file() else ""
