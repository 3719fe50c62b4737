"""Many copies of what one server wrote, each damaged in its own way, and servers started on them.

Each copy is a folder of its own below `home`; servers listen on a socket in it, and end with the
thread that started them.
"""

import contextlib
import itertools
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from sturdis.adapters.drill.load_process import PYTHON, LoadProcess
from sturdis.adapters.drill.rig import Rig
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults.on_rig import OnRig, Parts, come
from sturdis.adapters.local import data_folder, guard, server_process
from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core.address import Address
from sturdis.core.aof import guard as guards
from sturdis.core.drill.load import LoadPlan
from sturdis.core.drill.undo import RemoveFolder
from sturdis.core.errors import DrillError, SturdisError, TargetError
from sturdis.core.replies import ErrorReply, Reply
from sturdis.core.servers import Server

ENOUGH = 15_000
"""Bytes of BullMQ's writes in an increment: some 20 jobs, and a few more end it."""

WRITTEN_WITHIN = 30.0
STARTED_WITHIN = 30.0
"""Seconds."""

LOOK_SECONDS = 0.01

LOG_WORDS = 400
"""Characters of the log's end that an error tells: what a server says of a damaged file has 200."""

AT_ONCE = 4
"""Servers that run beside each other: more gain nothing on two cores."""

FORKING = threading.Lock()
"""Held while a process is made: until its exec it has all open files, and with them their locks."""


@dataclass(frozen=True)
class Written:
    """What a server wrote: the folder of its append-only file, and its last increment."""

    server: Server
    parts: Path
    name: str
    """The increment's file name."""
    increment: bytes


def write(rig: Rig, folder: Path, last: str = "") -> Written:
    """Let BullMQ add and work on a rig's server, and give what that wrote.

    Args:
        rig: It serves, and nobody else uses it.
        folder: Of the load's log; made.
        last: A script that writes last, once no client is connected any more; empty: none.

    Raises:
        DrillError: `drill.load_failed`, or `drill.not_served`: it wrote too little.
        TargetError: It does not answer.
    """
    plan = LoadPlan(
        "python", str(folder), rig.address, ("torn",),
        rate=100.0, adds_at_once=3, jobs_at_once=2, longest_delay=50,
    )  # fmt: skip
    increment = rig.increment()
    with LoadProcess(PYTHON, plan) as load:
        _until(lambda: increment.stat().st_size >= ENOUGH, "BullMQ's writes")
        load.stop_adding()
        load.wait_until_added(WRITTEN_WITHIN)
        load.end()
    if last:
        rig.call("EVAL", last, 0)
    _until(lambda: _is_written(rig), "the last write")
    return Written(rig.server, increment.parent, increment.name, increment.read_bytes())


def _is_written(rig: Rig) -> bool:
    told = rig.call("INFO", "persistence")
    return isinstance(told, bytes) and infos.parse(told.decode())["aof_buffer_length"] == "0"


def _until(holds: Callable[[], bool], what: str) -> None:
    if not come(holds, WRITTEN_WITHIN):
        raise not_served(f"{what} did not come within {WRITTEN_WITHIN:.0f} s")


