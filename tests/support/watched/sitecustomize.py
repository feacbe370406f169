"""Writes down each socket and each name of every Python process that is started with this folder in
PYTHONPATH, as JSON lines in the file that SIRDAB_TEST_SOCKETS names.

The events are those of Python's audit table (docs.python.org, "Audit events table"); a hook cannot
be taken away again, and sees what libraries do as well.
"""

import json
import os
import sys

_FILE = os.environ.get("SIRDAB_TEST_SOCKETS")
_EVENTS = {
    "socket.connect": 1,
    "socket.bind": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    place = _EVENTS.get(event)
    if place is None or _FILE is None:
        return
    family = getattr(arguments[0], "family", None) if place else None
    record = {
        "event": event,
        "what": arguments[place],
        "family": getattr(family, "name", None),
        "program": sys.argv[:4],
    }
    descriptor = os.open(_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(record, default=str) + "\n").encode())
    os.close(descriptor)


if _FILE:
    sys.addaudithook(_watch)
