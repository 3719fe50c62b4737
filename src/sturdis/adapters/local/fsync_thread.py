"""The thread of a server on this machine that does its fsyncs, as the kernel counts its turns."""

from pathlib import Path

NAME = "bio_aof"
"""What its name begins with: `bio_aof_fsync` in Redis 7.0, `bio_aof` in Redis 8.0 and Valkey."""

COUNT = "voluntary_ctxt_switches:"
"""In /proc/PID/task/TID/status: one more each time that it has done its work and waits again."""


def turns(pid: str) -> int | None:
    """Give how often the thread waited for work so far; None: it is not to be seen.

    One that is there has waited: a kernel that says 0 does not count.
    """
    for thread in Path("/proc", pid, "task").glob("*"):
        try:
            if (thread / "comm").read_text().startswith(NAME):
                told = (thread / "status").read_text().splitlines()
                return next(int(line.split()[1]) for line in told if line.startswith(COUNT)) or None
        except (OSError, StopIteration):  # it ended, or this kernel does not count
            return None
    return None
