"""Says which path a document's URI names, by rules for each kind of URI.

There are two questions, and they are kept apart:

- Where is the file? Only a URI of this machine's file system has an answer (`path_of`).
- What is it called, so that the rules of exclusion can be asked? Every URI has some answer
  (`judged_paths`): a file on a share, in a container, at another revision or in an archive is no
  less secret for that.
"""

import os
import re
from urllib.parse import unquote

# A new document that is to be saved somewhere (`untitled:/x/.env`) and a cell of a notebook
# (`vscode-notebook-cell:/x/a.ipynb#c1`) belong to a path as much as a file does.
_LOCAL_SCHEMES = frozenset({"file", "untitled", "vscode-notebook-cell"})
_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)", re.DOTALL)
_DRIVE = re.compile(r"/[A-Za-z]:")


def path_of(uri: str) -> str | None:
    r"""Return the path on this machine that a document's URI names, or None when it names none.

    On Windows `file://server/share/a` is the path `\\server\share\a` (RFC 8089 appendix E.3.1);
    elsewhere no file has a host.
    """
    scheme, host, path = _parts(uri)
    if scheme not in _LOCAL_SCHEMES:
        return None
    if host not in ("", "localhost"):
        return f"//{host}{path}".replace("/", os.sep) if os.name == "nt" else None
    if not path.startswith("/"):
        return None
    # "/C:/x" is the path of "file:///C:/x" on Windows.
    return path[1:] if _DRIVE.match(path) else path


def judged_paths(uri: str) -> tuple[str, ...]:
    """Return the paths that the rules of exclusion are asked about, none where there is no name.

    Args:
        uri: Any URI, or a path that a client sends in place of one.

    Returns:
        For a document of this machine its path; for any other the path as it is spelt, also where
        it lies on a machine or in an archive that we know nothing of. More than one where the URI
        may be read in more than one way.
    """
    local = path_of(uri)
    scheme, host, path = _parts(uri)
    if scheme == "file" and host and local is None:
        path = f"//{host}{path}"
    elif _DRIVE.match(path):
        path = path[1:]
    found = [local, path]
    if scheme == "file" and re.search(r"[?#]", uri):
        # RFC 8089 gives these URIs no query and no fragment, so this may as well be a sign in a
        # name that was not escaped.
        found.append(unquote(uri[len("file:") :]).lstrip("/"))
    return tuple(dict.fromkeys(filter(None, found)))


def _parts(uri: str) -> tuple[str, str, str]:
    """Return the scheme in lower case, the host and the path of a URI, without percent signs."""
    found = _URI.fullmatch(uri)
    # A single letter and a colon are a drive: a path of Windows that was sent as it is.
    if found is None:
        return "", "", uri
    scheme, rest = found["scheme"].lower(), re.split(r"[?#]", found["rest"], maxsplit=1)[0]
    host = ""
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        rest = slash + path
    return scheme, unquote(host).lower(), unquote(rest)
