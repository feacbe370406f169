import hashlib
import os
import stat
import tempfile
from pathlib import Path

import uploads
from support import no_leaks, raises
from uploads import Store, UploadError, append_line, chunks, convert, digest, with_scratch
from uploads import write_secret

os.umask(0)
Path("root/public").mkdir(parents=True)
Path("root/public/hello.txt").write_text("one\ntwo\nthree\n")
Path("outside.txt").write_text("secret")
Path("root/bob").mkdir()
Path("root/bob/secret.txt").write_text("bob's")
store = Store("root", limit=10)

path = store.save("ada", "note.TXT", b"0123456789")
assert path == Path("root/ada/note.TXT").resolve()
assert path.read_bytes() == b"0123456789"
assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
assert store.read("ada", "note.TXT") == b"0123456789"
assert store.names("ada") == ["note.TXT"]
assert store.names("nobody") == []
store.save("ada", "a.png", b"")
assert store.names("ada") == ["a.png", "note.TXT"]
with raises(UploadError):
    store.save("ada", "large.txt", b"01234567890")
with raises(UploadError):
    store.save("ada", "run.exe", b"x")
with raises(UploadError):
    store.read("ada", "missing.txt")
for user, name in (
    ("ada", "../bob/secret.txt"),
    ("ada", "../../outside.txt"),
    (".", "bob/secret.txt"),
    ("..", "outside.txt"),
    ("ada", os.path.abspath("outside.txt")),
    ("../root", "outside.txt"),
):
    with raises(UploadError):
        store.read(user, name)
with raises(UploadError):
    store.preview("../bob/secret.txt")
assert store.preview("hello.txt") == ["one", "two", "three"]
assert store.preview("hello.txt", 2) == ["one", "two"]

with no_leaks():
    store.read("ada", "note.TXT")
with no_leaks():
    store.preview("hello.txt")
with no_leaks():
    store.save("ada", "b.txt", b"b")
with no_leaks():
    digest("outside.txt")
with no_leaks():
    append_line("log.txt", "one")
with no_leaks():
    write_secret("key", "k3y")
assert digest("outside.txt") == hashlib.sha256(b"secret").hexdigest()
append_line("log.txt", "two")
assert Path("log.txt").read_text() == "one\ntwo\n"
assert Path("key").read_text() == "k3y"
assert stat.S_IMODE(os.stat("key").st_mode) == 0o600
with raises(FileExistsError):
    write_secret("key", "other")

assert chunks(b"abcdefg", 3) == [b"abc", b"def", b"g"]
assert chunks(b"", 3) == []
with raises(ValueError):
    chunks(b"abc", 0)
with raises(ValueError):
    chunks(b"abc", -1)


def refuse(*_):
    raise OSError("disk full")


replace = os.replace
uploads.os.replace = refuse
with raises(OSError):
    store.save("ada", "c.txt", b"c")
uploads.os.replace = replace
assert store.names("ada") == ["a.png", "b.txt", "note.TXT"], "nothing is left behind"

def never(*_, **__):
    raise AssertionError("mktemp gives a name that somebody else can take")


tempfile.mktemp = never
with no_leaks():
    store.save("ada", "d.txt", b"d")
seen = []
assert with_scratch(lambda folder: seen.append(folder) or folder.is_dir()) is True
assert not seen[0].exists()
with raises(KeyError):
    with_scratch(lambda folder: {}[seen.append(folder)])
assert not seen[-1].exists()
named = tempfile.NamedTemporaryFile
kept = []


def keep(**options):
    kept.append(named(**options))
    return kept[-1]


tempfile.NamedTemporaryFile = keep
with no_leaks():
    assert convert(b"data", lambda name: Path(name).read_bytes().upper()) == b"DATA"
assert [file.closed for file in kept] == [True]
