"""Which editors are here, and what each needs to show ghost text."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sirdab.cli.checks.report import Check, Findings, ok, warning
from sirdab.models.programs import Run, find_program, run_program

_EXTENSION = "sirdab.sirdab-*"


@dataclass(frozen=True, slots=True)
class Editor:
    """An editor that Sirdab knows.

    Attributes:
        name: Its name.
        programs: What it is called on the search path.
        places: Where else it is, "~" being the home directory; "%NAME%" stands for a variable.
        version: Finds the version in what `--version` prints.
        least: The oldest version that works.
        extensions: Folders of extensions, below the home directory; only VS Code's family.
        hint: Says what the version means for ghost text; None when nothing.
    """

    name: str
    programs: tuple[str, ...]
    version: str
    least: tuple[int, ...] = ()
    places: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    hint: Callable[[tuple[int, ...]], str] | None = None


@dataclass(frozen=True, slots=True)
class FoundEditor:
    """An editor that is here.

    Attributes:
        name: Its name.
        path: Its program.
        version: As it says itself; "" when it does not answer.
        is_new_enough: Whether Sirdab works with that version; None when it is not known.
        has_extension: Whether Sirdab's extension is there; None where there is no such thing.
        hint: What the version means for ghost text.
    """

    name: str
    path: str
    version: str
    is_new_enough: bool | None
    has_extension: bool | None
    hint: str


def _neovim(version: tuple[int, ...]) -> str:
    if version >= (0, 12):
        return "shows ghost text with its own vim.lsp.inline_completion"
    return "the plugin in clients/neovim draws the ghost text; 0.12 has it built in"


def _in_menu(_version: tuple[int, ...]) -> str:
    return "shows the suggestion in its completion menu"


# The oldest versions are those of clients/ and of docs/editors.
EDITORS: tuple[Editor, ...] = (
    Editor(
        "VS Code",
        ("code",),
        r"^(\d+\.\d+\.\d+)",
        (1, 91),
        (
            "/Applications/Visual Studio Code.app/Contents/Resources/app/bin/code",
            "%LOCALAPPDATA%/Programs/Microsoft VS Code/bin/code.cmd",
            "%PROGRAMFILES%/Microsoft VS Code/bin/code.cmd",
            "/usr/share/code/bin/code",
            "/snap/bin/code",
            "/var/lib/flatpak/exports/bin/com.visualstudio.code",
        ),
        (".vscode/extensions", ".vscode-server/extensions"),
    ),
    Editor(
        "VSCodium",
        ("codium",),
        r"^(\d+\.\d+\.\d+)",
        (1, 91),
        (
            "/Applications/VSCodium.app/Contents/Resources/app/bin/codium",
            "%LOCALAPPDATA%/Programs/VSCodium/bin/codium.cmd",
            "/usr/share/codium/bin/codium",
            "/snap/bin/codium",
            "/var/lib/flatpak/exports/bin/com.vscodium.codium",
        ),
        (".vscode-oss/extensions",),
    ),
    Editor(
        "code-server",
        ("code-server",),
        r"^(\d+\.\d+\.\d+)",
        (4, 91),
        ("~/.local/bin/code-server", "/usr/lib/code-server/bin/code-server"),
        (".local/share/code-server/extensions",),
    ),
    Editor(
        "Neovim",
        ("nvim",),
        r"NVIM v(\d+\.\d+\.\d+)",
        (0, 10),
        ("/opt/homebrew/bin/nvim", "~/.local/bin/nvim", "%PROGRAMFILES%/Neovim/bin/nvim.exe"),
        hint=_neovim,
    ),
    Editor(
        "Emacs",
        ("emacs",),
        r"GNU Emacs (\d+\.\d+(?:\.\d+)?)",
        (28,),
        ("/Applications/Emacs.app/Contents/MacOS/Emacs", "/opt/homebrew/bin/emacs"),
        hint=_in_menu,
    ),
    Editor(
        "Helix",
        ("hx", "helix"),
        r"helix (\d+\.\d+(?:\.\d+)?)",
        (23, 10),
        ("/opt/homebrew/bin/hx", "~/.cargo/bin/hx"),
        hint=_in_menu,
    ),
    Editor("Vim", ("vim",), r"VIM - Vi IMproved (\d+\.\d+)", (8, 2)),
    Editor(
        "Zed",
        ("zed", "zeditor"),
        r"Zed (?:\w+ )?(\d+\.\d+\.\d+)",
        (),
        ("~/.local/bin/zed", "/Applications/Zed.app/Contents/MacOS/cli"),
    ),
    Editor(
        "Sublime Text",
        ("subl",),
        r"Sublime Text Build (\d+)",
        (4000,),
        (
            "/opt/sublime_text/sublime_text",
            "/Applications/Sublime Text.app/Contents/SharedSupport/bin/subl",
            "%PROGRAMFILES%/Sublime Text/subl.exe",
        ),
    ),
)


def look(run: Run = run_program, editors: tuple[Editor, ...] = EDITORS) -> Findings:
    """Return the editors that are here; never raises.

    Args:
        run: Asks an editor for its version.
        editors: Those that are looked for.
    """
    with ThreadPoolExecutor(len(editors)) as pool:
        asking = [pool.submit(_find, editor, run) for editor in editors]
    found = [one for asked in asking if (one := asked.result()) is not None]
    checks = [_check(one, editor) for one in found for editor in editors if editor.name == one.name]
    if not checks:
        names = ", ".join(editor.name for editor in editors)
        checks = [warning("Editors", f"none of {names} was found; see docs/editors for others")]
    return Findings(tuple(checks), {"editors": [asdict(one) for one in found]})


def _find(editor: Editor, run: Run) -> FoundEditor | None:
    path = next(_paths(editor), None)
    if path is None:
        return None
    match = re.search(editor.version, run((str(path), "--version")) or "", re.MULTILINE)
    version = match[1] if match else ""
    numbers = tuple(int(part) for part in version.split(".")) if version else ()
    return FoundEditor(
        name=editor.name,
        path=str(path),
        version=version,
        is_new_enough=numbers >= editor.least if numbers else None,
        has_extension=_has_extension(editor) if editor.extensions else None,
        hint=editor.hint(numbers) if editor.hint and numbers >= editor.least else "",
    )


def _paths(editor: Editor) -> Iterator[Path]:
    for name in editor.programs:
        path = find_program(name)
        if path is not None:
            yield path
    for place in editor.places:
        # What begins with a variable of Windows means nothing elsewhere, and the other way round.
        if place.startswith("%") != (sys.platform == "win32"):
            continue
        with suppress(OSError, RuntimeError):
            variable = re.sub(r"%(\w+)%", lambda match: os.environ.get(match[1], ""), place)
            path = Path(variable).expanduser()
            if path.is_absolute() and path.is_file():
                yield path


def _has_extension(editor: Editor) -> bool:
    with suppress(OSError, RuntimeError):
        return any(
            True for folder in editor.extensions for _ in (Path.home() / folder).glob(_EXTENSION)
        )
    return False


def _check(found: FoundEditor, editor: Editor) -> Check:
    title = " ".join(filter(None, (found.name, found.version)))
    where = f"{title} at {found.path}"
    least = ".".join(map(str, editor.least))
    if found.is_new_enough is False:
        return warning(found.name, f"{where} is too old; Sirdab needs {least} or newer")
    if found.has_extension is False:
        return ok(found.name, f"{where}; Sirdab's extension is not installed in it")
    if found.has_extension:
        return ok(found.name, f"{where}, with Sirdab's extension")
    if not found.version:
        return ok(found.name, f"{where}; it did not tell its version in time")
    return ok(found.name, f"{where}; {found.hint}" if found.hint else where)
