"""Another version of the server, started on the data of a rig."""

from collections.abc import Sequence

from sturdis.adapters.faults.on_rig import OnRig, Parts, expect
from sturdis.adapters.local import binaries
from sturdis.core import servers
from sturdis.core.aof import guard as guards
from sturdis.core.drill.events import Event, Served
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import version
from sturdis.core.errors import DataError, DrillError
from sturdis.core.servers import Server

REWRITTEN_WITHIN = 30.0
"""Longest wait for a rewrite, in seconds."""


class Moved(OnRig):
    """The server is ended, and another one is started on its data."""

    def __init__(self, to: str, parts: Parts) -> None:
        super().__init__(parts)
        self.old = parts.rig.server
        self.to = to
        self.other: Server | None = None

    def prepare(self) -> None:
        """Find the other server.

        Raises:
            DrillError: `drill.lacking`: there is none on this machine.
        """
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
        self.other = max(fitting, key=lambda one: (one.product == self.old.product, one.version))

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
    """A newer server takes the data over, and gives it back where the old one reads it then."""

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
        self.end_server()
        if self.other is not None:
            self.rig.use(self.other.path)
        served = self._start()
        self.counted["moved"] += 1
        return (served,)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Stay with the newer one: there is a way back only where the old one reads its data."""
        served = super().undo(number, seconds)
        if self.other is not None and servers.can_read(self.old, self.other):
            self.end_server()
            self.rig.use(self.old.path)
            return (*served, *super().undo(number, seconds))
        return served

    def _start(self) -> Served:
        served = self.rig.start()
        self.down = False
        return served


class ServerDowngrade(Moved):
    """An older server is asked to take data over that it cannot read.

    `untold`: rounds in which it was let at the data. `changed_files`: files that were not as before
    when it had been refused.
    """

    def __init__(self, to: str, parts: Parts) -> None:
        super().__init__(to, parts)
        self.counted.update(untold=0, changed_files=0)

    def fits(self, other: Server) -> bool:
        """Tell whether it cannot read what the server at hand writes."""
        return not servers.can_read(other, self.old)

    def wanted(self) -> str:
        """Say so."""
        return "server on this machine that does not read all data of"

    def inject(self, number: int) -> Sequence[Event]:
        """Have the base written in the newer format, stop, and ask for the older server."""
        del number
        self.rig.call("BGREWRITEAOF")
        expect(self._is_rewritten, REWRITTEN_WITHIN, "a rewrite")
        self.end_server()
        before = self._files()
        try:
            if self.other is not None:
                self.rig.use(self.other.path)
            self.counted["untold"] += 1
        except DataError:
            self.counted["refused"] += 1
        self.counted["changed_files"] += len(before ^ self._files())
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server that wrote the data."""
        if self.down:
            self.rig.use(self.old.path)
        return super().undo(number, seconds)

    def _is_rewritten(self) -> bool:
        info = self.rig.info()
        state = info.get("aof_rewrite_in_progress"), info.get("aof_rewrite_scheduled")
        return state == ("0", "0") and self.rig.increment().name != "appendonly.aof.1.incr.aof"

    def _files(self) -> set[tuple[str, bytes]]:
        parts = self.rig.data / guards.FOLDER
        return {(path.name, path.read_bytes()) for path in parts.iterdir()}


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case version.ServerUpgrade(to=to):
            return ServerUpgrade(to, parts)
        case version.ServerDowngrade(to=to):
            return ServerDowngrade(to, parts)
    return None
