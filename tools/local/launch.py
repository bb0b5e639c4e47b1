"""Launcher that every child process goes through: `launch.py PARENT_PID SIGNAL USER COMMAND...`.

It ties the child's life to its parent's and drops root where asked, then becomes the command. It
runs on its own (`python -I -S launch.py`): a preexec function would do the same, but is not safe
in a parent that has threads.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def become_user(name: str) -> None:
    """Give up root for the named user."""
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def die_with(parent_pid: int, signal_number: int) -> None:
    """Have the kernel send the signal when the parent dies, however it dies.

    Only Linux can do it; elsewhere a parent that was killed leaves its children to the next start.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        sys.exit("the parent process died before its child had started")


if __name__ == "__main__":
    parent, number, user_name, *command = sys.argv[1:]
    # Changing the user clears the death signal, so that comes after.
    if user_name:
        become_user(user_name)
    die_with(int(parent), int(number))
    os.execv(command[0], command)  # noqa: S606  (the command comes from our own code)
