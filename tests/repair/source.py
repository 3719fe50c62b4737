"""Folders to damage: written by BullMQ on a real server, with rewrites that end and that break off.

In each are jobs of every state in three queues, flows, and a plain cache in another database.
"""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sturdis.adapters.drill import load_process
from sturdis.core.aof import manifest as manifests
from sturdis.core.aof.guard import FOLDER, MANIFEST
from sturdis.core.aof.manifest import Manifest
from tests import tiers
from tests.integration.servers import wait_until
from tests.repair import obeying, orders, serving
from tests.repair.serving import Held, Serving


@dataclass(frozen=True)
class Shape:
    """How a folder comes to be."""

    name: str
    language: str
    preamble: str
    """Whether the base is an RDB: yes or no."""
    rewrites: tuple[bool, ...]
    """What follows each phase but the last: a rewrite that ends, or one that is killed."""

    def of(self, language: str) -> "Shape":
        """Give the same shape, written by the BullMQ of another language."""
        return dataclasses.replace(self, language=language)


SHAPES = (
    Shape("rdb-1", "python", "yes", (True,)),
    Shape("aof-1", "python", "no", (True,)),
    Shape("new-1", "python", "yes", ()),
    Shape("rdb-3", "python", "yes", (True, False, False)),
    Shape("node-2", "node", "yes", (True, False)),
)


@dataclass(frozen=True)
class Source:
    """A folder that is whole, and what a server holds that loads it."""

    shape: str
    server: str
    files: Mapping[str, bytes]
    held: Held

    @property
    def manifest(self) -> Manifest:
        """What leads its files."""
        return manifests.parse(self.files[MANIFEST])

    @property
    def increments(self) -> list[str]:
        """Their names, in the order of the manifest."""
        return [os.fsdecode(one.name) for one in self.manifest.increments]

    @property
    def base(self) -> str:
        """The base's name."""
        assert self.manifest.base is not None
        return os.fsdecode(self.manifest.base.name)


def write(server: str, shape: Shape, seed: int, folder: Path) -> Source:
    """Let BullMQ write a folder of this shape with a server."""
    data = folder / "data"
    data.mkdir(parents=True)
    settings = ("--aof-use-rdb-preamble", shape.preamble, "--auto-aof-rewrite-percentage", "0")
    with serving.serving(server, data, *settings) as life:
        assert isinstance(life, Serving), life
        for number, ends in enumerate((*shape.rewrites, None)):
            _obey(shape.language, life.socket, seed, number)
            if ends is not None:
                _rewrite(life, ends=ends)
        parts = data / FOLDER
        wait_until(lambda: not _pending(life), "what was written")
    files = {path.name: path.read_bytes() for path in parts.iterdir() if "temp-" not in path.name}
    with serving.serving(server, data) as life:
        assert isinstance(life, Serving), life
        held = life.held()
    shutil.rmtree(folder)
    return Source(shape.name, server, files, held)


def _obey(language: str, socket: str, seed: int, number: int) -> None:
    given = list(orders.phase(seed, number))
    if language == "python":
        obeying.obey(socket, given)
        return
    program = Path(__file__).with_name("obeying.mjs")
    node, _load, modules = load_process.node(tiers.ROOT / "examples/bullmq")
    command = [node, str(program), modules, socket]
    subprocess.run(command, input=json.dumps(given).encode(), check=True, capture_output=True)


def _rewrite(life: Serving, *, ends: bool) -> None:
    """Rewrite the file; the child that does it is let end, or killed as the kernel does."""
    if not ends:
        life.link.config_set("rdb-key-save-delay", 10_000_000)
    life.link.bgrewriteaof()
    if not ends:
        server = int(life.link.info("server")["process_id"])
        (child,) = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
    wait_until(lambda: not _rewriting(life), "the rewrite's end")
    if not ends:
        life.link.config_set("rdb-key-save-delay", 0)


def _rewriting(life: Serving) -> bool:
    told = life.link.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


def _pending(life: Serving) -> int:
    return int(life.link.info("persistence")["aof_buffer_length"])
