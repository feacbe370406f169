"""Fixtures that the tests of terminal editors share; a conftest takes them in by their names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.editors.cache import EditorUnavailableError
from tests.support.editors.session import Home, ModelServer, model_server
from tests.support.editors.terminal import Terminal

T = TypeVar("T")

OpenTerminal = Callable[[Sequence[str], Mapping[str, str]], Terminal]
"""Starts a program, with environment variables beside those of the home."""

NOT_ASCII = (
    "print('😀👩‍👩‍👧', ",  # Several code points to a character.
    "print('漢字かな', ",
    "print('e\u0301t\u0302', ",  # Combining marks.
    "print('ß', grö",  # A word that is not ASCII.
    "x = e\u0301",
)
"""Beginnings of lines in which no two position encodings count alike."""


def available(get: Callable[[], T]) -> T:
    """Return what `get` fetches, or skip the test with the reason why it cannot be had."""
    try:
        return get()
    except EditorUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Empty user folders."""
    return Home(tmp_path)


@pytest.fixture
def model(home: Home) -> Iterator[ModelServer]:
    """A scripted model server that Sirdab is set to use."""
    with model_server() as server:
        home.settings(endpoint={"url": server.fake.url})
        yield server


@pytest.fixture
def open_terminal(home: Home) -> Iterator[OpenTerminal]:
    """Start programs in the project's folder; they are ended with the test."""
    running: list[Terminal] = []

    def start(argv: Sequence[str], env: Mapping[str, str]) -> Terminal:
        terminal = Terminal(argv, cwd=home.project, env=home.environment(**env))
        running.append(terminal)
        return terminal

    yield start
    for terminal in running:
        terminal.close()
