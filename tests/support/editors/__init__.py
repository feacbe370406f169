"""Obtains real editors for the end-to-end tests and keeps them in the cache folder.

Nothing outside the cache is touched: no system package is installed and no root is needed. What
is fetched is checked: by SHA-256 where a version is pinned, by Debian's signatures where it
comes from Debian.
"""

from collections.abc import Callable

from tests.support.editors.cache import EditorUnavailableError, cache_root
from tests.support.editors.emacs import emacs
from tests.support.editors.helix import helix
from tests.support.editors.neovim import NvimInstall, neovim_010, neovim_011, neovim_012
from tests.support.editors.plugins import mini_nvim
from tests.support.editors.vim import vim_with_ale
from tests.support.editors.vscode import VsCode, vscode

__all__ = [
    "EditorUnavailableError",
    "NvimInstall",
    "VsCode",
    "cache_root",
    "neovim_010",
    "neovim_011",
    "neovim_012",
    "prepare",
    "vscode",
]

_RECIPES: list[tuple[str, Callable[[], str]]] = [
    ("Neovim 0.10", lambda: neovim_010().describe()),
    ("Neovim 0.11", lambda: NvimInstall((str(neovim_011()),)).describe()),
    ("Neovim 0.12", lambda: neovim_012().describe()),
    ("mini.nvim", lambda: str(mini_nvim())),
    ("Emacs 28", lambda: emacs("28").describe()),
    ("Emacs 30", lambda: emacs("30").describe()),
    ("Helix", lambda: helix().describe()),
    ("Vim with ALE", lambda: vim_with_ale().describe()),
    ("VS Code", lambda: vscode().describe()),
]
"""What `prepare` fetches: a name, and a function that fetches it and returns its description."""


def prepare(say: Callable[[str], object] = print) -> None:
    """Fetch every editor and say what was done, a line at a time.

    Args:
        say: Takes each line.
    """
    for name, get in _RECIPES:
        say(f"{name}: looking in {cache_root()} ...")
        try:
            say(f"{name}: {get()}")
        except EditorUnavailableError as error:
            say(f"{name}: not available, its tests will be skipped. {error}")
