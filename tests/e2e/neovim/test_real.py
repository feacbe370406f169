"""Real Neovim, the real server and the real model: the whole way of a suggestion.

What the model says is its own affair. These tests hold that what the editor shows is what it
inserts, and that it goes on working when a part dies.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirdab.endpoint.managed import server as managed
from tests.e2e.neovim.conftest import OWN_AND_BUILT_IN, Display, StartEditor
from tests.e2e.neovim.harness import Editor
from tests.e2e.neovim.steps import kill_and_wait

pytestmark = [pytest.mark.real_editor, pytest.mark.real_model]

SOURCE = '''\
def area(width, height):
    """Return the area of a rectangle."""
    return width * height


def perimeter(width, height):
    """Return the perimeter of a rectangle."""
'''


# One Neovim in which we draw and one that draws by itself; 0.10 makes no difference to the server.
@pytest.fixture(params=OWN_AND_BUILT_IN, ids=lambda d: f"nvim{d.version}-{d.name}")
def display(request: pytest.FixtureRequest) -> Display:
    return request.param


@pytest.fixture(scope="module")
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder of the tests' own, so that their model server is nobody else's."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIRDAB_STATE_DIR", str(folder))
        yield folder
        for running in managed.running():
            managed.stop(running)


@pytest.fixture
def editor(
    start: StartEditor,
    sirdab_command: list[str],
    real_model_path: Path,
    state_folder: Path,
) -> Editor:
    """An editor with a Python file open and a server that is ready."""
    model = json.dumps(real_model_path.as_posix())
    editor = start(sirdab_command, f"settings = {{endpoint = {{model = {model}}}}}")
    editor.nvim.command("set autoindent expandtab shiftwidth=4")
    editor.open("shapes.py", SOURCE)
    editor.wait_attached()
    wait_state(editor, "ready")
    # Neither a notification nor a message of the server: nothing is wrong with these settings.
    assert editor.told() == []
    assert "sirdab" not in editor.messages().casefold()
    return editor


def wait_state(editor: Editor, *states: str) -> None:
    """Wait until the server says that it is in one of the states."""

    def state() -> str:
        return editor.lua("return require('sirdab.status').get().state")

    editor.wait(lambda: state() in states, f"the state {' or '.join(states)}", timeout_s=120)


def wait_suggestion(editor: Editor) -> str:
    """Wait until a suggestion is shown, and return it."""
    editor.wait(editor.ghost, "a suggestion", timeout_s=60)
    ghost = editor.ghost()
    assert ghost
    return ghost


def assert_accepted(editor: Editor, typed: str, ghost: str) -> None:
    """Press Tab and hold that the buffer is what was typed and what was shown."""
    before = editor.lines()
    assert before[-1] == typed
    editor.type("<Tab>")
    editor.wait_lines([*before[:-1], *(typed + ghost).split("\n")])


def test_suggestion_is_shown_typed_along_and_accepted(editor: Editor) -> None:
    editor.type("Goreturn")
    ghost = wait_suggestion(editor)
    first = ghost[0]
    editor.type(first)
    editor.wait(lambda: (editor.ghost() or "").startswith(ghost[1:]), "the same suggestion")
    rest = editor.ghost()
    assert rest is not None
    assert_accepted(editor, "    return" + first, rest)
    editor.type("<Esc>u")
    editor.wait_lines([*SOURCE.splitlines(), "    return" + first])
    editor.type("u")
    editor.wait_lines(SOURCE.splitlines())
    assert "Error" not in editor.messages()


def test_suggestion_is_dismissed(editor: Editor) -> None:
    editor.type("Goreturn")
    wait_suggestion(editor)
    editor.type("<C-]>")
    editor.wait_ghost(None)
    editor.type(" ")
    wait_suggestion(editor)


@pytest.mark.parametrize("text", ["größe", "漢字", "x😀"])
def test_suggestion_on_a_line_that_is_not_ascii(text: str, editor: Editor) -> None:
    line = f"print('{text}', 2 * (width + "
    editor.type("Go" + line)
    ghost = wait_suggestion(editor)
    assert_accepted(editor, "    " + line, ghost)


def test_server_that_is_killed_is_started_again(editor: Editor) -> None:
    editor.type("Goreturn")
    wait_suggestion(editor)
    editor.type("<Esc>")
    kill_and_wait(editor)
    wait_state(editor, "ready")
    editor.type("a ")
    ghost = wait_suggestion(editor)
    assert_accepted(editor, "    return ", ghost)


def test_model_server_that_is_killed_is_told_and_comes_back(
    editor: Editor, state_folder: Path
) -> None:
    editor.type("Goreturn")
    wait_suggestion(editor)
    editor.type("<Esc>")
    editor.lua(
        "_G.messages = {}; vim.api.nvim_create_autocmd('User', {pattern = 'SirdabStatus', "
        "callback = function(e) table.insert(_G.messages, e.data.message) end})"
    )
    (engine,) = managed.running()
    os.kill(engine.pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    # The next request that needs the model finds out; what was suggested before may be known still.
    # From then on the user need not do anything, not even type.
    editor.type("a 3 * ")
    ended = "The embedded model server has ended; it is being started again."
    editor.wait(lambda: ended in editor.lua("return _G.messages"), "a word about it")
    wait_state(editor, "ready")
    (again,) = managed.running()
    assert again.pid != engine.pid
    editor.type("<BS> ")
    ghost = wait_suggestion(editor)
    assert_accepted(editor, "    return 3 * ", ghost)


def test_explain_names_a_reason(editor: Editor) -> None:
    editor.type("Goreturn<Esc>")
    editor.nvim.command("Sirdab explain")
    editor.wait(lambda: editor.lines()[0].startswith("reason: "), "an explanation", timeout_s=60)
    assert any("area of a rectangle" in line for line in editor.lines())
