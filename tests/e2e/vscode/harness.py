"""Drives a real VS Code in a real browser, and reads back what its user would see.

`CodeServer` is VS Code's server side with folders of its own, `Chromium` the browser, `Window` one
browser page with one workspace. Nothing here reaches into VS Code: keys go in, and what comes out
is read from the page, the saved files and the process list.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

import psutil
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from tests.e2e.vscode.background import Background
from tests.support.editors import VsCode

ROOT = Path(__file__).resolve().parents[3]
ARTIFACTS = ROOT / ".artifacts" / "vscode"

T = TypeVar("T")

STEADY: dict[str, Any] = {
    "chat.disableAIFeatures": True,
    "editor.accessibilitySupport": "off",
    "editor.cursorBlinking": "solid",
    "editor.inlineSuggest.minShowDelay": 0,
    "editor.minimap.enabled": False,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    # It looks for open ports by listing every process's files, over and over.
    "remote.autoForwardPorts": False,
    "security.workspace.trust.enabled": False,
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    # Text that a graphics card draws cannot be read back from the page.
    "terminal.integrated.gpuAcceleration": "off",
    "update.mode": "none",
    "window.restoreWindows": "none",
    "workbench.enableExperiments": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}
"""User settings that keep what has nothing to do with Sirdab off the screen and off the network.

