"""Makes the picture of ghost text in Neovim: `python scripts/neovim_capture.py`.

A real Neovim 0.12 runs with the plugin, the real server and the real model; its screen is read
through the UI protocol (`nvim_ui_attach` with `ext_linegrid`, :h ui-linegrid) and written as an
SVG. Nothing in the picture is drawn by hand: text, colours and cursor are what Neovim sent.
"""

import argparse
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pynvim  # pyright: ignore[reportMissingTypeStubs]

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.neovim.harness import Editor, lua_string_list  # noqa: E402
from tests.support.editors import EditorUnavailableError, neovim_012  # noqa: E402

SOURCE = '''\
"""Bank accounts."""


class InsufficientFunds(Exception):
    """Raised when an account holds less than is asked for."""


class Account:
    def __init__(self, owner: str, balance: int = 0) -> None:
        self.owner = owner
        self.balance = balance

    def withdraw(self, amount: int) -> None:
        """Take money out of the account."""
'''
KEYS = "Goif amount > self.balance:<CR>"

_CELL_WIDTH, _LINE_HEIGHT, _FONT_SIZE, _PADDING = 8.4, 19, 14, 14


@dataclass(slots=True)
class Grid:
    """A screen as the UI events describe it."""

    cells: list[list[tuple[str, int]]] = field(default_factory=list[list[tuple[str, int]]])
    attributes: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    foreground: int = 0x000000
    background: int = 0xFFFFFF
    cursor: tuple[int, int] = (0, 0)
    flushed: bool = False

    def apply(self, batch: Sequence[Any]) -> None:
        """Apply the events of one `redraw` notification."""
        handlers: dict[str, Callable[..., None]] = {
            "grid_resize": self._resize,
            "grid_clear": self._clear,
            "grid_line": self._line,
            "grid_scroll": self._scroll,
            "grid_cursor_goto": self._cursor,
            "hl_attr_define": self._define,
            "default_colors_set": self._colors,
        }
        for name, *calls in batch:
            handler = handlers.get(name)
            for arguments in calls if handler else ():
                assert handler is not None
                handler(*arguments)
            self.flushed = name == "flush"

    def _resize(self, _grid: int, width: int, height: int) -> None:
        self.cells = [[(" ", 0)] * width for _ in range(height)]

    def _clear(self, _grid: int) -> None:
        self.cells = [[(" ", 0)] * len(row) for row in self.cells]

    def _line(self, _grid: int, row: int, column: int, cells: Sequence[Any], *_: Any) -> None:
        attribute = 0
        for text, *rest in cells:
            if rest:
                attribute = rest[0]
            for _repeat in range(rest[1] if len(rest) > 1 else 1):
                self.cells[row][column] = (text, attribute)
                column += 1

    def _scroll(
        self, _grid: int, top: int, bottom: int, left: int, right: int, rows: int, _columns: int
    ) -> None:
        order = range(top, bottom - rows) if rows > 0 else range(bottom - 1, top - rows - 1, -1)
        for row in order:
            self.cells[row][left:right] = self.cells[row + rows][left:right]

    def _cursor(self, _grid: int, row: int, column: int) -> None:
        self.cursor = (row, column)

    def _define(self, ident: int, rgb: dict[str, Any], *_: Any) -> None:
        self.attributes[ident] = rgb

    def _colors(self, foreground: int, background: int, *_: Any) -> None:
        # -1 stands for "not set".
        self.foreground = max(foreground, 0)
        self.background = background if background >= 0 else 0xFFFFFF

    def text(self) -> str:
        """Return the screen as plain text."""
        return "\n".join("".join(cell[0] for cell in row).rstrip() for row in self.cells)


def _style(grid: Grid, attribute: int) -> tuple[int, int, str]:
    """Return foreground, background and the style attributes of a cell."""
    rgb = grid.attributes.get(attribute, {})
    front = rgb.get("foreground", grid.foreground)
    back = rgb.get("background", grid.background)
    if rgb.get("reverse"):
        front, back = back, front
    extra = ""
    if rgb.get("bold"):
        extra += ' font-weight="bold"'
    if rgb.get("italic"):
        extra += ' font-style="italic"'
    if rgb.get("underline"):
        extra += ' text-decoration="underline"'
    return front, back, extra


def _runs(row: Sequence[tuple[str, int]]) -> list[tuple[int, str, int, int]]:
    """Join cells of one attribute: start column, text, width in cells, attribute."""
    runs: list[tuple[int, str, int, int]] = []
    for column, (text, attribute) in enumerate(row):
        wide = any(unicodedata.east_asian_width(char) in "WF" for char in text)
        if runs and runs[-1][3] == attribute and not wide and text:
            start, before, width, _ = runs[-1]
            runs[-1] = (start, before + text, width + 1, attribute)
        elif text:
            runs.append((column, text, 1, attribute))
        elif runs:
            # The second half of a wide character is an empty cell.
            start, before, width, owner = runs[-1]
            runs[-1] = (start, before, width + 1, owner)
    return runs


