"""A server of a drill's own on this machine: set up, killed and started again without waiting.

Its settings, its guard and its folder are those of `up`; only the supervision is left out, which
would wait longer and longer after each kill (docs/adr/0029).
"""

import contextlib
import os
import signal
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.adapters.drill import guarding, rig_parts, undo_steps
from sturdis.adapters.drill.server import CLOCK, LocalServer
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults.shim import Shim
from sturdis.adapters.local import binaries, data_folder, guard, ports, probe, server_process
from sturdis.adapters.redis.link import Link
from sturdis.core import servers
from sturdis.core.address import Address
from sturdis.core.aof import guard as guards
from sturdis.core.aof import manifest as manifests
from sturdis.core.drill.events import Killed, Served
from sturdis.core.drill.rig_plan import RigPlan
from sturdis.core.drill.undo import EndProcess, ResumeProcess
from sturdis.core.errors import DrillError, SturdisError
from sturdis.core.render import redis_conf
from sturdis.core.replies import Reply
from sturdis.core.servers import Record, Server
from sturdis.core.spec import Spec

if TYPE_CHECKING:
    from sturdis.adapters.local.server_process import ServerProcess
    from sturdis.core.aof.guard import Mended

LOOK_SECONDS = 0.01
"""How often is looked whether a server that starts serves yet; it needs about 30 ms."""

LOG_WORDS = 300
"""Characters of the log's end that an error tells."""


