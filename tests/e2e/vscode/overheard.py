"""Runs a language server and writes down what the editor says to it.

Run as `python overheard.py LOG PROGRAM ARGUMENT…`.
"""

import os
import subprocess
import sys
from pathlib import Path

_CHUNK_BYTES = 64 * 1024


def main() -> int:
    """Pass on everything that comes; what the server answers goes to the editor by itself."""
    _, log, *command = sys.argv
    # Editors hand over sockets that do not block.
    os.set_blocking(0, True)
    with (
        Path(log).open("ab", buffering=0) as heard,
        subprocess.Popen(command, stdin=subprocess.PIPE) as server,
    ):
        assert server.stdin is not None
        while data := os.read(0, _CHUNK_BYTES):
            heard.write(data)
            try:
                server.stdin.write(data)
                server.stdin.flush()
            except BrokenPipeError:
                break
        server.stdin.close()
    return server.returncode


if __name__ == "__main__":
    sys.exit(main())
