"""Other programs, archives and what comes from the network."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import urllib.request
import zipfile
from pathlib import Path

TIMEOUT = 10.0


class ToolError(Exception):
    """Another program failed."""


def run(arguments, cwd=None):
    try:
        done = subprocess.run(
            arguments, cwd=cwd, capture_output=True, text=True, check=True, timeout=TIMEOUT
        )
    except subprocess.CalledProcessError as error:
        raise ToolError(error.stderr.strip()) from error
    return done.stdout


def branch_of(folder):
    return run(["git", "rev-parse", "--abbrev-ref", "HEAD"], cwd=folder).strip()


def count_lines(path):
    done = subprocess.run(["wc", "-l", "--", path], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def ping(host):
    done = subprocess.run(["ping", "-c", "1", "--", host], capture_output=True, check=False)
    return done.returncode == 0


def open_page(url):
    if not url.startswith("https://"):
        raise ToolError("only pages over https are read")
    context = ssl.create_default_context()
    with urllib.request.urlopen(url, timeout=TIMEOUT, context=context) as response:
        return response.read()


def post(session, url, data):
    response = session.post(url, json=data, timeout=TIMEOUT, verify=True)
    response.raise_for_status()
    return response.json()


def is_listening(host, port):
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def secure_socket(raw, host):
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(raw, server_hostname=host)


def unpack(archive, folder):
    """Unpack an archive; members that would land outside of the folder are refused."""
    folder = Path(folder).resolve()
    with zipfile.ZipFile(archive) as file:
        for name in file.namelist():
            if not (folder / name).resolve().is_relative_to(folder):
                raise ToolError(f"{name} points out of the folder")
        file.extractall(folder)


def read_state(path):
    """Read the state of the last run; there is none at the first."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return {}
    return json.loads(data)


def write_state(path, state):
    temporary = path + ".new"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(state, file)
    os.replace(temporary, path)


def make_private(folder):
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o700)


def free_port():
    probe = socket.socket()
    try:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
    finally:
        probe.close()


def copy_tree(source, target):
    if os.path.exists(target):
        raise ToolError(f"{target} exists")
    shutil.copytree(source, target)


def backup(source, target):
    """Copy a folder to a place beside the old copy, which is kept until the new one is whole."""
    fresh = target + ".new"
    copy_tree(source, fresh)
    if os.path.exists(target):
        shutil.rmtree(target)
    os.rename(fresh, target)
    return sorted(os.listdir(target))


def publish(source, target):
    copy_tree(source, target)
    return sorted(os.listdir(target))