The settings that decide how suggestions behave are VS Code's defaults.
"""

KEYS = [
    # Alt+\ , the default, does not reach a browser without a screen.
    {"key": "ctrl+alt+i", "command": "editor.action.inlineSuggest.trigger"},
    {"key": "ctrl+alt+w", "command": "editor.action.inlineSuggest.acceptNextWord"},
    {"key": "ctrl+alt+l", "command": "editor.action.inlineSuggest.acceptNextLine"},
    {"key": "ctrl+alt+n", "command": "editor.action.inlineSuggest.showNext"},
]

# Returns the ghost text of the focused editor as the screen shows it, "" when there is none. The
# first line is drawn as decorations in the line of the cursor, further lines in a zone below it.
_GHOST = r"""() => {
  const texts = selector => [...document.querySelectorAll(selector)]
    .filter(e => e.offsetParent !== null).map(e => e.textContent);
  const further = texts('.suggest-preview-text .view-line, .ghost-text .view-line');
  const text = [texts('.ghost-text-decoration').join(''), ...further].join('\n');
  return text.replace(/\u00a0/g, ' ').replace(/\u200b/g, '').replace(/\n+$/, '');
}"""


# Keeps a list of the messages that popped up, because they go from the screen by themselves.
# VS Code makes an element for each of them; its text may come, and change, after that.
_LISTEN = """() => {
  const toasts = new Map();
  window.sirdabTold = () => [...toasts.values()];
  new MutationObserver(() => {
    for (const toast of document.querySelectorAll('.notification-toast')) {
      const message = toast.querySelector('.notification-list-item-message');
      const text = (message?.textContent ?? '').replace(/\\u00a0/g, ' ').trim();
      if (text) { toasts.set(toast, text); }
    }
  }).observe(document, { childList: true, characterData: true, subtree: true });
}"""


_STATUS = '.statusbar-item[id^="sirdab.sirdab"]'


_QUICK_INPUT = ".quick-input-widget .quick-input-box input"


class CodeServer:
    """VS Code's server side, with user data, extensions and a home of its own."""

    def __init__(self, vscode: VsCode, env: Mapping[str, str] | None = None) -> None:
        """Start the server; `wait` for it before it is used.

        Args:
            vscode: Which VS Code.
            env: Environment variables to add. PATH without Sirdab is a machine without it.
        """
        self.vscode = vscode
        # Sockets are made below this folder, and a socket's path is at most 107 bytes long.
        self.folder = Path(tempfile.mkdtemp(prefix="sirdab-vscode-"))
        self.user_data = self.folder / "data"
        self.extensions = self.folder / "extensions"
        self.state = self.folder / "state"
        self.workspaces = self.folder / "workspaces"
        for path in (self.user_data / "User", self.user_data / "Machine", self.extensions):
            path.mkdir(parents=True)
        for name in ("home", "run", "tmp", "state", "workspaces"):
            (self.folder / name).mkdir(mode=0o700)
        self.config = self.folder / "config.toml"
        self.config.touch()
        (self.folder / "code-server.yaml").write_text("auth: none\n", encoding="utf-8")
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("VSCODE_", "XDG_"))},
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            # Without it VS Code asks a login shell for the environment, and takes its PATH.
            "VSCODE_CLI": "1",
            # Nobody looks for extensions in a shop.
            "EXTENSIONS_GALLERY": '{"serviceUrl": ""}',
            "SIRDAB_STATE_DIR": str(self.state),
            "SIRDAB_CONFIG": str(self.config),
            **(env or {}),
        }
        self.fixed: dict[str, Any] = {}
        self.settings()
        self.user_settings()
        (self.user_data / "User" / "keybindings.json").write_text(json.dumps(KEYS), "utf-8")
        self.log = self.folder / "code-server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *self._argv(),
                    # A free port, which it says in its log.
                    *("--bind-addr", "127.0.0.1:0"),
                    *("--disable-telemetry", "--disable-update-check"),
                    "--disable-getting-started-override",
                    # Should nobody end it, because the tests themselves were killed.
                    *("--idle-timeout-seconds", "300", "--reconnection-grace-time", "60"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.folder,
                # A group of its own, so that everything that it starts can be ended with it.
                start_new_session=True,
            )

    def _argv(self) -> list[str]:
        return [
            *self.vscode.argv,
            *("--config", str(self.folder / "code-server.yaml"), "--auth", "none"),
            *("--user-data-dir", str(self.user_data), "--extensions-dir", str(self.extensions)),
        ]

    @property
    def url(self) -> str:
        """The server's address; "" before it listens."""
        said = self.log.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"HTTP server listening on (http://127\.0\.0\.1:\d+)/", said)
        return found[1] if found else ""

    def wait(self) -> None:
        """Wait until the server answers."""

        def healthy() -> bool:
            if not self.url:
                return False
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    return True
            except OSError:
                return False

        try:
            poll(healthy, "code-server to answer", timeout_s=60)
        except AssertionError as error:
            said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise AssertionError(f"{error}; it said {said!r}") from None

    def install(self, vsix: Path) -> str:
        """Install an extension and return what was said about it.

        Raises:
            subprocess.CalledProcessError: VS Code refuses it.
        """
        done = subprocess.run(
            [*self._argv(), "--install-extension", str(vsix)],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
            env=self.env,
        )
        return done.stdout + done.stderr

    def settings(self, **changes: Any) -> None:
        """Set these settings beside the `fixed` ones, in place of the last call's.

        They go into the file that belongs to the machine on which extensions run: it is the one
        in which VS Code looks for settings of scope "machine", and a window takes a change of it
        at once. A dot in a name is written as two underscores.
        """
        self._write_settings("Machine", {**self.fixed, **_dotted(changes)})

    def user_settings(self, **changes: Any) -> None:
        """Add to what the user's own file holds; windows that are open do not look again."""
        self._write_settings("User", {**STEADY, **_dotted(changes)})

    def _write_settings(self, kind: str, values: Mapping[str, Any]) -> None:
        path = self.user_data / kind / "settings.json"
        text = json.dumps(values, indent=1)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            # Renamed into place: VS Code must not read a half of it.
            part = path.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)

    def processes(self, wanted: str) -> list[psutil.Process]:
        """Return the processes of this server whose command line contains a text."""
        found: list[psutil.Process] = []
        for child in self._children():
            try:
                alive = child.status() != psutil.STATUS_ZOMBIE
                if alive and any(wanted in word for word in child.cmdline()):
                    found.append(child)
            except psutil.Error:
                continue
        return found

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def close(self) -> None:
        """End the server and everything that it started, and remove its folders."""
        # The model server leaves the group, to outlive the editor that started it.
        children = self._children()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        _gone, alive = psutil.wait_procs(children, timeout=2)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=5)
        _stop_model_servers(self.state)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """Wait until the server answers."""
        try:
            self.wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the server."""
        self.close()


class Chromium:
    """A browser without a screen."""

    def __init__(self, vscode: VsCode) -> None:
        """Start the browser."""
        self.vscode = vscode
        self.background = Background()
        self._folder = tempfile.TemporaryDirectory(prefix="sirdab-chromium-")
        self._chromium = vscode.browser
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        try:
            self.background.run(self._start())
        except BaseException:
            self.close()
            raise

    async def _start(self) -> None:
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(
            executable_path=self._chromium.program,
            env={
                **os.environ,
                "XDG_CONFIG_HOME": self._folder.name,
                "XDG_CACHE_HOME": self._folder.name,
                "TMPDIR": self._folder.name,
                **self._chromium.env,
            },
            args=[
                # The sandbox needs a privilege that containers and build machines do not give;
                # only our own server's pages are visited.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-proxy-server",
            ],
        )

    @property
    def browser(self) -> Browser:
        """The browser, as playwright has it."""
        assert self._browser is not None
        return self._browser

    def close(self) -> None:
        """End the browser."""

        async def stop() -> None:
            if self._browser is not None:
                await self._browser.close()
            if self._playwright is not None:
                await self._playwright.stop()

        try:
            self.background.run(stop())
        finally:
            self.background.close()
            self._folder.cleanup()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the browser."""
        self.close()


