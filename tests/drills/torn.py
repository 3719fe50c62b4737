"""An append-only file cut at any offset, and servers that start on it and are killed again."""

import contextlib
import itertools
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sturdis.adapters.local import binaries, data_folder, guard
from sturdis.core.render import start_script
from sturdis.core.render.start_script import Paths
from sturdis.core.servers import Server
from sturdis.core.spec import Spec
from tests import tiers
from tests.integration.running import running
from tests.integration.servers import wait_until
from tests.integration.shells import Shell

NAME = "appendonly.aof.1.incr.aof"
AT_ONCE = 4
"""Servers that run beside each other: more gain nothing on two cores."""

FORKING = threading.Lock()
"""Held while a process is made: until its exec it has all open files, and with them their locks."""

BULLMQ = tiers.ROOT / "examples/bullmq/roundtrip.py"

LAST = "redis.call('set', 'a', '1'); redis.call('set', 'half', 'done')"
"""What is written last: 15 bytes of MULTI, 60 of two commands, 14 of EXEC, so 88 offsets inside."""


@dataclass(frozen=True)
class Written:
    """What a server wrote: the folder of its append-only file, and the increment in it."""

    server: Server
    parts: Path
    increment: bytes

    @property
    def last(self) -> int:
        """The offset of the last transaction, which ends the file."""
        return self.increment.rindex(b"*1\r\n$5\r\nMULTI\r\n")


def write(server: str, folder: Path) -> Written:
    """Let BullMQ work on a server until its increment has 20 KB, and end it with `LAST`."""
    with running("--server", server, "--data", str(folder)) as up:
        increment = folder / "appendonlydir" / NAME
        while increment.stat().st_size < 20_000:
            environ = {"REDIS_URL": up.url}
            subprocess.run([sys.executable, BULLMQ], env=environ, check=True, capture_output=True)
        up.cli("eval", LAST, "0")
        wait_until(lambda: increment.read_bytes().endswith(b"EXEC\r\n"), "the last write")
    return Written(binaries.inspect(server), folder / "appendonlydir", increment.read_bytes())


class Life:
    """A server on a folder, from its start until it is killed."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self._process = process
        self._address = address

    def says(self, line: str) -> str:
        """Send an inline command and give the reply's last line."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(self._address)
            link.sendall(f"{line}\r\n".encode())
            reply = b""
            while not reply.endswith(b"\r\n") or (reply[:1] == b"$" and reply.count(b"\r\n") < 2):
                if reply == b"$-1\r\n":
                    break
                if not (part := link.recv(4096)):
                    raise ConnectionError("the server hung up")
                reply += part
        return reply.decode().split("\r\n")[-2]

    def serves(self) -> bool:
        """Tell whether it answers PONG.

        Raises:
            ChildProcessError: It has ended by itself.
        """
        if self._process.poll() is not None:
            raise ChildProcessError(self._process.returncode)
        with contextlib.suppress(OSError):
            return self.says("PING") == "+PONG"
        return False


class Torn:
    """A folder of its own whose increment ends at `cut`, perhaps with zero bytes behind."""

    def __init__(
        self, written: Written, cut: int, *, nuls: int, guarded: bool, shell: Shell | None = None
    ) -> None:
        self._written = written
        self._guarded = guarded
        self._shell = shell
        """Whether the guard is the start script of a pod, and who runs it."""
        self._home = Path(tempfile.mkdtemp(prefix="torn-", dir="/tmp"))
        self.data = self._home / "data"
        shutil.copytree(written.parts, self.data / "appendonlydir")
        (self.data / "appendonlydir" / NAME).write_bytes(written.increment[:cut] + bytes(nuls))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._home)

    @contextlib.contextmanager
    def life(self) -> Iterator[Life]:
        """Start a server, after the guard where there is one; kill it when the block ends."""
        if self._guarded and self._shell is None:
            with FORKING, closing(data_folder.open_folder(self.data)) as folder:
                guard.make_safe(folder, self._written.server)
        address = str(self._home / "s")
        settings = {
            "port": 0, "unixsocket": address, "dir": self.data, "save": "",
            "appendonly": "yes", "appendfsync": "always",
        }  # fmt: skip
        command = self._command(settings)
        environ = None if self._shell is None else {"PATH": self._shell.path}
        with FORKING:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environ)
        with process:
            try:
                life = Life(process, address)
                wait_until(life.serves, "PONG", seconds=30)
                yield life
            finally:
                process.kill()

    def _command(self, settings: Mapping[str, object]) -> list[str]:
        """Give what starts the server: its program, or the script that becomes it."""
        if self._shell is None:
            pairs = ((f"--{name}", str(value)) for name, value in settings.items())
            return [self._written.server.path, *itertools.chain(*pairs)]
        conf, script = self._home / "redis.conf", self._home / "start.sh"
        conf.write_text("".join(f'{name} "{value}"\n' for name, value in settings.items()))
        script.write_text(start_script.start_script(Spec(), Paths(str(self.data), str(conf))))
        return [*self._shell.command, str(script)]


def failed(cuts: Sequence[int], trial: Callable[[int], bool]) -> list[int]:
    """Give those cuts at which a trial was not passed, several tried at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        passed = pool.map(trial, cuts)
        return [cut for cut, kept in zip(cuts, passed, strict=True) if not kept]
