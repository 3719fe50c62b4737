"""A server at an address, as `doctor` sees it; and its files, where they are on this machine."""

from dataclasses import dataclass
from pathlib import Path

from sturdis.adapters.local import doctor_files, fsync_thread, server_log
from sturdis.adapters.redis import doctor_look, link
from sturdis.adapters.redis.link import Link
from sturdis.adapters.redis.target import RedisTarget
from sturdis.core.address import Address
from sturdis.core.aof import guard
from sturdis.core.doctor.damage import Files
from sturdis.core.doctor.facts import NO_LOOK
from sturdis.core.doctor.live import Live
from sturdis.core.doctor.running import ServerSight
from sturdis.core.errors import TargetError
from sturdis.core.facts import Machine, NotVisible, ServerFacts, Unseen
from sturdis.core.replies import text


@dataclass(frozen=True)
class DoctorTarget:
    """A server at an address.

    Args:
        address: Where it answers.
        cli: What to type before a Redis command to reach it again.
        doctor: What to type to look again.
        metrics_url: Where its metrics are; None: not known.
        folder: Its data folder; None: where it says, if it runs on this machine.
    """

    address: Address
    cli: str
    doctor: str
    metrics_url: str | None = None
    folder: Path | None = None

    def look(self) -> ServerSight:
        """Look at all of it, without writing.

        Raises:
            TargetError: Nothing that speaks Redis answers there.
            AccessError: It does not let us in.
        """
        address = link.admitted(self.address)
        facts = RedisTarget(
            address,
            cli=self.cli,
            metrics_url=self.metrics_url,
            guarded=self.folder is not None,
            read_only=True,
        ).observe()
        live = NO_LOOK if isinstance(facts.info, Unseen) else self._watch(address, facts)
        files = self._files(address, facts)
        log = "" if self.folder is None else server_log.end(self.folder)
        return ServerSight(str(self.address), self.doctor, facts, live, files, log)

    def _watch(self, address: Address, facts: ServerFacts) -> Live | Unseen:
        info = {} if isinstance(facts.info, Unseen) else facts.info
        is_here = self.folder is not None or isinstance(facts.machine, Machine)
        pid = info.get("process_id", "")
        if not is_here or not pid.isdecimal():
            return doctor_look.look(address)
        return doctor_look.look(address, turns=lambda: fsync_thread.turns(pid))

    def _files(self, address: Address, facts: ServerFacts) -> Files | NotVisible | Unseen:
        if self.folder is not None:
            return doctor_files.look(self.folder, is_live=True)
        config = {} if isinstance(facts.config, Unseen) else facts.config
        if not isinstance(facts.machine, Machine) or config.get("appendonly") != "yes":
            return doctor_files.NOT_HERE
        parts = _setting(address, "appenddirname") or guard.FOLDER
        folder = Path(_setting(address, "dir"))
        if not (folder / parts / guard.MANIFEST).exists():  # by another name, or in a container
            return doctor_files.NOT_HERE
        return doctor_files.look(folder, is_live=True, parts=parts)


def _setting(address: Address, name: str) -> str:
    try:
        with Link(address) as connection:
            reply = connection.call("CONFIG", "GET", name)
    except TargetError:
        return ""
    return text(reply[1]) if isinstance(reply, tuple) and reply else ""