class Window:
    """A VS Code window: one workspace in one page of the browser."""

    def __init__(
        self,
        server: CodeServer,
        chromium: Chromium,
        name: str,
        files: Mapping[str, str] | None = None,
        *,
        size: tuple[int, int] = (1100, 700),
        scale: float = 1,
        dark: bool = False,
    ) -> None:
        """Open a window and wait for its workbench.

        Args:
            server: Where its extensions run.
            chromium: What shows it.
            name: The workspace's name; its folder is made.
            files: Files to write into the folder before it is opened.
            size: Of the page, in CSS pixels.
            scale: Device pixels for each CSS pixel.
            dark: Whether the system's theme is dark.
        """
        self.server = server
        self.folder = server.workspaces / name
        self.folder.mkdir(exist_ok=True)
        for path, text in (files or {}).items():
            self._write(path, text)
        self._run = chromium.background.run
        self._context: BrowserContext = self._run(
            chromium.browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                device_scale_factor=scale,
                color_scheme="dark" if dark else "light",
            )
        )
        self._context.set_default_timeout(15_000)
        self.page: Page = self._run(self._context.new_page())
        self.errors: list[str] = []
        self._run(self.page.add_init_script(f"({_LISTEN})()"))
        self._told_before = 0
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        query = urlencode({"folder": str(self.folder)}, quote_via=quote)
        self._run(self.page.goto(f"{server.url}/?{query}"))
        self.wait_selector(".monaco-workbench .statusbar", "the workbench", timeout_s=60)

    def call(self, make: Callable[[Page], Awaitable[T]], timeout_s: float = 30) -> T:
        """Do something with the page and return the result."""

        async def work() -> T:
            return await make(self.page)

        return self._run(work(), timeout_s)

    def evaluate(self, script: str, argument: object = None) -> Any:
        """Run a JavaScript function in the page and return its value."""
        return self.call(lambda page: page.evaluate(script, argument))

    # Files and keys

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        # VS Code would not save over what somebody else wrote while it has the file open.
        assert not path.exists(), f"{name} is a file of another test"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written as bytes: line ends are part of what is tested.
        path.write_bytes(text.encode())
        return path

    def open(self, name: str, text: str | None = None) -> Path:
        """Write a new file where a text is given, edit it and go to its end."""
        path = self.folder / name if text is None else self._write(name, text)
        self.open_tab(path)
        self.wait(lambda: self._edits(path), f"an editor with {name}")
        self.press("Control+End")
        return path

    def _edits(self, path: Path) -> bool:
        """Whether keys go to this file: its tab is there before its text is."""
        uris = self.evaluate(
            "() => [...document.querySelectorAll('.editor-instance .monaco-editor.focused')]"
            ".map(e => e.dataset.uri ?? '')"
        )
        return any(uri.endswith(f"/{quote(path.name)}") for uri in uris)

    def open_tab(self, path: Path) -> None:
        """Open a file, whether or not VS Code shows its text."""
        self._choose(path.name, lambda: self._ask("Control+p", str(path)))
        self.wait(lambda: self.active_tab() == path.name, f"a tab with {path.name}")

    def focus(self) -> None:
        """Put the keyboard back into the editor, from where a click on the status bar took it."""
        # One that closes gives the keyboard back to where it was before.
        self.wait(lambda: not self._quick_input_is_open(), "the quick input to close")
        self.press("Control+1")
        self.wait(self._editor_has_focus, "an editor to have the focus")

    def _ask(self, key: str, text: str) -> None:
        """Open a quick input with a key and write into it."""

        def written() -> bool:
            # A page that is still loading takes the focus, and with it goes the input.
            if not self._quick_input_is_open():
                self.press(key)
                self.wait(self._quick_input_is_open, "the quick input")
            return self._write_quick_input(text)

        self.wait(written, "the quick input")

    def _quick_input_is_open(self) -> bool:
        return self.evaluate(
            "s => [...document.querySelectorAll(s)].some(e => e.offsetParent !== null)",
            _QUICK_INPUT,
        )

    def _write_quick_input(self, text: str) -> bool:
        try:
            self.call(lambda page: page.fill(_QUICK_INPUT, text, timeout=2_000))
        except PlaywrightError:
            return False
        return True

    def _editor_has_focus(self) -> bool:
        return self.count(".editor-instance .monaco-editor.focused") > 0

    def active_tab(self) -> str:
        """Return the label of the active editor's tab."""
        return self.evaluate(
            "() => document.querySelector('.editor-group-container.active .tab.active')"
            "?.dataset.resourceName ?? ''"
        )

    def type_text(self, text: str, delay_ms: float = 0) -> None:
        """Press the keys of a text, one after the other."""
        self.call(lambda page: page.keyboard.type(text, delay=delay_ms))

    def press(self, key: str) -> None:
        """Press a key or a chord, in playwright's notation: "Tab", "Control+Alt+w"."""
        self.call(lambda page: page.keyboard.press(key))

    def assert_saved(self, path: Path, text: str) -> None:
        """Save the active file, and hold that it is exactly this text then."""
        self.press("Control+s")
        try:
            # The mark of a file that is not saved comes a little after the key, and goes when the
            # file has been written.
            self.wait(
                lambda: self.count(".tab.active.dirty") == 0 and path.read_bytes() == text.encode(),
                f"{path.name} to be saved",
            )
        except AssertionError as error:
            found = path.read_bytes().decode(errors="replace")
            raise AssertionError(f"the file holds {found!r} and not {text!r}; {error}") from None

    def run_command(self, title: str) -> None:
        """Run a command from the command palette, as "Category: Title"."""
        self._choose(title, lambda: self._ask("F1", f">{title}"))

    def _choose(self, label: str, ask: Callable[[], None] | None = None) -> None:
        """Choose a row of a quick input.

        Args:
            label: The row.
            ask: Opens the input, as often as something else takes the focus from it.
        """

        def chosen() -> bool:
            if ask is not None and not self._quick_input_is_open():
                ask()
            if self.chosen_row() == label:
                return True
            if label in self.rows():
                # Another label that the same letters are in comes before it.
                self.press("ArrowDown")
            return False

        self.wait(chosen, f"the row {label!r} to be chosen")
        self.press("Enter")

    def pick(self, label: str) -> None:
        """Choose a row of the quick pick that is open."""
        self.wait(lambda: label in self.rows(), f"the row {label!r}")
        self.wait(lambda: self._write_quick_input(label), "the quick input")
        self._choose(label)

    def click_status(self) -> None:
        """Click on Sirdab's item in the status bar."""
        self.click(f"{_STATUS} a")

    def hover_status(self) -> None:
        """Put the mouse on Sirdab's item in the status bar, having taken it away before."""
        self.call(lambda page: page.mouse.move(300, 300))
        self.call(lambda page: page.locator(f"{_STATUS} a").first.hover())

    def click(self, selector: str, text: str = "") -> None:
        """Click on the first element that a selector matches and that contains a text."""
        self.call(lambda page: page.locator(selector).filter(has_text=text).first.click())

    def answer(self, text: str) -> None:
        """Write into the input that is open, and press Enter."""
        self.wait(self._quick_input_is_open, "the input")
        self.wait(lambda: self._write_quick_input(text), "the input to take the text")
        self.press("Enter")
        self.wait(lambda: not self._quick_input_is_open(), "the input to close")

    def choose_in_menu(self, label: str) -> None:
        """Choose an entry of the context menu that is open."""
        # A click that comes too soon after a menu has opened is taken for the one that opened it.
        entry = ".monaco-menu .action-item"
        self.call(lambda page: page.locator(entry).filter(has_text=label).first.hover())
        chosen = f"{entry}.focused"
        self.wait(
            lambda: self.call(lambda page: page.locator(chosen).filter(has_text=label).count()),
            f"{label!r} to be chosen",
        )
        self.press("Enter")

    def dismiss_notifications(self) -> None:
        """Close every message on the screen, and forget those that were told."""
        self.run_command("Notifications: Clear All Notifications")
        self.wait(lambda: not self.notifications(), "the messages to go")
        self._told_before = len(self._all_told())

    # What is on the screen

    def ghost(self) -> str:
        """Return the ghost text on the screen, "" when there is none."""
        return self.evaluate(_GHOST)

    def text(self, selector: str) -> str:
        """Return the text of the first element that a selector matches, or ""."""
        return self.evaluate(
            "s => (document.querySelector(s)?.textContent ?? '').replace(/\\u00a0/g, ' ')", selector
        )

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the visible elements that a selector matches."""
        return self.evaluate(
            "s => [...document.querySelectorAll(s)].filter(e => e.offsetParent !== null)"
            ".map(e => e.textContent.replace(/\\u00a0/g, ' ').trim())",
            selector,
        )

    def count(self, selector: str) -> int:
        """Return how many elements a selector matches."""
        return self.evaluate("s => document.querySelectorAll(s).length", selector)

    def rows(self) -> list[str]:
        """Return the labels of the quick pick that is open."""
        return self.texts(".quick-input-list .monaco-list-row .label-name")

    def chosen_row(self) -> str:
        """Return the label of the row that Enter would take."""
        return next(iter(self.texts(".quick-input-list .monaco-list-row.focused .label-name")), "")

    def notifications(self) -> list[str]:
        """Return the messages on the screen."""
        return self.texts(".notification-toast .notification-list-item-message")

    def told(self) -> list[str]:
        """Return every message that popped up, also those that have gone by themselves."""
        return self._all_told()[self._told_before :]

    def _all_told(self) -> list[str]:
        return self.evaluate("() => window.sirdabTold()")

    def status(self) -> str:
        """Return the label of Sirdab's item in the status bar, as screen readers say it."""
        return self.evaluate(
            "s => { const e = document.querySelector(s);"
            " return e ? (e.getAttribute('aria-label') || e.textContent) : ''; }",
            _STATUS,
        )

    def status_bar(self) -> str:
        """Return everything that the status bar says."""
        return " | ".join(self.texts(".statusbar-item"))

    def terminal(self) -> str:
        """Return what the terminal shows."""
        return "\n".join(self.texts(".terminal .xterm-rows > div"))

    def output(self) -> str:
        """Return what the output panel shows."""
        return "\n".join(self.texts(".output-view .view-line"))

    def editor_lines(self, scheme: str = "") -> list[str]:
        """Return the lines that the editors show, ghost text included.

        Args:
            scheme: Of the addresses of the documents that are meant; "" for every one.
        """
        which = f'[data-uri^="{scheme}:"]' if scheme else ""
        lines = self.evaluate(
            "s => [...document.querySelectorAll(s)]"
            ".map(e => [parseInt(e.style.top), e.textContent])"
            ".sort((a, b) => a[0] - b[0]).map(e => e[1].replace(/\\u00a0/g, ' '))",
            f".editor-instance .monaco-editor{which} .view-lines > .view-line",
        )
        return list(lines)

    def menu_is_open(self) -> bool:
        """Return whether the list of suggestions is open, with one of them chosen."""
        return self.count(".suggest-widget.visible .monaco-list-row.focused") > 0

    # Waiting

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 20) -> None:
        """Wait for a condition and fail with what was waited for and what was there."""
        try:
            poll(condition, what, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.describe()}") from None

    def press_until(self, keys: Sequence[str], condition: Callable[[], object], what: str) -> None:
        """Press keys, again every few seconds, until a condition is true.

        For what VS Code shows only where it is ready for it at that moment; the keys must do no
        harm twice.
        """
        again = 0.0

        def pressed() -> object:
            nonlocal again
            found = condition()
            if not found and time.monotonic() > again:
                again = time.monotonic() + 3
                for key in keys:
                    self.press(key)
            return found

        self.wait(pressed, what, timeout_s=30)

    def wait_selector(self, selector: str, what: str, timeout_s: float = 20) -> None:
        """Wait until an element is on the screen."""
        try:
            self.call(
                lambda page: page.wait_for_selector(selector, timeout=timeout_s * 1000),
                timeout_s + 5,
            )
        except PlaywrightError as error:
            raise AssertionError(f"waited {timeout_s} s for {what}; {self.describe()}") from error

    def wait_ghost(self, text: str, timeout_s: float = 20) -> None:
        """Wait until exactly this ghost text is shown; "" waits until there is none."""
        self.wait(lambda: self.ghost() == text, f"the ghost text {text!r}", timeout_s)

    def wait_status(self, *words: str, timeout_s: float = 30) -> None:
        """Wait until the status bar's item contains one of the words."""
        self.wait(
            lambda: any(word.casefold() in self.status().casefold() for word in words),
            f"the status {' or '.join(words)}",
            timeout_s,
        )

    def describe(self) -> str:
        """Return what is on the screen, for a person who reads a failure."""
        try:
            return (
                f"ghost {self.ghost()!r}, lines {self.editor_lines()[-8:]!r}, "
                f"status {self.status()!r}, notifications {self.notifications()!r}, "
                f"rows {self.rows()[:8]!r}, page errors {self.errors[:3]!r}"
            )
        except (PlaywrightError, AssertionError) as error:
            return f"the page does not answer ({error})"

    def screenshot(self, name: str) -> Path:
        """Save a picture of the window among the artefacts."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^\w.-]+", "-", name)
        path = ARTIFACTS / f"{plain}.png"
        self.call(lambda page: page.screenshot(path=path))
        return path

    def close(self) -> None:
        """Close the window, and so end its extensions and their servers."""
        with contextlib.suppress(PlaywrightError):
            # VS Code takes leave when its page goes, and not when the browser is closed around it.
            self._run(self.page.goto("about:blank"))
            self._run(self._context.close())

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the window."""
        self.close()


def poll(condition: Callable[[], object], what: str, timeout_s: float = 20) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: It did not come true in time; says what was waited for.
    """
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:g} s for {what}")
        time.sleep(0.02)


def _dotted(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in changes.items()}


def _stop_model_servers(state: Path) -> None:
    """End the embedded model servers that were started with a state folder."""
    from sirdab.config.directories import STATE_ENV
    from sirdab.endpoint.managed.server import running, stop

    before = os.environ.get(STATE_ENV)
    os.environ[STATE_ENV] = str(state)
    try:
        for server in running():
            stop(server)
    finally:
        if before is None:
            del os.environ[STATE_ENV]
        else:
            os.environ[STATE_ENV] = before
