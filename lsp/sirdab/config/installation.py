"""How this Sirdab was installed, so that advice fits it.

A person who is told to run pip where Sirdab was installed by something else gets a second copy that
nobody uses.
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from urllib.parse import unquote, urlsplit

EMBEDDED = "sirdab[embedded]"
"""The requirement that brings the embedded engine along."""


class Kind(StrEnum):
    """Who installed Sirdab."""

    EXTENSION = "extension"
    """The VS Code extension, into a private copy that it replaces as a whole."""
    PIPX = "pipx"
    UV_TOOL = "uv-tool"
    EDITABLE = "editable"
    """A checkout of the source."""
    PIP = "pip"
    """pip or uv, into this Python."""


@dataclass(frozen=True, slots=True)
class Installation:
    """How Sirdab came here.

    Attributes:
        kind: Who installed it.
        python: The Python that it runs on.
        source: Folder of the source; None but for a checkout.
        has_pip: Whether this Python has pip.
    """

    kind: Kind
    python: Path
    source: Path | None = None
    has_pip: bool = True

    @property
    def title(self) -> str:
        """Say in a few words how Sirdab was installed."""
        return {
            Kind.EXTENSION: "the private copy of the VS Code extension",
            Kind.PIPX: "installed with pipx",
            Kind.UV_TOOL: "installed with uv tool",
            Kind.EDITABLE: f"run from its source in {self.source}",
            Kind.PIP: "installed with pip",
        }[self.kind]

    @property
    def embedded_advice(self) -> str:
        """Return what to do for the embedded engine, as the end of a sentence."""
        if self.kind is Kind.EXTENSION:
            # What is installed into the copy by hand is gone with the next version of it.
            return 'run "Sirdab: Install the Server" in VS Code, which brings it along'
        return f"run: {self._command}"

    @property
    def _command(self) -> str:
        if self.kind is Kind.PIPX:
            return f'pipx install --force "{EMBEDDED}"'
        if self.kind is Kind.UV_TOOL:
            return f'uv tool install --force "{EMBEDDED}"'
        python = quoted(str(self.python))
        pip = f"{python} -m pip install" if self.has_pip else f"uv pip install --python {python}"
        if self.source is not None:
            return f"{pip} -e {quoted(f'{self.source}[embedded]')}"
        return f'{pip} "{EMBEDDED}"'


def find(
    prefix: Path | None = None,
    distribution: Callable[[], Distribution] = lambda: importlib.metadata.distribution("sirdab"),
) -> Installation:
    """Return how this Sirdab was installed; never raises.

    Args:
        prefix: Folder of the Python environment; the running one unless a test says otherwise.
        distribution: Returns what is recorded of the installation.
    """
    folder = prefix or Path(sys.prefix)
    python = Path(sys.executable)
    has_pip = importlib.util.find_spec("pip") is not None
    # The marker files that the installers leave: pipx's metadata (pipx, "How it works"), uv's
    # receipt (uv, "Tools: tool environments"), and the record beside the extension's copies
    # (clients/vscode/src/server/privateCopy.ts).
    if (folder / "pipx_metadata.json").is_file():
        return Installation(Kind.PIPX, python, has_pip=has_pip)
    if (folder / "uv-receipt.toml").is_file():
        return Installation(Kind.UV_TOOL, python, has_pip=has_pip)
    if _is_private_copy(folder):
        return Installation(Kind.EXTENSION, python, has_pip=has_pip)
    source = _source(distribution)
    kind = Kind.EDITABLE if source is not None else Kind.PIP
    return Installation(kind, python, source, has_pip)


def quoted(text: str) -> str:
    """Return a text as one word of a command line of this system."""
    return subprocess.list2cmdline([text]) if os.name == "nt" else shlex.quote(text)


def _is_private_copy(folder: Path) -> bool:
    try:
        record = json.loads((folder / "installed.json").read_text(encoding="utf-8"))
        return str(record["wheel"]).startswith("sirdab-")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _source(distribution: Callable[[], Distribution]) -> Path | None:
    """Return the folder of an editable installation (PyPA, "Recording the Direct URL Origin")."""
    try:
        record = json.loads(distribution().read_text("direct_url.json") or "{}")
        if record.get("dir_info", {}).get("editable") is not True:
            return None
        path = unquote(urlsplit(str(record["url"])).path)
        # A drive of Windows stands behind the slash that begins the path of a URL.
        return Path(path[1:] if re.match(r"/[A-Za-z]:", path) else path)
    except (PackageNotFoundError, OSError, ValueError, KeyError, AttributeError):
        return None
