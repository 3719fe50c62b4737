"""Another version of the server, started on the data of a rig."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sturdis.adapters.faults.on_rig import OnRig, Parts, come
from sturdis.adapters.local import binaries, data_folder
from sturdis.core import servers
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import version
from sturdis.core.errors import DataError, DrillError
from sturdis.core.servers import Server

REWRITTEN_WITHIN = 30.0
"""Longest wait for a rewrite, in seconds."""

ANSWERED_WITHIN = 60.0
"""Longest wait for `sturdis up` to serve or to refuse, in seconds; it needs about one."""

REFUSED = "data.newer_server"
"""The code of the one refusal that is about the server's version."""

ERROR = re.compile(r"^error\[([a-z._]+)\]", re.MULTILINE)


class Moved(OnRig):
    """The server is ended, and another one is started on its data."""

    def __init__(self, to: str, parts: Parts) -> None:
        super().__init__(parts)
        self.old = parts.rig.server
        self.to = to
        self.other: Server
        """Once it is prepared."""

    def prepare(self) -> None:
        """Find the other server.

        Raises:
            DrillError: `drill.lacking`: there is none on this machine.
        """
        self.other = self._find()

    def _find(self) -> Server:
        offers = () if self.to else binaries.offers(None, None)
        named = [one.server for one in offers] or [binaries.inspect(self.to)]
        fitting = [one for one in named if self.fits(one)]
        if not fitting:
            raise DrillError(
                "drill.lacking",
                f"there is no {self.wanted()} {self.old}",
                why=f"looked at: {', '.join(sorted({str(one) for one in named})) or 'none'}",
                do="copy the drill's file, and write `to: PATH` of such a server into its fault",
            )
        return max(fitting, key=lambda one: (one.product == self.old.product, one.version))

    def fits(self, other: Server) -> bool:
        """Tell whether it is the kind of server that the drill needs."""
        raise NotImplementedError

    def wanted(self) -> str:
        """Say what kind that is, before the name of the server at hand."""
        raise NotImplementedError

    def end_server(self) -> None:
        """Let the server write and end, as an upgrade does."""
        self.rig.stop()
        self.down = True


