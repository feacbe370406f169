"""Files that users upload, in folders of their own."""

import hashlib
import os
import shutil
import tempfile
from itertools import islice
from pathlib import Path

CHUNK = 64 * 1024
ALLOWED = (".png", ".jpg", ".pdf", ".txt")


class UploadError(Exception):
    """A file is refused; the message may be shown."""


class Store:
    def __init__(self, root, limit=1_000_000):
        self.root = Path(root).resolve()
        self.limit = limit

    def path_of(self, user, name):
        folder = (self.root / user).resolve()
        path = (folder / name).resolve()
        if folder.parent != self.root or not path.is_relative_to(folder):
            raise UploadError("this name is not allowed")
        return path

    def read(self, user, name):
        path = self.path_of(user, name)
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            raise UploadError("there is no such file") from error

    def preview(self, name, lines=10):
        path = (self.root / "public" / name).resolve()
        if not path.is_relative_to(self.root / "public"):
            raise UploadError("this name is not allowed")
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\n") for line in islice(file, lines)]

    def save(self, user, name, data):
        if len(data) > self.limit:
            raise UploadError("the file is too large")
        if os.path.splitext(name)[1].lower() not in ALLOWED:
            raise UploadError("files of this kind are not taken")
        path = self.path_of(user, name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
        return path

    def names(self, user):
        folder = self.path_of(user, ".")
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir() if entry.is_file())


def digest(path):
    state = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            state.update(chunk)
    return state.hexdigest()


def chunks(data, size):
    if size < 1:
        raise ValueError("size must be positive")
    return [data[start : start + size] for start in range(0, len(data), size)]


def append_line(path, line):
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def write_secret(path, secret):
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secret)


def with_scratch(work):
    """Call `work` with a folder that is gone afterwards."""
    folder = tempfile.mkdtemp(prefix="upload-")
    try:
        return work(Path(folder))
    finally:
        shutil.rmtree(folder)


def convert(data, command):
    """Put data through a converter that reads a file and returns bytes."""
    with tempfile.NamedTemporaryFile(suffix=".in") as file:
        file.write(data)
        file.flush()
        return command(file.name)
