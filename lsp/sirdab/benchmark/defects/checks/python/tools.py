import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import tools
from support import no_leaks, raises
from tools import (
    ToolError,
    backup,
    branch_of,
    copy_tree,
    count_lines,
    free_port,
    is_listening,
    make_private,
    open_page,
    ping,
    post,
    publish,
    read_state,
    run,
    secure_socket,
    unpack,
    write_state,
)

os.umask(0)
os.environ["PATH"] = os.defpath
assert run([sys.executable, "-c", "print(1)"]) == "1\n"
assert run([sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; x"]) == "$HOME; x\n"
try:
    run([sys.executable, "-c", "import sys; sys.exit('  broken ')"])
except ToolError as error:
    assert str(error) == "broken"
else:
    raise AssertionError
with raises(FileNotFoundError):
    run(["no-such-program-here"])

ran = []


class Done:
    def __init__(self, code=0):
        self.stdout = "12 name\n"
        self.returncode = code


def fake(arguments, **options):
    assert isinstance(arguments, list) and not options.get("shell"), "no shell is needed"
    ran.append((arguments, options))
    return Done(1 if "down" in arguments else 0)


real = subprocess.run
subprocess.run = fake
assert count_lines("a b; rm -rf x") == 12 and ran[-1][0][-1] == "a b; rm -rf x"
assert ping("host") is True and ping("down") is False
assert run(["x"], cwd="y") == "12 name\n" and ran[-1][1]["timeout"] == 10.0
assert branch_of("folder") == "12 name" and ran[-1][1]["cwd"] == "folder"
subprocess.run = real
Done.stdout = ""


class Number(Done):
    def __init__(self):
        self.stdout = "1+1 name"


subprocess.run = lambda *_, **__: Number()
with raises(ValueError):
    count_lines("x")
subprocess.run = real


class Response:
    closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        Response.closed = True

    def read(self):
        return b"page"

    def raise_for_status(self):
        self.raised = True

    def json(self):
        return {"ok": self.raised}


opened = []


def urlopen(url, **options):
    opened.append((url, options))
    return Response()


tools.urllib.request.urlopen = urlopen
assert open_page("https://example.org/") == b"page" and Response.closed
assert opened[0][1]["timeout"] == 10.0
context = opened[0][1]["context"]
assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
for wrong in ("file:///etc/passwd", "http://example.org"):
    with raises(ToolError):
        open_page(wrong)


class Session:
    def post(self, url, **options):
        self.options = options
        return Response()


session = Session()
assert post(session, "https://x", {"a": 1}) == {"ok": True}
assert session.options == {"json": {"a": 1}, "timeout": 10.0, "verify": True}

made = []


class Context:
    verified = True

    def wrap_socket(self, raw, server_hostname):
        made.append((raw, server_hostname, self.verified, self.minimum_version))
        return "wrapped"


class Careless(Context):
    verified = False


ssl.create_default_context = Context
ssl._create_unverified_context = Careless
assert secure_socket("raw", "host") == "wrapped"
assert made == [("raw", "host", True, ssl.TLSVersion.TLSv1_2)]

with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen()
    port = server.getsockname()[1]
    with no_leaks():
        assert is_listening("127.0.0.1", port) is True
    timeouts = []
    connect = socket.create_connection

    def watched(address, timeout=None):
        timeouts.append(timeout)
        return connect(address, timeout=timeout)

    socket.create_connection = watched
    is_listening("127.0.0.1", port)
    assert timeouts == [1.0]
    socket.create_connection = connect
with no_leaks():
    port = free_port()
assert 0 < port < 65536 and is_listening("127.0.0.1", port) is False


def strange(*_, **__):
    raise RuntimeError


socket.create_connection = strange
with raises(RuntimeError):
    is_listening("127.0.0.1", 1)

with zipfile.ZipFile("good.zip", "w") as file:
    file.writestr("a/b.txt", "hello")


class Kept(zipfile.ZipFile):
    """An archive that is not closed because nobody uses it any more."""

    opened = []

    def __init__(self, *arguments):
        super().__init__(*arguments)
        Kept.opened.append(self)


tools.zipfile.ZipFile = Kept
unpack("good.zip", "out")
assert [file.fp for file in Kept.opened] == [None], "it is closed"
assert Path("out/a/b.txt").read_text() == "hello"
with zipfile.ZipFile("bad.zip", "w") as file:
    file.writestr("ok.txt", "x")
    file.writestr("../evil.txt", "x")
try:
    unpack("bad.zip", "out")
except ToolError as error:
    assert "../evil.txt" in str(error)
else:
    raise AssertionError("it was unpacked")

write_state("state.json", {"a": [1, None, True]})
assert read_state("state.json") == {"a": [1, None, True]} and not os.path.exists("state.json.new")
assert stat.S_IMODE(os.stat("state.json").st_mode) == 0o600
assert read_state("missing.json") == {}
with no_leaks():
    read_state("state.json")
with no_leaks():
    write_state("state.json", {})
with raises(IsADirectoryError, PermissionError):
    read_state("out")
Path("wrong.json").write_text("1+1")
with raises(json.JSONDecodeError):
    read_state("wrong.json")
make_private("private/inner")
assert stat.S_IMODE(os.stat("private/inner").st_mode) == 0o700
make_private("private/inner")

copy_tree("out", "copy")
assert Path("copy/a/b.txt").exists()
with raises(ToolError):
    copy_tree("out", "copy")
assert backup("out", "saved") == ["a"]
Path("out/c.txt").write_text("new")
assert backup("out", "saved") == ["a", "c.txt"] and not os.path.exists("saved.new")
assert publish("out", "public") == ["a", "c.txt"] and os.path.exists("out")
shutil.rmtree("public")
