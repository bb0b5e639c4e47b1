"""Launcher that every child process goes through: ``launch.py PARENT_PID SIGNAL USER COMMAND...``.

It ties the child's life to its parent's and drops root where asked, then becomes the command. It
runs on its own (``python -I -S launch.py``): a preexec function would do the same, but is not safe
in a parent that has threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def become_user(name: str) -> None:
    """Give up root for the named user."""
    import pwd

    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def die_with(parent_pid: int, signal_number: int) -> None:
    """Have the kernel send the signal when the parent dies, however it dies.

    Changing the user clears this, so it comes after. Only Linux can do it; elsewhere a parent
    that was killed outright leaves its children to the next start.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        sys.exit("the parent process died before its child had started")


def main(arguments: list[str]) -> None:
    """Become the command."""
    parent_pid, signal_number, user, *command = arguments
    if user:
        become_user(user)
    die_with(int(parent_pid), int(signal_number))
    os.execv(command[0], command)  # noqa: S606  (the command comes from our own code)


if __name__ == "__main__":
    main(sys.argv[1:])