def to_svg(grid: Grid, title: str) -> str:
    """Render a screen.

    Args:
        grid: The screen.
        title: Text for those who cannot see the picture.
    """
    columns, rows = len(grid.cells[0]), len(grid.cells)
    width = columns * _CELL_WIDTH + 2 * _PADDING
    height = rows * _LINE_HEIGHT + 2 * _PADDING
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        "font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" "
        f'font-size="{_FONT_SIZE}">'
    )
    out = [
        head,
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="#{grid.background:06x}"/>',
    ]
    for row, cells in enumerate(grid.cells):
        y = _PADDING + row * _LINE_HEIGHT
        for column, text, span, attribute in _runs(cells):
            front, back, extra = _style(grid, attribute)
            x = _PADDING + column * _CELL_WIDTH
            if back != grid.background:
                out.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{span * _CELL_WIDTH:.1f}" '
                    f'height="{_LINE_HEIGHT}" fill="#{back:06x}"/>'
                )
            visible = text.rstrip()
            if visible:
                length = (span - (len(text) - len(visible))) * _CELL_WIDTH
                out.append(
                    f'<text x="{x:.1f}" y="{y + 14}" textLength="{length:.1f}" '
                    f'fill="#{front:06x}"{extra} xml:space="preserve">{escape(visible)}</text>'
                )
    row, column = grid.cursor
    out.append(
        f'<rect x="{_PADDING + column * _CELL_WIDTH:.1f}" y="{_PADDING + row * _LINE_HEIGHT}" '
        f'width="2" height="{_LINE_HEIGHT}" fill="#{grid.foreground:06x}"/>'
    )
    return "\n".join([*out, "</svg>", ""])


def capture(command: list[str], keys: str, columns: int, rows: int) -> tuple[Grid, str]:
    """Type into a real Neovim until a suggestion is on its screen.

    Args:
        command: Starts the language server.
        keys: What is typed, in Neovim's notation.
        columns: Width of the screen in cells.
        rows: Height of the screen in cells.

    Returns:
        The screen, and the suggestion that is shown on it.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        setup = (
            f"require('sirdab').setup({{cmd = {lua_string_list(command)}}}); "
            "vim.o.termguicolors = true; vim.o.ruler = false; vim.o.laststatus = 2; "
            "vim.o.statusline = \" %t %=%{v:lua.require'sirdab'.status()} \"; "
            "vim.o.number = true; vim.g.python_recommended_style = 1; vim.o.fillchars = 'eob: '"
        )
        editor = Editor(neovim_012(), Path(folder), setup=setup)
        try:
            grid = Grid()
            editor.nvim.ui_attach(columns, rows, rgb=True, ext_linegrid=True)
            editor.open("account.py", SOURCE)
            editor.wait_attached()
            ready = "local s = require('sirdab.status').get().state; return s == 'ready'"
            editor.wait(lambda: editor.lua(ready), "the model to be ready", timeout_s=180)
            editor.type(keys)
            editor.wait(editor.ghost, "a suggestion", timeout_s=60)
            ghost = editor.ghost() or ""
            editor.nvim.command("redraw!")
            shown = ghost.split("\n")[0].strip()

            def on_screen() -> bool:
                # An answered request lets the events that came before it through.
                editor.nvim.api.get_mode()
                _take_events(editor.nvim, grid)
                return shown in grid.text()

            editor.wait(on_screen, "the suggestion to be on the screen")
            return grid, ghost
        finally:
            editor.close()


def _take_events(nvim: Any, grid: Grid) -> None:
    nvim.async_call(nvim.stop_loop)

    def on_notification(name: str, arguments: Sequence[Any]) -> None:
        if name == "redraw":
            grid.apply(arguments)

    nvim.run_loop(None, on_notification)


def main() -> int:
    """Run the capture from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "ghost-text.svg")
    parser.add_argument("--keys", default=KEYS, help="what is typed, default: %(default)s")
    parser.add_argument("--columns", type=int, default=88)
    parser.add_argument("--rows", type=int, default=22)
    parser.add_argument(
        "command", nargs="*", help="starts the server; default: this Python's sirdab"
    )
    arguments = parser.parse_args()
    command = arguments.command or [sys.executable, "-m", "sirdab", "--stdio"]
    try:
        grid, ghost = capture(command, arguments.keys, arguments.columns, arguments.rows)
    except (EditorUnavailableError, AssertionError, OSError, pynvim.NvimError) as error:
        print(f"No picture was made: {error}", file=sys.stderr)
        return 1
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(to_svg(grid, f"Neovim shows a suggestion: {ghost}"), "utf-8")
    print(f"{arguments.output}: {ghost!r}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
