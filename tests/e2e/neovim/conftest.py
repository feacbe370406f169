"""Fixtures that give the tests real editors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.neovim.harness import Editor, Script, lua_string_list
from tests.support.editors import NvimInstall, neovim_010, neovim_011, neovim_012
from tests.support.editors.fixtures import available

StartEditor = Callable[..., Editor]


INSTALLS: dict[str, Callable[[], NvimInstall]] = {
    "0.10": neovim_010,
    "0.11": lambda: NvimInstall((str(neovim_011()),)),
    "0.12": neovim_012,
}


@dataclass(frozen=True, slots=True)
class Display:
    """One way of showing ghost text: a Neovim, and who draws in it."""

    version: str
    name: str

    def install(self) -> NvimInstall:
        """Return the Neovim, or skip the test with the reason why there is none."""
        return available(INSTALLS[self.version])


DISPLAYS = [
    Display("0.10", "own"),
    Display("0.11", "own"),
    Display("0.12", "builtin"),
    Display("0.12", "own"),
]
NEWEST = DISPLAYS[2]
EACH_VERSION = DISPLAYS[:3]
OWN_AND_BUILT_IN = DISPLAYS[1:3]
OLDEST_AND_NEWEST = [DISPLAYS[0], NEWEST]


def _name(display: Display) -> str:
    return f"nvim{display.version}-{display.name}"


def on_displays(displays: Sequence[Display]) -> pytest.MarkDecorator:
    """Run a test on some displays only, because what it holds does not depend on the others."""
    return pytest.mark.parametrize("display", displays, ids=_name)


@pytest.fixture(params=EACH_VERSION, ids=_name)
def display(request: pytest.FixtureRequest) -> Display:
    """Every Neovim in turn, with the display that it uses unless it is told otherwise."""
    return request.param


@pytest.fixture
def start(display: Display, tmp_path: Path) -> Iterator[StartEditor]:
    """Start editors that are ended with the test, whatever happens in it."""
    editors: list[Editor] = []

    def start_editor(command: list[str], options: str = "", **kwargs: object) -> Editor:
        setup = (
            f"require('sirdab').setup({{cmd = {lua_string_list(command)}, "
            f"ghost_text = {{display = '{display.name}'}}, {options}}})"
        )
        kwargs.setdefault("setup", setup)
        editor = Editor(display.install(), tmp_path, **kwargs)  # type: ignore[arg-type]
        editors.append(editor)
        return editor

    yield start_editor
    for editor in editors:
        editor.close()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """The script of a server that answers what it is told to."""
    return Script(tmp_path)