class OnCopies(OnRig):
    """A fault that is tried on copies of what BullMQ wrote on the rig's server."""

    last = ""
    """A script that writes last; empty: none."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.home = short_folder(parts.journal)
        self.written: Written
        """Once it is prepared."""

    def prepare(self) -> None:
        """Have BullMQ write."""
        self.written = write(self.rig, self.home / "load", self.last)


def short_folder(journal: Journal) -> Path:
    """Make a folder whose path is short enough for sockets in it; the journal removes it."""
    made = Path("/tmp") / f"sturdis-{uuid.uuid4().hex[:8]}"  # noqa: S108  nobody can guess it
    journal.note(RemoveFolder(str(made)))
    made.mkdir(mode=0o700)
    return made


class Life:
    """A server on a copy, from its start until it is killed."""

    def __init__(self, process: server_process.ServerProcess, path: Path, log: Path) -> None:
        self._process = process
        self._address = Address("", path=str(path))
        self._log = log

    def call(self, *words: str | int) -> Reply:
        """Send one command and give its reply.

        Raises:
            TargetError: It does not answer.
        """
        with Link(self._address) as link:
            return link.call(*words)

    def link(self) -> Link:
        """Give a connection to it.

        Raises:
            TargetError: It does not answer.
        """
        return Link(self._address)

    def wait_until_served(self) -> None:
        """Return when it answers PONG.

        Raises:
            DrillError: `drill.not_served`: it ended by itself, or does not serve.
        """
        deadline = time.monotonic() + STARTED_WITHIN
        while not self._serves():
            if time.monotonic() > deadline or self._has_ended():
                words = self._log.read_text(errors="replace").split()
                raise not_served(" ".join(words)[-LOG_WORDS:])

    def _serves(self) -> bool:
        try:
            return not isinstance(self.call("PING"), ErrorReply)
        except TargetError:
            return False

    def _has_ended(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LOOK_SECONDS)
            return True
        return False


class Trial(AbstractContextManager["Trial"]):
    """A copy of what was written, with other bytes as its increment; removed at the end.

    Args:
        written: What is copied.
        increment: The bytes in place of the increment's.
        guarded: Whether the guard looks before each start.
        home: Where the copy's folder is made; its path is short, for a socket's may not be long.
    """

    def __init__(self, written: Written, increment: bytes, home: Path, *, guarded: bool) -> None:
        self.written = written
        self._guarded = guarded
        self.home = home / uuid.uuid4().hex[:8]
        self.data = self.home / "data"
        shutil.copytree(written.parts, self.data / guards.FOLDER)
        self.increment = self.data / guards.FOLDER / written.name
        self.increment.write_bytes(increment)

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self.home)

    def mend(self) -> None:
        """Have the guard look, where the trial has one.

        Raises:
            DataError: It refuses the data.
        """
        if self._guarded:
            with FORKING, closing(data_folder.open_folder(self.data)) as folder:
                guard.make_safe(folder, self.written.server)

    @contextlib.contextmanager
    def life(self) -> Iterator[Life]:
        """Start a server, after the guard where there is one; kill it when the block ends.

        Raises:
            DataError: The guard refuses the data.
            DrillError: `drill.not_served`: the server does.
        """
        self.mend()
        socket, log = self.home / "s", self.home / "log"
        settings = {
            "port": "0", "unixsocket": str(socket), "dir": str(self.data), "save": "",
            "appendonly": "yes", "appendfsync": "always", "enable-debug-command": "yes",
        }  # fmt: skip
        with FORKING, log.open("ab") as told:
            process = server_process.start(self.command(settings), self.data, told, ())
        try:
            life = Life(process, socket, log)
            life.wait_until_served()
            yield life
        finally:
            process.kill()
            process.wait()

    def command(self, settings: Mapping[str, str]) -> Sequence[str]:
        """Give what starts the server with these settings."""
        pairs = ((f"--{name}", value) for name, value in settings.items())
        return [self.written.server.path, *itertools.chain(*pairs)]


def failed(cuts: Sequence[int], trial: Callable[[int], bool]) -> list[int]:
    """Give those cuts at which a trial was not passed, several tried at once.

    Raises:
        SturdisError: What a trial raised; the others are ended first.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        passed = [pool.submit(trial, cut) for cut in cuts]
        try:
            return [cut for cut, kept in zip(cuts, passed, strict=True) if not kept.result()]
        except SturdisError:
            pool.shutdown(cancel_futures=True)
            raise


def not_served(why: str) -> DrillError:
    """Say that a server on a copy does not serve as the drill needs."""
    return DrillError(
        "drill.not_served",
        "a server on a copy of the data did not serve",
        why=why,
        do="run the drill again; with another --server if it stays so",
    )