class Rig(AbstractContextManager["Rig"]):
    """A server that `plan` describes, its data in `folder`; at the end nothing of it runs.

    Start, kill and close it from one thread: the kernel ends the server with the thread that
    started it.

    Args:
        plan: What it is to be like.
        folder: For this rig alone; made, and left with the data and the server's log.
        journal: Told of all that has to be undone, before it is done.

    Raises:
        ServerError: There is no such server.
        DrillError: `drill.lacking`: this machine cannot give what the plan asks for.
    """

    def __init__(self, plan: RigPlan, folder: Path, journal: Journal) -> None:
        self.plan = plan
        self.mended: list[Mended] = []
        """What the guard did before the starts; nothing where it had nothing to do."""
        self._journal = journal
        self._process: ServerProcess | None = None
        self._entry = 0
        self._number = 0
        self._seen: LocalServer | None = None
        self.group: Path | None = None
        """The control group that limits its memory, where the plan limits it."""
        with ExitStack() as stack:
            self.data = self._place(folder / "data", stack)
            self._folder = stack.enter_context(
                contextlib.closing(data_folder.open_folder(self.data))
            )
            self.server = self._asked(plan.server)
            self.shim = Shim(folder / "shim", self.data) if plan.preload else None
            self.address = Address(ports.LOOPBACK, rig_parts.port())
            self.configure()
            stack.callback(self._leave)
            self._stack = stack.pop_all()

    @property
    def pid(self) -> int:
        """The process of the server that was started last."""
        if self._process is None:
            raise _not_served("it was never started")
        return self._process.pid

    def increment(self) -> Path:
        """Give the last increment of its append-only file.

        Raises:
            DrillError: `drill.not_served`: there is none.
        """
        parts = self.data / guards.FOLDER
        try:
            read = manifests.parse((parts / guards.MANIFEST).read_bytes())
            return parts / os.fsdecode(read.increments[-1].name)
        except (OSError, IndexError, manifests.ManifestError) as error:
            raise _not_served(f"its append-only file has no increment ({error})") from error

    def use(self, server: str) -> None:
        """Take another server for the next start; refused as `up` refuses it.

        Raises:
            ServerError: There is no such server.
            DataError: `data.newer_server`.
        """
        other = self._asked(server)
        servers.refuse_unreadable(other, self._folder.record())
        self.server = other

    def configure(self, **settings: str) -> None:
        """Write redis.conf for the next start: the deployment's, the plan's, and `settings`.

        The underscores of a name stand for hyphens.
        """
        place = redis_conf.Place(str(self.data), ports.LOOPBACK, self.address.port)
        over = {**self.plan.settings, **{k.replace("_", "-"): v for k, v in settings.items()}}
        laid = "".join(f"{name} {value}\n" for name, value in over.items())
        self._folder.write_conf(redis_conf.redis_conf(Spec(), place) + laid)

    def start(self, *, wait: bool = True) -> Served:
        """Have the guard look, start the server, and return when it serves all its data.

        With `wait=False` return at once: it may be loading, or end by itself.

        Raises:
            DataError: The guard refuses the data.
            DrillError: `drill.not_served`: it ended, or did not serve in time; with the log's end.
                `drill.cut_too_far`: the guard took more than what was torn.
        """
        if self.plan.guarded:
            self._make_safe()
        environ = self.shim.environ() if self.shim else {}
        if self.shim:
            self.shim.settle(durable=False)
        before = rig_parts.limited(self.group, self.plan.file_limit, environ)
        command = [*before, self.server.path, str(self._folder.conf)]
        with self._folder.open_log(again=self._number > 0) as log:
            lock = self._folder.lock_for_server()
            self._process = server_process.start(command, self.data, log, [lock])
        began = undo_steps.started(self.pid)
        self._entry = self._journal.note(EndProcess(self.pid, began))
        return self.wait_until_served() if wait else Served(CLOCK.now(), self._number, self.pid)

    def _make_safe(self) -> None:
        before = guarding.whole(self.data / guards.FOLDER)
        if mended := guard.make_safe(self._folder, self.server):
            self.mended.append(mended)
        guarding.require(before)

    def wait_until_served(self, seconds: float | None = None) -> Served:
        """Return when the server that was started last serves all its data.

        Raises:
            DrillError: `drill.not_served`, with the log's end.
        """
        limit = self.plan.serves_within if seconds is None else seconds
        deadline = time.monotonic() + limit
        while not self._serves():
            if time.monotonic() > deadline:
                raise _not_served(f"not within {limit:.0f} s: {self.log_words()}")
            if (status := self._ended_within(LOOK_SECONDS)) is not None:
                raise _not_served(f"it ended with status {status}: {self.log_words()}")
        at = CLOCK.now()
        self._folder.remember(Record(self.server, embedded=binaries.is_embedded(self.server)))
        if self._seen is None:
            self._seen = LocalServer(self.address, lambda: self.pid)
        elif self._seen.pid != self.pid:
            self._seen.wait_until_served(self._number, limit)
        return Served(at, self._number, self.pid)

    def kill(self, number: int) -> Killed:
        """Look at its fsyncs, end its process at once, then what it left, as a container does.

        Raises:
            DrillError: `drill.not_served`: it had ended by itself.
        """
        if self._seen is None:
            raise _not_served("it was never seen to serve")
        killed = self._seen.kill(number)
        self._number = number
        self.end_all()
        return killed

    def end_all(self) -> None:
        """End the server and its children at once, without a look at them."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._journal.undone(self._entry)

    def stop(self) -> int:
        """Let it write and end (SIGTERM); give its status."""
        if self._process is None:
            return 0
        self._process.terminate()
        status = self._process.wait()
        self._journal.undone(self._entry)
        return status

    def freeze(self) -> int:
        """SIGSTOP; give the entry of the journal by which it is resumed."""
        entry = self._journal.note(ResumeProcess(self.pid, undo_steps.started(self.pid)))
        os.kill(self.pid, signal.SIGSTOP)
        return entry

    def call(self, *command: str | bytes | int) -> Reply:
        """Send one command and give its reply.

        Raises:
            TargetError: It does not answer.
        """
        with Link(self.address) as link:
            return link.call(*command)

    def info(self) -> dict[str, str]:
        """Give INFO's fields; empty: it does not answer."""
        return dict(self._seen.info()) if self._seen else {}

    def log_words(self) -> str:
        """Give the end of the server's log, as one line."""
        try:
            words = self._folder.log.read_bytes().decode(errors="replace").split()
        except OSError as error:
            return str(error)
        return " ".join(words)[-LOG_WORDS:]

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _place(self, data: Path, stack: ExitStack) -> Path:
        name = f"sturdis-drill-{os.getpid()}-{data.parent.name}"
        if self.plan.small_disk is not None:
            entry = rig_parts.mount_small_disk(data, self.plan.small_disk, self._journal)
            stack.callback(rig_parts.unmount_small_disk, data, entry, self._journal)
        if self.plan.memory_limit is not None:
            limit = self.plan.memory_limit
            self.group, entry = rig_parts.memory_group(name, limit, self._journal)
            stack.callback(self._journal.undo, entry)
        return data

    def _asked(self, server: str | None) -> Server:
        return servers.choose(binaries.offers(server, None)).server

    def _serves(self) -> bool:
        place = probe.Place(self.address.host, self.address.port, self._folder.conf)
        try:
            info = probe.server_info(place)
        except (OSError, ValueError):
            return False
        return info.get("process_id") == str(self.pid) and info.get("loading") == "0"

    def _ended_within(self, seconds: float) -> int | None:
        if self._process is None:
            return None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _leave(self) -> None:
        if self._seen is not None:
            self._seen.close()
        with contextlib.suppress(SturdisError):
            self.end_all()
        if self.shim is not None:
            self.shim.close()


def _not_served(why: str) -> DrillError:
    return DrillError(
        "drill.not_served",
        "the drill's server did not serve",
        why=why,
        do="read the server's log in the run's folder: rig/data/server.log",
    )