class ServerUpgrade(Moved):
    """A newer server takes the data over, and gives it back where the old one reads it then.

    `not_loaded`: rounds in which it did not load what `up` lets it at. `unmet`: rounds in which
    another one answered.
    """

    def __init__(self, to: str, parts: Parts) -> None:
        super().__init__(to, parts)
        self.counted.update(moved=0, not_loaded=0, unmet=0)

    def fits(self, other: Server) -> bool:
        """Tell whether it is newer and reads what the old one writes."""
        same = (other.product, other.version[:2]) == (self.old.product, self.old.version[:2])
        return not same and servers.can_read(other, self.old)

    def wanted(self) -> str:
        """Say so."""
        return "server on this machine that reads all data of"

    def inject(self, number: int) -> Sequence[Event]:
        """Stop the old one, and start the newer one on its data."""
        del number
        other = self.other
        self.end_server()
        try:
            self.rig.use(other.path)
            served = self.rig.start()
        except (DataError, DrillError):
            self.counted["not_loaded"] += 1
            self.rig.end_all()
            self.rig.use(self.old.path)
            return ()
        self.down = False
        answers = self.rig.info().get(f"{other.product}_version")
        self.counted["moved"] += 1
        self.counted["unmet"] += answers != servers.dotted(other.version)
        return (served,)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Stay with the newer one: there is a way back only where the old one reads its data."""
        served = super().undo(number, seconds)
        if self.rig.server == self.other and servers.can_read(self.old, self.other):
            self.end_server()
            self.rig.use(self.old.path)
            return (*served, *super().undo(number, seconds))
        return served


class ServerDowngrade(Moved):
    """An older server is asked to take data over that it cannot read.

    Twice: by a `sturdis up` of a copy, and on the data itself, without the record of who wrote it,
    so that only the guard stands before it.

    `turned_away`: how often it was refused for its version. `untold`: how often it was let at the
    data. `changed_files`: files that were not as before when it had been asked. `unmet`: what it
    was asked for failed for another reason.
    """

    def __init__(self, to: str, parts: Parts) -> None:
        super().__init__(to, parts)
        self.counted.update(turned_away=0, untold=0, changed_files=0, unmet=0)

    def fits(self, other: Server) -> bool:
        """Tell whether it cannot read what the server at hand writes."""
        return not servers.can_read(other, self.old)

    def wanted(self) -> str:
        """Say so."""
        return "server on this machine that does not read all data of"

    def inject(self, number: int) -> Sequence[Event]:
        """Have the base written in the newer format, stop, and ask for the older server."""
        other = self.other
        self.rig.call("BGREWRITEAOF")
        self.counted["unmet"] += not come(self._is_rewritten, REWRITTEN_WITHIN)
        self.end_server()
        copy = self.rig.data.parent / f"asked-{number}"
        shutil.copytree(self.rig.data, copy)
        with self._seeing_changes(copy):
            self._count(up(other.path, copy))
        (self.rig.data / data_folder.RECORD).unlink()
        with self._seeing_changes(self.rig.data):
            self._count(self._start(other))
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server that wrote the data."""
        if self.down:
            self.rig.use(self.old.path)
        return super().undo(number, seconds)

    def _count(self, told: str) -> None:
        figure = {REFUSED: "turned_away", "": "untold"}.get(told, "unmet")
        self.counted[figure] += 1

    @contextmanager
    def _seeing_changes(self, folder: Path) -> Iterator[None]:
        before = files_in(folder)
        yield
        self.counted["changed_files"] += len({path for path, _ in before ^ files_in(folder)})

    def _start(self, other: Server) -> str:
        """Start it; give the error's code, empty: it was let at the data."""
        try:
            self.rig.use(other.path)
            self.rig.start(wait=False)
        except DataError as error:
            return error.code
        self.rig.end_all()
        return ""

    def _is_rewritten(self) -> bool:
        info = self.rig.info()
        state = info.get("aof_rewrite_in_progress"), info.get("aof_rewrite_scheduled")
        return state == ("0", "0") and self.rig.increment().name != "appendonly.aof.1.incr.aof"


def up(server: str, data: Path) -> str:
    """Run `sturdis up` with a server on a data folder; give its error's code, empty: it served.

    Raises:
        DrillError: `drill.not_served`: it neither served nor refused in time.
    """
    command = [sys.executable, "-m", "sturdis", "up", "--data", str(data), "--server", server]
    command += ["--port", "0", "--metrics-port", "0", "--", sys.executable, "-c", ""]
    environ = {name: value for name, value in os.environ.items() if name != "STURDIS_SPEC"}
    try:
        ended = subprocess.run(
            command, cwd=data.parent, env=environ, capture_output=True, text=True, check=False,
            timeout=ANSWERED_WITHIN,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DrillError(
            "drill.not_served",
            f"sturdis up neither served nor refused {data}",
            why=f"not within {ANSWERED_WITHIN:g} s",
            do=f"sturdis up --data {data} --server {server}",
        ) from error
    code = ERROR.search(ended.stderr)
    return code[1] if code else "" if not ended.returncode else f"status {ended.returncode}"


def files_in(folder: Path) -> set[tuple[str, bytes]]:
    """Give the path and content of each file below a data folder, locks left out."""
    locks = {data_folder.LOCK, data_folder.UP_LOCK}
    found = (one for one in folder.rglob("*") if one.is_file() and one.name not in locks)
    return {(str(one.relative_to(folder)), one.read_bytes()) for one in found}


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case version.ServerUpgrade(to=to):
            return ServerUpgrade(to, parts)
        case version.ServerDowngrade(to=to):
            return ServerDowngrade(to, parts)
    return None
