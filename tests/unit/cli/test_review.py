"""`sirdab review` as its user runs it: a process of its own, and a scripted model server."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sirdab.config.directories import REVIEWS_ENV, STATE_ENV
from sirdab.review.dismissals import Dismissals
from sirdab.review.files import TOO_LARGE
from sirdab.review.finding import fingerprint
from tests.support.fake_llamacpp import FakeLlamaCpp
from tests.support.git import git, needs_git, repository, write
from tests.support.review import MUTABLE, SQL, SQL_LINE, answer, raw
from tests.support.sarif import check_meaning, check_schema

SQL_HEAD = "3:5: error security/sql-injection: "
# Of this rule the signs are no proof, so the model is asked.
SWALLOWED = """\
def load(path):
    try:
        return read(path)
    except Exception:
        pass
"""
NAMED = raw("except Exception:", 4, "swallowed-error", "The error is lost.", "information")
ASKED = ("--votes", "0", "--min-severity", "hint")


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def heads(self) -> list[str]:
        """The first line of each finding, up to its rule."""
        found = re.findall(r"^(\S.*?:\d+:\d+: \w+ [\w/-]+): ", self.out, re.MULTILINE)
        return [str(line) for line in found]


@dataclass
class Terminal:
    """Where the command is run."""

    folder: Path
    fake: FakeLlamaCpp
    environment: dict[str, str] = field(default_factory=dict[str, str])

    async def start(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sirdab", "review", "--url", self.fake.url, *arguments),
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(
        self, *arguments: str, given: str = "", env: Mapping[str, str] | None = None
    ) -> Done:
        process = await self.start(*arguments, env=env)
        try:
            out, err = await asyncio.wait_for(process.communicate(given.encode()), 120)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())


def asked(body: dict[str, Any]) -> list[str]:
    """Answer a question about the code that is in it."""
    is_about_it = "return read(path)" in str(body.get("prompt") or body.get("messages"))
    return [answer(*([NAMED] if is_about_it else []))]


@pytest_asyncio.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    folder = tmp_path / "project"
    folder.mkdir()
    write(folder, {"users.py": SQL, "lists.py": MUTABLE, "clean.py": "def f():\n    return 1\n"})
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for name in ("FORCE_COLOR", "NO_COLOR"):
        kept.pop(name, None)
    environment = {
        **kept,
        REVIEWS_ENV: str(tmp_path / "cache"),
        STATE_ENV: str(tmp_path / "state"),
        "PYTHONUTF8": "1",
    }
    # A model whose word counts; what a small one says by itself is not asked for.
    name = "/models/qwen2.5-coder-7b-instruct-q4_k_m.gguf"
    async with FakeLlamaCpp(answer=asked, model_path=name) as fake:
        yield Terminal(folder, fake, environment)


async def test_a_folder(terminal: Terminal) -> None:
    done = await terminal.run(".", "--votes", "0")
    assert done.code == 0, done.err
    assert done.heads == [
        "lists.py:1:1: warning correctness/mutable-default",
        "users.py:3:5: error security/sql-injection",
    ]
    assert f"> 3 |     {SQL_LINE}\n    |     {'^' * len(SQL_LINE)}\n" in done.out
    assert "\x1b" not in done.out + done.err
    assert done.err == "2 findings in 3 files\n"


async def test_what_was_reviewed_is_not_asked_again(terminal: Terminal) -> None:
    write(terminal.folder, {"load.py": SWALLOWED})
    first = await terminal.run(".", *ASKED)
    assert "load.py:4:5: information correctness/swallowed-error" in first.heads, first.err
    count = len(terminal.fake.asked("/completion"))
    assert count > 0
    again = await terminal.run(".", *ASKED)
    assert again == first
    assert len(terminal.fake.asked("/completion")) == count


@pytest.mark.parametrize(
    ("options", "code", "count"),
    [
        ((), 0, 2),
        (("--fail-on", "high"), 1, 2),
        (("--fail-on", "medium", "--category", "correctness"), 1, 1),
        (("--fail-on", "error", "--category", "correctness"), 0, 1),
        (("--fail-on", "high", "--rule", "mutable-default"), 0, 1),
        (("--min-severity", "high"), 0, 1),
        (("--rule", "mutable-default", "--rule", "sql-injection"), 0, 2),
        (("--category", "performance", "--fail-on", "hint"), 0, 0),
    ],
)
async def test_what_is_shown_and_what_fails(
    options: tuple[str, ...], code: int, count: int, terminal: Terminal
) -> None:
    done = await terminal.run(".", "--votes", "0", *options)
    assert (done.code, len(done.heads)) == (code, count), done.err


async def test_one_line_each(terminal: Terminal) -> None:
    done = await terminal.run("users.py", "--votes", "0", "--format", "concise")
    assert done.out.count("\n") == 1
    assert done.out.startswith(f"users.py:{SQL_HEAD}")


async def test_colours_where_they_are_forced_or_forbidden(terminal: Terminal) -> None:
    forced = await terminal.run("users.py", "--votes", "0", env={"FORCE_COLOR": "1"})
    assert "\x1b[" in forced.out
    assert "\x1b[?25l" not in forced.err, "a progress bar in a pipe"
    both = {"FORCE_COLOR": "1", "NO_COLOR": "1"}
    plain = await terminal.run("users.py", "--votes", "0", env=both)
    # Bold is no colour.
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m", plain.out)


async def test_an_output_that_has_few_characters(terminal: Terminal) -> None:
    write(terminal.folder, {"users.py": SQL.replace("name = '\"", "näme = '漢\"")})
    ascii_only = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = await terminal.run("users.py", "--format", "json", env=ascii_only)
    assert done.code == 0, done.err
    assert done.out.isascii()
    json.loads(done.out)


async def test_json(terminal: Terminal) -> None:
    (terminal.folder / "data.py").write_bytes(b"\xff\xfe\x00")
    done = await terminal.run(".", "data.py", "--votes", "0", "--format", "json")
    assert done.code == 0, done.err
    tree = json.loads(done.out)
    assert [finding["path"] for finding in tree["findings"]] == ["lists.py", "users.py"]
    assert tree["findings"][1]["cwe"] == 89
    assert tree["files"] == 3
    assert [entry["file"] for entry in tree["skipped"]] == ["data.py"]
    assert tree["problem"] is None


async def test_sarif_into_a_file(terminal: Terminal) -> None:
    done = await terminal.run(
        *(".", "--votes", "0", "--format", "sarif", "--output", "../report.sarif")
    )
    assert (done.code, done.out) == (0, ""), done.err
    log = json.loads((terminal.folder.parent / "report.sarif").read_text(encoding="utf-8"))
    check_schema(log)
    check_meaning(log, {"users.py": SQL, "lists.py": MUTABLE})
    assert len(log["runs"][0]["results"]) == 2
    assert str(terminal.folder) not in json.dumps(log)


async def test_a_file_that_cannot_be_written(terminal: Terminal) -> None:
    done = await terminal.run("clean.py", "--output", "missing/report.json", "--format", "json")
    assert done.code == 1
    assert done.err.startswith("sirdab: missing/report.json cannot be written")


async def test_standard_input(terminal: Terminal) -> None:
    name = ("-", "--stdin-filename", "elsewhere/new.py", "--votes", "0")
    done = await terminal.run(*name, given=SQL)
    assert done.heads == ["elsewhere/new.py:3:5: error security/sql-injection"], done.err
    excluded = await terminal.run("-", "--stdin-filename", ".env", given=SQL)
    assert excluded.heads == []
    assert "is excluded by" in excluded.err


async def test_dismissed_and_ignored_findings(terminal: Terminal) -> None:
    uri = (terminal.folder / "lists.py").as_uri()
    name = fingerprint("mutable-default", "add", "def add(item, items=[]):")
    store = Dismissals(Path(terminal.environment[STATE_ENV]) / "dismissed.json")
    store.dismiss(name, "mutable-default", uri, "finding")
    ignored = SQL.replace('+ "\'")', '+ "\'")  # sirdab: ignore[sql-injection]')
    write(terminal.folder, {"users.py": ignored})
    hidden = await terminal.run(".", "--votes", "0", "--fail-on", "hint")
    assert (hidden.code, hidden.heads) == (0, []), hidden.out
    assert hidden.err == "0 findings in 3 files, 2 dismissed or ignored\n"
    shown = await terminal.run(".", "--votes", "0", "--include-dismissed", "--fail-on", "hint")
    assert shown.code == 0
    assert len(shown.heads) == 2
    assert "ignored by a comment" in shown.out
    explained = await terminal.run(".", "--votes", "0", "--explain")
    assert "lists.py:1: not shown: mutable-default: It was dismissed." in explained.out
    assert "users.py:3: not shown: sql-injection: A comment in the code says" in explained.out
    sarif = await terminal.run(*(".", "--votes", "0", "--include-dismissed", "--format", "sarif"))
    log = json.loads(sarif.out)
    check_schema(log)
    kinds = [one["suppressions"][0]["kind"] for one in log["runs"][0]["results"]]
    assert kinds == ["external", "inSource"]


async def test_what_the_model_made_up_is_explained(terminal: Terminal) -> None:
    write(terminal.folder, {"load.py": SWALLOWED})
    terminal.fake.answer = [answer({**NAMED, "code": "except EverythingElse:"})]
    done = await terminal.run("load.py", *ASKED, "--explain")
    reason = "The code that the model quoted does not occur there."
    assert f"not shown: swallowed-error: {reason}" in done.out
    tree = json.loads((await terminal.run("load.py", *ASKED, "--explain", "--format", "json")).out)
    assert "code-is-not-there" in [one["reason"] for one in tree["dropped"]]


@needs_git
async def test_only_what_has_changed(terminal: Terminal) -> None:
    two = f"{SQL}\n\n{MUTABLE}"
    root = repository(terminal.folder)
    write(root, {"users.py": two})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    nothing = await terminal.run("--changed", "--votes", "0")
    assert (nothing.code, nothing.heads) == (0, [])
    assert terminal.fake.asked("/completion") == []
    write(root, {"users.py": two.replace("return items", "return list(items)")})
    done = await terminal.run("--changed", "--votes", "0")
    assert done.heads == ["users.py:7:1: warning correctness/mutable-default"], done.err
    staged = await terminal.run("--staged", "--votes", "0", ".")
    assert staged.heads == []
    git(root, "add", "users.py")
    write(root, {"users.py": "nothing\n"})
    staged = await terminal.run("--staged", "--votes", "0", "users.py", "lists.py")
    assert staged.heads == ["users.py:7:1: warning correctness/mutable-default"]
    assert "return list(items)" in staged.out
    since = await terminal.run("--changed=nonsense")
    assert since.code == 1
    assert "no commit 'nonsense'" in since.err


@needs_git
@pytest.mark.skipif(sys.platform == "win32", reason="its hook is a shell script")
async def test_as_a_hook_of_git(terminal: Terminal) -> None:
    root = repository(terminal.folder)
    hook = root / ".git" / "hooks" / "pre-commit"
    places = {name: terminal.environment[name] for name in (REVIEWS_ENV, STATE_ENV)}
    variables = " ".join(f"{name}='{value}'" for name, value in places.items())
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nexec env {variables} '{sys.executable}' -m sirdab review --staged "
        f"--url {terminal.fake.url} --votes 0 --fail-on high\n",
        encoding="utf-8",
    )
    hook.chmod(0o755)

    async def committed(*names: str) -> bool:
        # The model server answers meanwhile.
        await asyncio.to_thread(git, root, "commit", "-qm", "x", "--", *names, check=False)
        done = await asyncio.to_thread(git, root, "status", "--porcelain", "--", *names)
        return done == ""

    write(root, {"lists.py": MUTABLE, "users.py": SQL})
    git(root, "add", "lists.py", "users.py")
    # Of two files that are staged one is committed, with an index of its own.
    assert await committed("lists.py")
    assert not await committed("users.py")
    write(root, {"users.py": f"{SQL}\n# The same, and a remark.\n"})
    assert not await committed("users.py")
    write(root, {"users.py": "def find_user():\n    return None\n"})
    assert await committed("users.py")


async def test_without_a_repository(terminal: Terminal) -> None:
    done = await terminal.run("--changed", ".")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "is not in a Git repository" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument"),
        (("missing.py",), "does not exist"),
        (("x" * 300,), "does not exist"),
        (("",), "A path is empty"),
        (("--changed", "--staged"), "exclude each other"),
        (("-",), "belong together"),
        (("users.py", "--stdin-filename", "x.py"), "belong together"),
        (("-", "users.py", "--stdin-filename", "x.py"), "stands alone"),
        (("users.py", "--rule", "sql-injektion"), "try sql-injection"),
        (("users.py", "--votes", "10"), "neither a number from 0 to 9"),
        (("users.py", "--fail-on", "critical"), "is not one of"),
        (("users.py", "--output", "."), "is a directory"),
    ],
)
async def test_wrong_usage(arguments: tuple[str, ...], said: str, terminal: Terminal) -> None:
    done = await terminal.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert done.err.startswith("sirdab: ")


async def test_it_is_said_of_each_file_why_it_is_not_reviewed(terminal: Terminal) -> None:
    folder = terminal.folder
    write(folder, {"notes.txt": "eval(x)\n", "huge.py": "x = 1\n" * 90_000})
    (folder / "old.py").write_bytes("def f():\n    return 'caf\xe9'\n".encode("latin-1"))
    (folder / "data.py").write_bytes(b"\x00\xff" * 50)
    names = ("notes.txt", "huge.py", "old.py", "data.py", os.devnull)
    done = await terminal.run(*names, "--fail-on", "hint")
    # What cannot be reviewed has no findings; who wants to know reads the messages.
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        "sirdab: notes.txt is not reviewed: it is plaintext, and only source code is reviewed.",
        f"sirdab: huge.py is not reviewed: {TOO_LARGE}",
        "sirdab: old.py is not reviewed: it is not in UTF-8; convert it first.",
        "sirdab: data.py is not reviewed: it is binary.",
        f"sirdab: {os.devnull} is not reviewed: it is not a regular file.",
        "0 findings in 0 files, 5 files skipped",
    ]
    # In a folder none of the code is passed over in silence either.
    around = await terminal.run(".")
    assert {line.split(" ")[1] for line in around.err.splitlines() if "not reviewed" in line} == {
        *("huge.py", "old.py", "data.py")
    }


@needs_git
async def test_nothing_to_review_says_what_was_looked_for(terminal: Terminal) -> None:
    root = repository(terminal.folder)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    (root / "empty").mkdir()
    for arguments, said in {
        ("empty",): "no source code is there that is not excluded",
        ("--staged",): "no source code is staged here",
        ("--changed",): "no source code has changed here",
    }.items():
        done = await terminal.run(*arguments)
        assert (done.code, done.out) == (0, "")
        assert done.err == f"There is nothing to review: {said}.\n"


async def test_an_early_end_is_no_clean_bill(terminal: Terminal) -> None:
    write(terminal.folder, {"load.py": SWALLOWED})
    terminal.fake.drop_after = 0
    done = await terminal.run("load.py", *ASKED)
    assert done.code == 1
    assert done.err.startswith("The review is not complete: 0 findings in ")


async def test_a_server_that_fails(terminal: Terminal) -> None:
    write(terminal.folder, {"load.py": SWALLOWED})
    terminal.fake.drop_after = 0
    done = await terminal.run(".", *ASKED, "--format", "json")
    assert done.code == 1
    assert json.loads(done.out)["problem"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
async def test_on_a_terminal_findings_stand_above_the_bar(terminal: Terminal) -> None:
    import fcntl
    import pty
    import struct
    import termios

    import pyte

    write(terminal.folder, {"load.py": SWALLOWED})
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 100, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sirdab", "review", "--url", terminal.fake.url, ".", *ASKED),
        cwd=terminal.folder,
        env={**terminal.environment, "TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    written = bytearray()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        try:
            data = os.read(ours, 65_536)
        except OSError:
            # Linux says so when the other side is closed.
            data = b""
        written.extend(data)
        if not data:
            loop.remove_reader(ours)
            ended.set()

    loop.add_reader(ours, read)
    try:
        await asyncio.wait_for(ended.wait(), 120)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        os.close(ours)
    screen = pyte.Screen(100, 60)
    pyte.ByteStream(screen).feed(bytes(written))
    shown = [line.rstrip() for line in screen.display]
    assert b"\x1b[?25l" in written, "no progress bar"
    # The cursor is shown again, and nothing is left of the bar.
    assert written.rindex(b"\x1b[?25h") > written.rindex(b"\x1b[?25l")
    assert not any("file 1 of" in line or "\u2501" in line for line in shown)
    places = [line.partition(": ")[0] for line in shown if re.match(r"\w+\.py:", line)]
    assert places == ["lists.py:1:1", "load.py:4:5", "users.py:3:5"]
    assert f"> 3 |     {SQL_LINE}" in shown
    assert "3 findings in 4 files" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal for a process")
@pytest.mark.parametrize("style", ["text", "json"])
async def test_what_was_found_stays_after_ctrl_c(style: str, terminal: Terminal) -> None:
    write(terminal.folder, {"load.py": SWALLOWED, "zoo.py": SQL})
    hold, is_held = asyncio.Event(), asyncio.Event()

    def wait(body: dict[str, Any]) -> list[str]:
        found = asked(body)
        if "swallowed-error" in found[0]:
            terminal.fake.hold_after = (0, hold)
            is_held.set()
        return found

    terminal.fake.answer = wait
    # Where the tests run in the background the signal is ignored, and children take that over.
    listening = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = await terminal.start(".", *ASKED, "--format", style)
    finally:
        signal.signal(signal.SIGINT, listening)
    try:
        await asyncio.wait_for(is_held.wait(), 60)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        hold.set()
        if process.returncode is None:
            process.kill()
    assert process.returncode == 130, err.decode()
    assert "Traceback" not in err.decode()
    assert "was stopped" in err.decode()
    if style == "json":
        tree = json.loads(out)
        assert tree["interrupted"]
        assert [one["rule"] for one in tree["findings"]] == ["mutable-default"]
    else:
        assert Done(130, out.decode(), "").heads == [
            "lists.py:1:1: warning correctness/mutable-default"
        ]
