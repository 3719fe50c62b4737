"""Faults between a rig's server and its clients."""

import contextlib
import socket
import time
from collections import Counter
from collections.abc import Sequence
from enum import Enum

from sturdis.adapters.drill import ledger_log
from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.faults.firewall import Firewall
from sturdis.adapters.faults.on_rig import OnRig, Parts, come
from sturdis.adapters.faults.proxy import Proxy
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.drill.events import Acknowledged, Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import network
from sturdis.core.errors import DrillError, SturdisError

SERVES_WITHIN = 10.0
"""Longest wait for the server to let clients in again, or for one of before to be served while a
storm lasts, in seconds."""

TURNED_AWAY = b"-ERR max number of clients"

CONNECT_SECONDS = 5.0

ALMOST = 0.9
"""A round trip has to take so much of what it is delayed by: clocks are read a moment early."""


class Proxied(OnRig):
    """Clients come through a proxy."""

    def __init__(self, parts: Parts, delay: float = 0.0) -> None:
        super().__init__(parts)
        self.proxy = Proxy(parts.rig.address.port, delay)
        self.entry = Address(parts.rig.address.host, self.proxy.port)
        """Where clients are to connect."""

    def close(self) -> None:
        """Let no client in any more."""
        self.proxy.close()


class CutConnections(Proxied):
    """Replies are swallowed, and then all connections cut."""

    def __init__(self, options: network.CutConnections, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options

    def inject(self, number: int) -> Sequence[Event]:
        """Swallow and cut, so many times."""
        del number
        before = self.proxy.swallowed, self.proxy.cut_off
        for cut in range(self._options.cuts):
            if cut:
                CLOCK.wait(self._options.pause / 1000)
            self.proxy.swallow()
            CLOCK.wait(self._options.swallow / 1000)
            self.proxy.cut()
        self.counted["swallowed_bytes"] += self.proxy.swallowed - before[0]
        self.counted["cut_connections"] += self.proxy.cut_off - before[1]
        self.counted["unmet"] += self.proxy.swallowed == before[0]
        return ()


class SlowLink(Proxied):
    """All that is sent takes longer."""

    def __init__(self, options: network.SlowLink, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options

    def inject(self, number: int) -> Sequence[Event]:
        """Delay for so long."""
        del number
        self.proxy.delay = self._options.delay / 1000
        began = time.monotonic()
        with Link(self.entry) as link:
            link.call("PING")
        self.counted["unmet"] += time.monotonic() - began < ALMOST * 2 * self.proxy.delay
        CLOCK.wait(self._options.seconds)
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Delay no more."""
        self.proxy.delay = 0.0
        return super().undo(number, seconds)


class Partition(OnRig):
    """The kernel drops all packets to and from the server."""

    def __init__(self, options: network.Partition, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options
        self._wall = Firewall(parts.rig.address.port, parts.journal)

    def inject(self, number: int) -> Sequence[Event]:
        """Drop packets for so long."""
        del number
        self._wall.drop()
        CLOCK.wait(self._options.seconds)
        dropped = self._wall.dropped()
        self.counted["dropped_packets"] += dropped
        self.counted["unmet"] += not dropped
        return ()

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Let packets pass, and wait until the server answers."""
        del number
        self._wall.let_pass()
        self.rig.wait_until_served(seconds)
        return ()


class Answer(Enum):
    """What one client of a storm is told."""

    LET_IN = "let in"
    REFUSED = "refused"
    """In words."""
    RESET = "reset"
    """Its connection ended before a word was read."""
    SILENT = "silent"
    """Nothing came: the server hangs."""


class ClientStorm(OnRig):
    """Clients connect until the server takes no more.

    `silent_connections` were neither let in nor refused within `CONNECT_SECONDS`;
    `reset_connections` were refused without a word that could be read; `unserved` counts the storms
    in which no add of those who were there before was acknowledged.
    """

    def __init__(self, options: network.ClientStorm, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options
        self._storm = contextlib.ExitStack()
        figures = ("refused_connections", "reset_connections", "silent_connections", "unserved")
        self.counted.update(dict.fromkeys(figures, 0))

    def inject(self, number: int) -> Sequence[Event]:
        """Connect until so many are turned away, and stay for a while."""
        del number
        told: Counter[Answer] = Counter()
        for _client in range(self._options.files + self._options.more):
            told[self._connect()] += 1
            turned_away = told[Answer.REFUSED] + told[Answer.RESET]
            if told[Answer.SILENT] or turned_away >= self._options.more:
                break
        self.counted["refused_connections"] += told[Answer.REFUSED]
        self.counted["reset_connections"] += told[Answer.RESET]
        self.counted["silent_connections"] += told[Answer.SILENT]
        self.counted["unmet"] += told.total() == told[Answer.LET_IN]
        full = CLOCK.now()
        CLOCK.wait(self._options.seconds)
        self.counted["unserved"] += not come(lambda: self._has_served(full), SERVES_WITHIN)
        return ()

    def _has_served(self, since: int) -> bool:
        """Tell whether the load, where there is one, was served since then (ms since 1970)."""
        told = ledger_log.read(self.log.folder).events
        adds = [one.at for one in told if isinstance(one, Acknowledged)]
        return not adds or max(adds) >= since

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Go away, and see that new clients are let in.

        Raises:
            DrillError: `drill.not_served`: they are not.
        """
        self._storm.close()
        if not come(self._lets_in, min(seconds, SERVES_WITHIN)):
            raise DrillError(
                "drill.not_served",
                "the server lets no client in once the storm is over",
                why=f"not within {SERVES_WITHIN:g} s",
                do="read the server's log in the run's folder: rig/data/server.log",
            )
        self.counted["rejected_connections"] = int(self.rig.info().get("rejected_connections", "0"))
        return super().undo(number, seconds)

    def _connect(self) -> Answer:
        """Connect once more, and stay."""
        client = self._storm.enter_context(
            socket.create_connection((self.rig.address.host, self.rig.address.port))
        )
        client.settimeout(CONNECT_SECONDS)
        return answer(client)

    def _lets_in(self) -> bool:
        try:
            return self.rig.call("PING") == b"PONG"
        except SturdisError:
            return False


def answer(client: socket.socket) -> Answer:
    """Ask a server by a connection just made, whose timeout is set, and say what came."""
    try:
        client.sendall(b"PING\r\n")
        came = client.recv(100)
    except TimeoutError:
        return Answer.SILENT
    except OSError:
        return Answer.RESET
    if came.startswith(TURNED_AWAY):
        return Answer.REFUSED
    return Answer.LET_IN if came else Answer.RESET


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case network.CutConnections():
            return CutConnections(options, parts)
        case network.SlowLink():
            return SlowLink(options, parts)
        case network.Partition():
            return Partition(options, parts)
        case network.ClientStorm():
            return ClientStorm(options, parts)
    return None
