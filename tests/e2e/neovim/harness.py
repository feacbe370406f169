"""Drives a real Neovim with the Sirdab plugin, and reads back what its user would see."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pynvim

from tests.support.editors import NvimInstall

PLUGIN = Path(__file__).parents[3] / "clients" / "neovim"
SCRIPTED_SERVER = Path(__file__).with_name("scripted_server.py")

# Reads the ghost text of the current buffer from the extmarks of both namespaces, joined as the
# screen shows it, without the text of the line that it moves along; nil when there is none.
_GHOST = """
local out, found = {}, false
local ours = { SirdabGhostText = true, SirdabGhostTextMore = true }
ours.ComplHint, ours.ComplHintMore = true, true
for _, name in ipairs({ "sirdab.ghost", "nvim.lsp.inline_completion" }) do
  local ns = vim.api.nvim_create_namespace(name)
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, { details = true })) do
    found = true
    local lines = { mark[4].virt_text or {} }
    vim.list_extend(lines, mark[4].virt_lines or {})
    for i, chunks in ipairs(lines) do
      local text = ""
      for _, chunk in ipairs(chunks) do
        text = text .. (ours[chunk[2]] and chunk[1] or "")
      end
      lines[i] = text
    end
    out[#out + 1] = { row = mark[2], col = mark[3], text = table.concat(lines, "\\n") }
  end
end
return found and out or nil
"""


class Editor:
    """One Neovim process and the folder it works in."""

    def __init__(
        self,
        install: NvimInstall,
        folder: Path,
        *,
        setup: str,
        env: Mapping[str, str] | None = None,
        plugin: bool = True,
    ) -> None:
        """Start Neovim with the plugin on its runtime path.

        Args:
            install: Which Neovim.
            folder: An empty folder for the project and for all that Neovim writes.
            setup: Lua that is run after start-up, in place of a user's configuration.
            env: Environment variables to add.
            plugin: Whether the plugin is there at all.
        """
        self.folder = folder
        home = folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        added = {
            **install.env,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            **(env or {}),
        }
        # pynvim gives its child this process's environment and takes no other.
        before = {key: os.environ.get(key) for key in added}
        os.environ.update(added)
        try:
            self.nvim: Any = pynvim.attach(
                "child",
                argv=[
                    *install.argv,
                    *("--clean", "-n", "--embed", "--headless"),
                    *(("--cmd", f"set runtimepath^={PLUGIN}") if plugin else ()),
                ],
            )
        finally:
            for key, value in before.items():
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value
        self.pid: int = self.nvim.funcs.getpid()
        # Notifications are kept: the tests ask what the user was told.
        self.lua(
            "_G.told = {}; local notify = vim.notify; "
            "vim.notify = function(m, ...) table.insert(_G.told, m); return notify(m, ...) end; "
            "vim.notify_once = vim.notify; "
            # Neovim looks for a Python of its own when it meets the first Python file.
            "vim.g.python_recommended_style = 0; vim.g.loaded_python3_provider = 0; "
            "vim.o.shortmess = vim.o.shortmess .. 'I'; vim.o.more = false"
        )
        self.lua(setup)

    def lua(self, code: str, *args: object) -> Any:
        """Run Lua in Neovim and return its value."""
        return self.nvim.exec_lua(code, *args)

    def open(self, name: str, text: str = "") -> Path:
        """Write a file and edit it."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        self.nvim.command(f"edit {path}")
        return path

    def client(self) -> int | None:
        """Return the number of the client that is attached to the current buffer, if one is."""
        clients = self.lua(
            "return vim.tbl_map(function(c) return c.id end, require('sirdab.lsp').clients(0))"
        )
        return clients[0] if clients else None

    def wait_attached(self, *, after: int | None = None) -> None:
        """Wait until the server is attached to the current buffer.

        Args:
            after: A client that is on its way out, which does not count.
        """
        self.wait(lambda: self.client() not in (None, after), "a server to attach")

    def type(self, keys: str) -> None:
        """Press keys. Neovim works on them when this returns; wait for what they do."""
        left = keys.replace("\n", "<CR>")
        taken = self.nvim.input(left)
        assert taken == len(left.encode()), "Neovim's input buffer is full"

    def ghost(self) -> str | None:
        """Return the ghost text on the screen, or None."""
        return next(iter(self.ghosts()), None)

    def ghosts(self) -> list[str]:
        """Return every ghost text on the screen; there should be one at the most."""
        return [mark["text"] for mark in self.lua(_GHOST) or [] if mark["text"]]

    def lines(self) -> list[str]:
        """Return the buffer's lines."""
        return self.nvim.api.buf_get_lines(0, 0, -1, False)

    def cursor(self) -> tuple[int, int]:
        """Return the cursor: 1-based line, 0-based byte column."""
        row, column = self.nvim.api.win_get_cursor(0)
        return row, column

    def screen(self) -> list[str]:
        """Return the lines of the screen, without the blanks at their ends."""
        rows = self.lua(
            "vim.cmd('redraw!'); local rows = {}; for row = 1, vim.o.lines do local cells = {}; "
            "for col = 1, vim.o.columns do cells[col] = vim.fn.screenstring(row, col) end; "
            "rows[row] = table.concat(cells) end; return rows"
        )
        return [row.rstrip() for row in rows]

    def settle(self) -> None:
        """Return when Neovim has worked on everything the server sent so far."""
        # Messages of a server arrive in order, so those before an answer have come with it.
        answer = self.lua(
            "local client = require('sirdab.lsp').clients()[1]; "
            "return require('sirdab.ghost.rpc').call("
            "client, 'request_sync', 'sirdab/explain', {}, 10000, 0)"
        )
        assert answer, "the server did not answer"

    def request(self, method: str, params: object) -> Any:
        """Have Neovim ask the server something, and return the result."""
        answer = self.lua(
            "local client = require('sirdab.lsp').clients()[1]; local method, params = ...; "
            "return require('sirdab.ghost.rpc').call("
            "client, 'request_sync', method, params, 10000, vim.api.nvim_get_current_buf())",
            method,
            params,
        )
        assert answer is not None, f"the server did not answer {method}"
        # An empty table of Lua arrives as a list: the result was null.
        return answer.get("result") if isinstance(answer, dict) else None

    def told(self) -> list[str]:
        """Return every notification shown so far."""
        return self.lua("return _G.told")

    def messages(self) -> str:
        """Return Neovim's own message history."""
        return self.nvim.command_output("messages")

    def server_pid(self) -> int:
        """Return the process id of the language server of this Neovim."""
        command = self.lua("return require('sirdab.lsp').command()")
        self.wait(lambda: bool(self._servers(command)), "a server process")
        return self._servers(command)[0].pid

    def _servers(self, command: list[str]) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for child in psutil.Process(self.pid).children():
            try:
                if child.status() != psutil.STATUS_ZOMBIE and command[-1] in child.cmdline():
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def kill_server(self) -> None:
        """Kill the language server, as if it had crashed."""
        os.kill(self.server_pid(), signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 20) -> None:
        """Wait for a condition and fail with what was waited for."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(
                    f"waited {timeout_s} s for {what}; ghost {self.ghost()!r}, lines "
                    f"{self.lines()!r}, mode {self.nvim.api.get_mode()}, told {self.told()!r}, "
                    f"messages {self.messages()!r}"
                )
            time.sleep(0.01)

    def wait_ghost(self, text: str | None) -> None:
        """Wait until exactly this ghost text is shown."""
        self.wait(lambda: self.ghost() == text, f"the ghost text {text!r}")

    def wait_lines(self, lines: Sequence[str]) -> None:
        """Wait until the buffer holds exactly these lines."""
        self.wait(lambda: self.lines() == list(lines), f"the lines {lines!r}")

    def close(self) -> None:
        """End Neovim and with it its servers."""
        try:
            children = psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            children = []
        with contextlib.suppress(OSError, EOFError, pynvim.NvimError):
            self.nvim.command("qa!")
        self.nvim.close()
        end = time.monotonic() + 10
        while alive := [process for process in children if _is_alive(process)]:
            if time.monotonic() > end:
                for process in alive:
                    process.kill()
                break
            time.sleep(0.01)


def _is_alive(process: psutil.Process) -> bool:
    # A process whose parent has gone stays a zombie until the system's first one has time.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Script:
    """The script of a scripted server, and what the server saw."""

    def __init__(self, folder: Path, *, encoding: str = "utf-8") -> None:
        """Write an empty script.

        Args:
            folder: Where the script and the server's log are kept.
            encoding: The position encoding that the server chooses.
        """
        self.path = folder / "script.json"
        self.log = folder / "server.log"
        self.log.touch()
        self.encoding = encoding
        self.stubborn = False
        """Whether the server answers a request that was cancelled, as the protocol allows."""
        self.deaf = False
        """Whether the server does not end when it is asked to."""
        self.commands: list[str] = []
        """Commands that the server offers beside the usual ones."""
        self.answers: dict[str, Any] = {}
        """Results of commands and methods by their names; `{"error": text}` is an error."""
        self.sync = 1
        """How documents are kept in step: 1 whole, 2 by their changes."""
        self.noise: int | None = None
        """The seed of random suggestions, which take the place of the rules."""
        self.rules()

    def rules(self, *rules: dict[str, Any]) -> None:
        """Replace the rules; the server reads them at its next request."""
        names = ("encoding", "stubborn", "deaf", "commands", "answers", "sync", "noise")
        script = {name: getattr(self, name) for name in names}
        text = json.dumps({**script, "rules": rules})
        part = self.path.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(self.path)

    @property
    def command(self) -> list[str]:
        """The command that starts the server."""
        return [sys.executable, str(SCRIPTED_SERVER), str(self.path), str(self.log)]

    def seen(self, method: str | None = None) -> list[dict[str, Any]]:
        """Return the messages that the server got, in order."""
        found: list[dict[str, Any]] = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                continue  # The last line is still being written.
            if method is None or message.get("method") == method:
                found.append(message)
        return found

    def requests(self) -> list[dict[str, int]]:
        """Return the positions at which suggestions were asked for, in order."""
        return [m["params"]["position"] for m in self.seen("textDocument/inlineCompletion")]

    def answered(self) -> int:
        """Return how many requests for suggestions were answered."""
        return sum("answered" in message for message in self.seen())

    def all_answered(self) -> bool:
        """Whether no request for a suggestion waits for its answer; it notes an answer late."""
        return self.answered() == len(self.requests())


def lua_string_list(values: list[str]) -> str:
    """Write a list of strings as a Lua table."""
    return "{" + ", ".join(json.dumps(value) for value in values) + "}"
