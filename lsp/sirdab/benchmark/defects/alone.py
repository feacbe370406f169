"""Runs a program without the network; a program of its own, never imported, for Linux.

It is started as `python -I -S -c SOURCE PROGRAM [ARGUMENT]…` and becomes that program, in a new
network namespace that has nothing but a loopback of its own (network_namespaces(7)). A user may
make one in a new user namespace (user_namespaces(7)), where the system allows that; where it does
not, this ends with an error and runs nothing.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

# <linux/sched.h>, <linux/sockios.h> and <linux/if.h>.
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1


def main() -> None:
    """Leave the network and become the program."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    # The same user as before: files that are made belong to him. Whoever is not root in the
    # namespace loses the rights of one there with the program that he becomes.
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    # Programs talk to themselves over the loopback, which is down at first (netdevice(7)).
    with socket.socket() as any_one:
        fcntl.ioctl(any_one, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - it is an absolute path of our own


if __name__ == "__main__":
    main()
