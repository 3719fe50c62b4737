"""The bare server on the redis.conf that `up` would write: what the figures are held against."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.servers import wait_until

from sturdis.adapters.local import ports, probe
from sturdis.core.address import Address
from sturdis.core.render.redis_conf import Place, redis_conf
from sturdis.core.spec import Spec

RESOLUTION = 0.001
"""Seconds between two looks for the first PONG, which start-up is measured to."""


@dataclass(frozen=True)
class Bare:
    """A server that runs alone, in a folder of its own."""

    port: int
    pid: int
    folder: Path

    @property
    def address(self) -> Address:
        """Where it answers."""
        return Address(ports.LOOPBACK, self.port)


@contextlib.contextmanager
def serving(path: str, spec: Spec | None = None) -> Iterator[Bare]:
    """Run the server at `path` from its first PONG until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        port = ports.claim(0, option="")
        conf = Path(folder) / "redis.conf"
        conf.write_text(redis_conf(spec or Spec(), Place(folder, ports.LOOPBACK, port)))
        with subprocess.Popen([path, str(conf)], stdout=subprocess.DEVNULL) as server:
            try:
                wait_until(lambda: answers(port), "PONG", seconds=60, every=RESOLUTION)
                yield Bare(port, server.pid, Path(folder))
            finally:
                server.terminate()


def answers(port: int) -> bool:
    """Tell whether a server on this machine answers PONG."""
    try:
        return probe.ask(ports.LOOPBACK, port) == "+PONG"
    except OSError:
        return False
