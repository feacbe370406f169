"""A whole session opens no socket but on loopback and asks for no name but localhost.

The same session is watched in up to three ways at once: it runs in a network namespace that holds
nothing but a loopback device, every Python process writes down what Python's audit hooks see, and
strace writes down what the kernel is asked for by anything else, such as the embedded engine.
"""

import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sirdab.models.errors import ModelError
from sirdab.models.store import find

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
WATCHED = ROOT / "tests" / "support" / "watched"
# What the C library asks of the machine itself: which interfaces there are, and who a user is.
_OF_THE_SYSTEM = ("/var/run/nscd/socket", "/run/nscd/socket", "/run/systemd/userdb/")
_CALL = re.compile(
    r"\b(?P<call>connect|bind|sendto|sendmsg|sendmmsg)\(\d+.*?sa_family=(?P<family>AF_\w+)(?P<rest>.*)"
)
_ADDRESS = re.compile(
    r'inet_addr\("(?P<four>[^"]+)"\)|inet_pton\(AF_INET6, "(?P<six>[^"]+)"'
    r'|sun_path=@?"(?P<path>[^"]*)"'
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a program did, as far as it could be watched.

    Attributes:
        done: What came of it.
        audited: Events of Python's audit hooks.
        traced: What strace wrote, None without it.
        isolated: Whether there was no network but loopback.
    """

    done: dict[str, Any]
    audited: list[dict[str, Any]]
    traced: str | None
    isolated: bool


@cache
def isolation() -> tuple[str, ...]:
    """Return the command that runs another one without a network, () where there is none."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip")
    if not unshare or not ip:
        return ()
    command = (unshare, "-rn", "sh", "-c", f'{ip} link set lo up && exec "$@"', "sh")
    works = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if works else ()


@cache
def tracing() -> tuple[str, ...]:
    """Return the command that writes down the system calls of another one, () where it cannot."""
    strace = shutil.which("strace")
    if not strace:
        return ()
    command = (strace, "-f", "-qq", "-s", "0", "-e", "trace=connect,bind,sendto,sendmsg,sendmmsg")
    # Only the calls that are watched stop a process then, which is ten times as fast.
    for candidate in ((*command, "--seccomp-bpf"), command):
        if subprocess.run([*candidate, "true"], capture_output=True, check=False).returncode == 0:
            return candidate
    return ()


