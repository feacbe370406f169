"""Which path a URI names, and which names of a URI the rules of exclusion are asked about."""

import os

import pytest

from sirdab.policy.ignore import ExclusionRules
from sirdab.policy.uris import judged_paths, path_of

WINDOWS = os.name == "nt"


@pytest.mark.parametrize(
    ("uri", "expect"),
    [
        ("file:///work/a.py", "/work/a.py"),
        ("FILE:///work/a.py", "/work/a.py"),
        ("file:/work/a.py", "/work/a.py"),
        ("file://localhost/work/a.py", "/work/a.py"),
        ("file:///work/a%20b.py", "/work/a b.py"),
        ("file:///c%3A/work/a.py", "c:/work/a.py"),
        ("file:///C:/work/a.py", "C:/work/a.py"),
        ("untitled:/work/.env", "/work/.env"),
        ("vscode-notebook-cell:/work/a.ipynb#c1", "/work/a.ipynb"),
        ("untitled:Untitled-1", None),
        ("git:/work/a.py?%7B%7D", None),
        ("vscode-remote://ssh-remote%2Bbox/work/a.py", None),
        ("https://example.org/a.py", None),
        ("file://server/share/a.py", r"\\server\share\a.py" if WINDOWS else None),
        ("", None),
        ("a.py", None),
    ],
)
def test_where_a_document_is(uri: str, expect: str | None) -> None:
    assert path_of(uri) == expect


EXCLUDED = [
    "file:///work/.env",
    "file:///work/%2Eenv",
    "file:///c%3A/Users/me/.ENV",
    "file:///C:/Users/me/.ssh/config",
    "file:///work/what?.env",
    "file:///work/a%3F.env",
    "file:///work/server.pem#part",
    "file:///work/server.pem?version=2",
    "file:///work/a#b/.env",
    # Shares, containers, other machines, revisions and archives.
    "file://server/share/.aws/credentials",
    "file://wsl.localhost/Ubuntu/home/me/.env",
    "file:////server/share/id_rsa",
    "vscode-remote://ssh-remote%2Bbox/home/me/.env",
    "vscode-remote://wsl%2Bubuntu/home/me/.ssh/config",
    "vscode-vfs://github/owner/name/secrets.yml",
    "git:/work/.env?%7B%22ref%22%3A%22HEAD%22%7D",
    "gitfs:/work/server.key",
    "zipfile:///work/a.zip/.env",
    "jar:file:///work/a.jar!/secrets.yml",
    "sftp://box/home/me/.netrc",
    "oil-ssh://box/etc/server.pem",
    # Not written to a file yet.
    "untitled:.env",
    "untitled:/work/.env",
    "untitled:C:\\work\\.env",
    "vscode-notebook-cell:/work/secrets/a.ipynb#W0sZmlsZQ",
    # A path in place of a URI.
    "/work/.env",
    "C:\\work\\.env",
    "c:/work/id_rsa",
    "\\\\server\\share\\server.pem",
    ".env",
]


@pytest.mark.parametrize("uri", EXCLUDED)
def test_a_secret_file_is_excluded_wherever_it_lies(uri: str) -> None:
    rules = ExclusionRules((), ())
    assert any(rules.is_excluded(path) for path in judged_paths(uri)), judged_paths(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///work/a.py",
        "file:///c%3A/work/a.py",
        "file://server/share/a.py",
        "untitled:Untitled-1",
        "untitled:test",
        "vscode-notebook-cell:/work/a.ipynb#c1",
        "vscode-remote://ssh-remote%2Bbox/home/me/a.py",
        "git:/work/a.py?ref",
        "inmemory://model/1",
        "output:extension-1",
        "",
    ],
)
def test_an_ordinary_document_is_allowed(uri: str) -> None:
    rules = ExclusionRules((), ())
    assert not any(rules.is_excluded(path) for path in judged_paths(uri)), judged_paths(uri)


def test_a_document_of_this_machine_is_judged_by_its_path_alone() -> None:
    assert judged_paths("file:///work/a.py") == ("/work/a.py",)
    assert judged_paths("vscode-notebook-cell:/work/a.ipynb#c1") == ("/work/a.ipynb",)
