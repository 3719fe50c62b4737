"""Whose process a server is: what may be killed is proven, not believed of its words."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from sturdis.adapters.local import data_folder, running
from sturdis.adapters.local.data_folder import Holder
from sturdis.core.address import Address

LISTENING = "0A"
"""State of a socket that waits for connections; proc_pid_net(5)."""


def of_marked_up(address: Address) -> int | None:
    """Give the process that an `up` of this user, which allows drills, started to serve `address`.

    None: there is no such `up`, or what it started does not listen there: another container's pids
    may be in a record that both see.
    """
    for one in running.find():
        if one.at.drills and address.reaches(one.at.host, one.at.port):
            pid = _started_last(Path(one.at.data))
            if pid is not None and listens(pid, one.at.port):
                return pid
    return None


def listens(pid: int, port: int) -> bool:
    """Tell whether the process `pid` of this machine listens on `port`.

    Only Linux tells it; elsewhere a process has its pid in the whole machine, and True is given.
    """
    if sys.platform != "linux":
        return True
    wanted = {f"socket:[{inode}]" for inode in _listening(pid, port)}
    with suppress(OSError):
        for opened in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(opened.readlink()) in wanted:
                    return True
    return False


def _started_last(data: Path) -> int | None:
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((data / data_folder.LOCK).read_bytes(), type=Holder).server
    return None


def _listening(pid: int, port: int) -> Iterator[str]:
    """Give the inodes of the sockets that listen on `port` where the process is."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            text = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii")
            for line in text.splitlines()[1:]:
                _slot, local, _remote, state, *rest = line.split()
                if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                    yield rest[5]
