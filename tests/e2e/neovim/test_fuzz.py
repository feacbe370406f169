"""Random typing while suggestions come and go: nothing is lost, and nothing is added but them.

Two Neovims get the same keys, one with the plugin and a server whose suggestions come at odd
times, the other bare. What the first accepts is inserted in the second at the same place. Both
buffers must be the same after every step, and the server's document at the end.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.neovim.conftest import DISPLAYS, Display, StartEditor, on_displays
from tests.e2e.neovim.harness import Editor, Script
from tests.e2e.neovim.steps import assert_no_errors

pytestmark = pytest.mark.real_editor

STEPS = 400
SEEDS = [int(seed) for seed in os.environ.get("SIRDAB_FUZZ_SEEDS", "1 2").split()]

TEXT = "def add(a, b):\n\treturn a + b\n\n漢字 = 'é'  # 😀\nif x:\n    y = (1, 2)\n"

# A key that only counts: when it was counted, all keys before it have been worked on.
COUNT = "<F12>"
_COUNTER = (
    "_G.counted = 0; vim.keymap.set({'i', 'n'}, '<F12>', "
    "'<Cmd>lua _G.counted = _G.counted + 1<CR>')"
)

# Has every acceptance noted, with what it inserts and how much it deletes.
_RECORDER = """
_G.accepted = {}
local item = require("sirdab.ghost.item")
local insert = item.insert
item.insert = function(bufnr, rest, part)
  local text = item.part(rest.text, part)
  local deleted = #text == #rest.text and rest.delete or 0
  table.insert(_G.accepted, { row = rest.row, col = rest.col, text = text, deleted = deleted })
  return insert(bufnr, rest, part)
end
"""

# Inserts in the bare Neovim what the other one accepted, as an undo step of its own.
_INSERT = """
local row, col, text, deleted = ...
local cursor = vim.api.nvim_win_get_cursor(0)
assert(cursor[1] - 1 == row and cursor[2] == col, "the cursors differ")
vim.bo.undolevels = vim.bo.undolevels
local lines = vim.split(text, "\\n", { plain = true })
vim.api.nvim_buf_set_text(0, row, col, row, col + deleted, lines)
vim.api.nvim_win_set_cursor(0, { row + #lines, (#lines == 1 and col or 0) + #lines[#lines] })
vim.bo.undolevels = vim.bo.undolevels
"""


@dataclass
class Pair:
    """The Neovim with the plugin and the one without."""

    ours: Editor
    bare: Editor

    def press(self, keys: str) -> None:
        """Press keys in both, and wait until both have worked on them."""
        for editor in (self.ours, self.bare):
            self._press(editor, keys)

    def _press(self, editor: Editor, keys: str) -> None:
        before = editor.lua("return _G.counted")
        editor.type(keys + COUNT)
        for _ in range(100):
            # Neovim works on keys before it answers, most often, so there is no need to sleep.
            if editor.lua("return _G.counted") == before + 1:
                return
        editor.wait(lambda: editor.lua("return _G.counted") == before + 1, f"the keys {keys!r}")

    def accept(self, key: str) -> int:
        """Press a key of ours, and repeat in the bare one what that does; return how often."""
        self.ours.lua("_G.accepted = {}")
        self._press(self.ours, key)
        accepted: list[dict[str, Any]] = self.ours.lua("return _G.accepted")
        if not accepted:
            self._press(self.bare, key)
        for change in accepted:
            self.bare.lua(_INSERT, change["row"], change["col"], change["text"], change["deleted"])
        return len(accepted)


def keys_to_type(dice: random.Random, mode: str) -> str:
    """Return the keys of one step, for the mode that Neovim is in."""
    if mode == "n":
        return dice.choice(
            [
                *("i", "a", "A", "o", "O", "I", "cc", "i", "a", "A", "o"),
                *("u", "u", "<C-r>", ".", "x", "dd", "p", "yy", "J", "j", "k", "w", "b", "G", "gg"),
                *("0", "$", "ciw", "D", "~", "v$y", "<C-v>jIz<Esc>", "2ofoo<Esc>"),
            ]
        )
    word = dice.choice(["foo", "(", " = ", "é", "漢", "x", "\n", ")", "😀", "a, b", "e\u0301"])
    return dice.choice(
        [
            *(word, word, word, word),
            *("<BS>", "<BS><BS>", "<Del>", "<Left>", "<Right>", "<Up>", "<Down>", "<Home>"),
            *("<End>", "<CR>", "<C-o>h", "<C-o>D", "<C-g>u", "<C-]>", "<M-]>", "<Esc>"),
            *("<C-v>u00e9", "<C-a>", "<C-e>", "<Esc>u", "<Esc>.", "<C-r>."),
        ]
    )


@pytest.fixture
def bare(display: Display, tmp_path: Path) -> Iterator[Editor]:
    """A Neovim of the same version in which nothing suggests."""
    folder = tmp_path / "bare"
    folder.mkdir()
    editor = Editor(display.install(), folder, setup="", plugin=False)
    yield editor
    editor.close()


@on_displays(DISPLAYS[1:3])
@pytest.mark.parametrize("seed", SEEDS)
def test_buffer_is_what_was_typed_and_accepted(
    seed: int, start: StartEditor, script: Script, bare: Editor
) -> None:
    dice = random.Random(seed)
    script.noise, script.sync = seed, 2
    script.encoding = dice.choice(["utf-8", "utf-16", "utf-32"])
    script.rules()
    ours = start(script.command)
    for editor in (ours, bare):
        editor.lua(_COUNTER)
        editor.nvim.command("set shiftwidth=4 noswapfile")
        path = editor.folder / "example.txt"
        path.write_text(TEXT, encoding="utf-8")
        editor.nvim.command(f"edit {path}")
        # Keys of ours that fall through must do the same where they are nobody's.
        editor.lua(
            "for _, key in ipairs({'<M-w>', '<M-l>', '<M-]>', '<C-]>'}) do "
            "vim.keymap.set('i', key, '<Nop>') end"
        )
    ours.lua(_RECORDER)
    ours.wait_attached()
    pair = Pair(ours, bare)
    accepted = 0
    done: list[str] = []
    for _ in range(STEPS):
        mode = ours.nvim.api.get_mode()["mode"]
        assert mode == bare.nvim.api.get_mode()["mode"], done[-5:]
        if mode == "i" and dice.random() < 0.3:
            # Most often something is waited for, or hardly anything would ever be accepted.
            if dice.random() < 0.8:
                ours.lua("vim.wait(120, require('sirdab').visible, 2)")
            key = dice.choice(["<Tab>", "<Tab>", "<M-w>", "<M-l>"])
            done.append(key)
            accepted += pair.accept(key)
        else:
            keys = keys_to_type(dice, mode[0])
            done.append(keys)
            pair.press(keys)
        assert ours.lines() == bare.lines(), done[-8:]
        assert ours.cursor() == bare.cursor(), done[-8:]
    assert accepted > STEPS / 50
    pair.press("<Esc><Esc>")
    for _ in range(3):
        pair.press("20u")
        assert ours.lines() == bare.lines()
    pair.press("60<C-r>")
    assert ours.lines() == bare.lines()
    document = ours.request("test/document", {"uri": ours.lua("return vim.uri_from_bufnr(0)")})
    assert document == "\n".join(ours.lines()) + "\n"
    assert ours.ghosts() == []
    assert_no_errors(ours)