def watch(arguments: list[str], folder: Path, env: dict[str, str] | None = None) -> Seen:
    """Run a Python program under all watchers that there are.

    Args:
        arguments: What stands behind `python`; the last of them is a file for its result.
        folder: For what is written down.
        env: Added to the environment.
    """
    sockets, calls, result = folder / "sockets", folder / "calls", folder / "result"
    sockets.touch()
    trace = tracing()
    command = [*isolation(), *trace, *(("-o", str(calls)) if trace else ())]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(WATCHED), str(ROOT))),
        "SIRDAB_TEST_SOCKETS": str(sockets),
        "SIRDAB_STATE_DIR": str(folder / "state"),
        **(env or {}),
    }
    done = subprocess.run(
        [*command, sys.executable, *arguments, str(result)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Seen(
        json.loads(result.read_text()) if result.exists() else {},
        [json.loads(line) for line in sockets.read_text().splitlines()],
        calls.read_text() if trace else None,
        bool(isolation()),
    )


def is_here(host: object) -> bool:
    """Whether an address is of this machine."""
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return host == "localhost"


def leaks(audited: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events that are about anything but this machine."""
    return [one for one in audited if not _stays(one)]


def _stays(event: dict[str, Any]) -> bool:
    what = event["what"]
    if event["event"] in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return is_here(what)
    if what is None and event["event"] == "socket.sendmsg":
        return True  # To where the socket is connected to.
    if event["family"] == "AF_UNIX":
        return any(str(what).startswith(path) for path in _OF_THE_SYSTEM)
    return isinstance(what, list) and bool(what) and is_here(what[0])


def calls_that_leave(traced: str) -> list[str]:
    """Return the system calls that are about anything but this machine."""
    return [line for line in traced.splitlines() if not _call_stays(line)]


def _call_stays(line: str) -> bool:
    call = _CALL.search(line)
    if call is None or call["family"] in ("AF_UNSPEC", "AF_NETLINK"):
        return True  # To where the socket is connected to, or to the kernel.
    address = _ADDRESS.search(call["rest"])
    if address is None:
        return False
    if call["family"] == "AF_UNIX":
        return address["path"].startswith(_OF_THE_SYSTEM)
    return is_here(address["four"] or address["six"])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A whole session, watched."""
    folder = tmp_path_factory.mktemp("watched")
    arguments = ["-m", "tests.support.whole_session"]
    try:
        model = find(os.environ.get("SIRDAB_TEST_MODEL") or "auto").path
    except ModelError:
        model = None
    if model is not None and _has_engine():
        arguments += ["--model", str(model)]
    settings = folder / "config.toml"
    settings.touch()
    # A proxy that is asked would show as a connection as well.
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://192.0.2.1:3128")
    return watch(arguments, folder, {"SIRDAB_CONFIG": str(settings), **proxies})


def _has_engine() -> bool:
    import importlib.util

    return importlib.util.find_spec("xllamacpp") is not None


def test_everything_was_really_done(seen: Seen) -> None:
    editor = seen.done["editor"]
    assert editor["suggestion"]
    assert editor["explanation"]
    assert editor["models"]["models"] is not None
    assert editor["statistics"]["accepted"] == 1
    assert "findings" in editor["review"]
    assert editor["exit"] == 0
    assert json.loads(seen.done["complete"]["out"])["suggestion"]
    for name in ("complete", "try", "model list", "stats"):
        assert seen.done[name]["code"] == 0, seen.done[name]
    for name in ("review", "doctor"):
        # A review that finds something, and a doctor who misses something, say so by their code.
        assert seen.done[name]["code"] in (0, 1), seen.done[name]
        assert "Traceback" not in seen.done[name]["err"]
    # Something was watched: the model server was spoken with.
    assert any(one["event"] == "socket.connect" for one in seen.audited)


def test_no_python_process_reaches_beyond_loopback(seen: Seen) -> None:
    assert leaks(seen.audited) == []


def test_no_system_call_reaches_beyond_loopback(seen: Seen) -> None:
    if seen.traced is None:
        pytest.skip("strace cannot be run here")
    assert "connect(" in seen.traced
    assert calls_that_leave(seen.traced) == []


def test_no_network_is_needed(seen: Seen) -> None:
    if not seen.isolated:
        pytest.skip("a network namespace cannot be made here")
    # That everything was done is the other test's; here it was done without a network.
    assert seen.done["complete"]["code"] == 0


# --- The watchers do see ----------------------------------------------------------------------

_HOSTILE = """
import asyncio, socket, subprocess, sys
ADDRESSES = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
for family, address in ADDRESSES.items():
    try:
        with socket.socket(family) as sock:
            sock.settimeout(0.2)
            sock.connect((address, 80))
    except OSError:
        pass
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    try:
        sock.sendto(b"x", ("192.0.2.2", 53))
    except OSError:
        pass
with socket.socket() as sock:
    sock.bind(("0.0.0.0", 0))
try:
    socket.getaddrinfo("name.invalid", 80)
except OSError:
    pass
async def late():
    try:
        await asyncio.wait_for(asyncio.open_connection("192.0.2.3", 80), 0.2)
    except (OSError, TimeoutError):
        pass
asyncio.run(late())
if len(sys.argv) == 2:
    subprocess.run([sys.executable, "-P", *sys.orig_argv[1:3], "again", "again"], check=True)
"""


def test_a_program_that_reaches_out_is_seen(tmp_path: Path) -> None:
    seen = watch(["-c", _HOSTILE], tmp_path)
    found = {(one["event"], str(one["what"])) for one in leaks(seen.audited)}
    assert ("socket.connect", "['192.0.2.1', 80]") in found
    assert ("socket.connect", "['2001:db8::1', 80]") in found
    assert ("socket.connect", "['192.0.2.3', 80]") in found
    assert ("socket.sendto", "['192.0.2.2', 53]") in found
    assert ("socket.bind", "['0.0.0.0', 0]") in found
    assert ("socket.getaddrinfo", "name.invalid") in found
    # Of the process that it starts, too.
    again = [one for one in leaks(seen.audited) if "again" in one["program"]]
    assert {str(one["what"]) for one in again} >= {"['192.0.2.1', 80]", "name.invalid"}
    if seen.traced is not None:
        lines = "\n".join(calls_that_leave(seen.traced))
        for address in ("192.0.2.1", "2001:db8::1", "192.0.2.2", "0.0.0.0"):
            assert address in lines


_FOUR = 'connect(3, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("{}")}}, 16) = 0'
_SIX = (
    "7 connect(3, {{sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), "
    'inet_pton(AF_INET6, "{}", &sin6_addr), sin6_scope_id=0}}, 28) = 0'
)
_PATH = (
    "connect(3, {{sa_family=AF_UNIX, sun_path={}}}, 110) = -1 ENOENT (No such file or directory)"
)


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        (_FOUR.format("127.0.0.1"), True),
        (_FOUR.format("10.0.0.1"), False),
        (_FOUR.format("0.0.0.0").replace("connect", "bind"), False),
        (_FOUR.format("192.0.2.2").replace("connect(3,", 'sendto(3, ""..., 5, 0,'), False),
        (_SIX.format("::1"), True),
        (_SIX.format("::ffff:10.0.0.1"), False),
        (_SIX.format("::"), False),
        (_PATH.format('"/var/run/nscd/socket"'), True),
        (_PATH.format('"/run/docker.sock"'), False),
        (_PATH.format('@"abstract"'), False),
        ("bind(3, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0", True),
        ('sendto(3, ""..., 5, MSG_NOSIGNAL, NULL, 0) = 5', True),
        ("connect(3, {sa_family=AF_VSOCK, svm_cid=VMADDR_CID_HOST}, 16) = 0", False),
    ],
)
def test_which_system_calls_stay_on_the_machine(line: str, stays: bool) -> None:
    assert (calls_that_leave(line) == []) is stays
