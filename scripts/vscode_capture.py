"""Makes the picture of ghost text in VS Code: `python scripts/vscode_capture.py`.

A real VS Code runs with the packaged extension, the real server and the real model. Code is typed
into it, and when the suggestion is on the screen the browser's own picture of the window is saved.
"""

import argparse
import struct
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sirdab.models.errors import ModelError  # noqa: E402
from sirdab.models.store import find  # noqa: E402
from tests.e2e.vscode.harness import Chromium, CodeServer, Window  # noqa: E402
from tests.support.editors import EditorUnavailableError, vscode  # noqa: E402

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
TYPED = "        if amount > self.balance:\n"

SETTINGS = {
    "breadcrumbs.enabled": False,
    "editor.fontSize": 15,
    "editor.guides.indentation": False,
    "editor.renderLineHighlight": "none",
    "editor.scrollbar.vertical": "hidden",
    "editor.overviewRulerBorder": False,
    "editor.hideCursorInOverviewRuler": True,
    "editor.stickyScroll.enabled": False,
    "window.autoDetectColorScheme": True,
    "window.commandCenter": False,
    "workbench.activityBar.location": "hidden",
    "workbench.layoutControl.enabled": False,
    "workbench.navigationControl.enabled": False,
}

_PNG = b"\x89PNG\r\n\x1a\n"


def capture(vsix: Path, output: Path, *, dark: bool, size: tuple[int, int], scale: float) -> str:
    """Type into a real VS Code until a suggestion is shown, and save the picture.

    Args:
        vsix: The packaged extension.
        output: Where the picture goes.
        dark: Whether the theme is dark.
        size: Of the window, in CSS pixels.
        scale: Device pixels for each CSS pixel.

    Returns:
        The suggestion.
    """
    program = Path(sys.executable).with_name("sirdab")
    install = vscode()
    with CodeServer(install) as server, Chromium(install) as chromium:
        server.install(vsix)
        model = find("auto").path.as_posix()
        server.fixed = {"sirdab.path": str(program), "sirdab.endpoint.model": model}
        server.settings()
        server.user_settings(**{name.replace(".", "__"): SETTINGS[name] for name in SETTINGS})
        with Window(server, chromium, "bank", size=size, scale=scale, dark=dark) as window:
            window.open("account.py", SOURCE)
            window.run_command("View: Close Primary Side Bar")
            window.wait_status("is ready", timeout_s=180)
            window.focus()
            window.press("Control+End")
            window.type_text(TYPED, delay_ms=30)
            window.wait(window.ghost, "a suggestion", timeout_s=60)
            # The item in the status bar tells of work for a moment after the suggestion.
            window.wait(lambda: window.count(".statusbar .codicon-modifier-spin") == 0, "rest")
            ghost = window.ghost()
            picture = window.call(lambda page: page.screenshot(caret="initial"))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(smaller(picture))
    return ghost


def smaller(picture: bytes) -> bytes:
    """Return a PNG with the same pixels in fewer bytes.

    Browsers compress pictures quickly rather than well. The format is PNG (ISO/IEC 15948): chunks
    of length, type, data and CRC-32, with one zlib stream in the IDAT chunks.
    """
    chunks: list[tuple[bytes, bytes]] = []
    position = len(_PNG)
    while position < len(picture):
        (length,) = struct.unpack_from(">I", picture, position)
        kind = picture[position + 4 : position + 8]
        chunks.append((kind, picture[position + 8 : position + 8 + length]))
        position += length + 12
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    kept = [(kind, data) for kind, data in chunks if kind in {b"IHDR", b"PLTE", b"tRNS"}]
    kept += [(b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return _PNG + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in kept
    )


def main() -> int:
    """Run the capture from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "vscode.png")
    parser.add_argument("--light", action="store_true", help="a light theme, not a dark one")
    parser.add_argument("--width", type=int, default=860)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--scale", type=float, default=1.5)
    parser.add_argument("--vsix", type=Path, help="default: the one that `make vsix` has made")
    arguments = parser.parse_args()
    packaged = sorted((ROOT / "dist").glob("sirdab-*.vsix"), key=lambda path: path.stat().st_mtime)
    vsix = arguments.vsix or (packaged[-1] if packaged else None)
    if vsix is None:
        print(
            "No picture was made: there is no dist/sirdab-*.vsix; run make vsix.", file=sys.stderr
        )
        return 1
    size = arguments.width, arguments.height
    try:
        ghost = capture(
            vsix, arguments.output, dark=not arguments.light, size=size, scale=arguments.scale
        )
    except (EditorUnavailableError, ModelError, AssertionError, OSError) as error:
        print(f"No picture was made: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.output}: {arguments.output.stat().st_size // 1000} kB, {ghost!r}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
