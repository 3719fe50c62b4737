"""The images that the cluster's nodes get. Docs: docs/cluster-tier.md says where they differ.

A tag is the version of the program that is in the image, and that is checked.
"""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sturdis.adapters.local import binaries as servers
from tests.cluster.machine import archives, python_image
from tests.cluster.machine.archives import Config, Layer
from tests.cluster.machine.places import CACHE, ROOT, TRIXIE, MachineError, key_of

PAUSE = "cluster.test/pause:1"
COREDNS = "cluster.test/coredns:1"
CLIENT = "cluster.test/client:1"
NODE = "cluster.test/bullmq-node:1"
PYTHON = "cluster.test/bullmq-python:1"
REDIS = "docker.io/library/redis:8.0.2"
OLD_REDIS = "docker.io/library/redis:7.0.15"
VALKEY = "docker.io/valkey/valkey:9.1.2"
EXPORTER = "docker.io/oliver006/redis_exporter:v1.69.0"

DEBIAN = (
    "coreutils", "dash", "diffutils", "findutils", "grep", "gzip", "mawk", "sed", "tar",
)  # fmt: skip
"""Packages whose programs the server images have, as those on Debian's slim image do."""
REDIS_NAMES = ("redis-server", "redis-cli", "redis-check-aof", "redis-check-rdb", "redis-sentinel")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
SERVER_USER = 999
PACKAGES = ROOT / "examples/bullmq/node_modules"


@dataclass(frozen=True)
class Image:
    """An image: what is put into it, and the files by which a changed one is known."""

    name: str
    config: Config
    fill: Callable[[Layer], None]
    inputs: Sequence[Path]

    @property
    def archive(self) -> Path:
        """Where its archive is kept, whether it is made or not."""
        recipe = (Path(archives.__file__), Path(__file__))
        found = [f"{one} {one.stat().st_size} {one.stat().st_mtime_ns}" for one in self.inputs]
        key = key_of([*(one.read_bytes() for one in recipe), "\n".join(found).encode()])
        return CACHE / "images" / f"{re.sub('[/:]', '-', self.name)}-{key}.tar"


def make(say: Callable[[str], None], binaries: Path | None = None) -> list[Path]:
    """Make the archives that are not there yet and give all, the first needed first.

    Args:
        say: Told of each image that is made.
        binaries: Where CoreDNS was built; None: only what the tests run, for a user's cluster.

    Raises:
        MachineError: A program is not the version that the image is named for.
    """
    made = []
    for image in [*(_of_the_cluster(binaries) if binaries else ()), *_of_the_tests()]:
        path = image.archive
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write(image, path)
            say(f"made {image.name}, {path.stat().st_size / 1e6:.0f} MB")
        made.append(path)
    if binaries:
        for other in set((CACHE / "images").iterdir()) - set(made):
            other.unlink()
    return made


def _write(image: Image, path: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent) as layer:
        with tarfile.open(fileobj=layer, mode="w") as tar:
            image.fill(Layer(tar))
        layer.flush()
        archives.write(path, image.name, Path(layer.name), image.config)


def _of_the_cluster(binaries: Path) -> list[Image]:
    """What a node needs itself, the one that it starts pods with first."""
    busybox, coredns = _found("busybox"), binaries / "coredns"
    pause = Config(["/bin/sleep", "2147483647"], user="65535")
    return [
        Image(PAUSE, pause, _busybox, [busybox]),
        Image(COREDNS, Config(["/coredns"]), lambda layer: layer.program("coredns", coredns),
              [coredns]),
    ]  # fmt: skip


def _of_the_tests() -> list[Image]:
    exporter = TRIXIE / "root/usr/bin/prometheus-redis-exporter"
    valkey = Path(servers.find_embedded() or "/missing/valkey-server")
    return [
        Image(REDIS, _server("redis-server"), _trixie_redis, [TRIXIE / "packages"]),
        Image(OLD_REDIS, _server("redis-server"), _own_redis, [_found("redis-server")]),
        Image(VALKEY, _server("valkey-server"), lambda layer: _valkey(layer, valkey), [valkey]),
        Image(EXPORTER, Config(["/redis_exporter"], user="59000:59000"),
              lambda layer: layer.program("redis_exporter", exporter), [exporter]),
        Image(NODE, Config(command=["node"], user="1000:1000", folder="/app"), _bullmq,
              [_found("node"), ROOT / "examples/bullmq/package-lock.json"]),
        Image(PYTHON, Config(command=["python3"], user="1000:1000"), _python,
              [_found("busybox"), *python_image.inputs()]),
        Image(CLIENT, Config(command=["sh"], user="1000:1000"), _client,
              [_found("busybox"), _found("curl"), _found("redis-cli")]),
    ]  # fmt: skip


def _server(program: str) -> Config:
    return Config(command=[program], folder="/data")


def _found(name: str) -> Path:
    return Path(shutil.which(name) or f"/missing/{name}")


def _users(layer: Layer) -> None:
    user = f"redis:x:{SERVER_USER}:{SERVER_USER}::/data:/usr/sbin/nologin\n"
    layer.text("etc/passwd", f"root:x:0:0::/:/bin/sh\n{user}")
    layer.text("etc/group", f"root:x:0:\nredis:x:{SERVER_USER}:\n")
    layer.text("etc/nsswitch.conf", "hosts: files dns\n")
    layer.folder("data", owner=SERVER_USER)


def _busybox(layer: Layer) -> None:
    """A shell and busybox' small programs: where no Debian image is stood in for."""
    busybox = _found("busybox")
    layer.program("usr/bin/busybox", busybox)
    for name in subprocess.check_output([busybox, "--list"], text=True).split():
        layer.link(f"usr/bin/{name}", "busybox")


def _debian(layer: Layer) -> None:
    """What a server image of Debian has beside the server: dash and the small programs."""
    listed = subprocess.check_output(["dpkg-query", "--listfiles", *DEBIAN], text=True)
    for path in sorted(listed.splitlines()):
        inside = archives.merged(path)
        if re.fullmatch(r"usr/s?bin/[^/]+", inside) and os.access(path, os.X_OK):
            layer.program(inside, Path(path))
    layer.link("usr/bin/awk", "mawk")


def _trixie_redis(layer: Layer) -> None:
    """Redis 8.0 with its own libc at the usual place; the small programs run on that as well."""
    root = TRIXIE / "root"
    _is_version(REDIS, TRIXIE / "bin/redis-server")
    for library in sorted((root / LIBRARIES).glob("*.so*")):
        layer.file(f"{LIBRARIES}/{library.name}", library)
    layer.link("usr/lib64/ld-linux-x86-64.so.2", f"/{LIBRARIES}/ld-linux-x86-64.so.2")
    layer.file("usr/local/bin/redis-cli", root / "usr/bin/redis-cli")
    for name in REDIS_NAMES:
        layer.file(f"usr/local/bin/{name}", root / "usr/bin/redis-server")
    _users(layer)
    _debian(layer)


def _own_redis(layer: Layer) -> None:
    """This machine's own Redis: Debian 12's."""
    _is_version(OLD_REDIS, _found("redis-server"))
    layer.program("usr/local/bin/redis-cli", _found("redis-cli"))
    for name in REDIS_NAMES:
        layer.program(f"usr/local/bin/{name}", _found("redis-server"))
    _users(layer)
    _debian(layer)


def _valkey(layer: Layer, server: Path) -> None:
    """The embedded Valkey, and for a command line this machine's redis-cli."""
    _is_version(VALKEY, server)
    layer.program("usr/local/bin/valkey-cli", _found("redis-cli"))
    layer.program("usr/local/bin/valkey-server", server)
    for name in REDIS_NAMES:
        valkey = name.replace("redis", "valkey")
        layer.link(f"usr/local/bin/{valkey}", "valkey-server")
        layer.link(f"usr/local/bin/{name}", valkey)
    _users(layer)
    _debian(layer)


def _bullmq(layer: Layer) -> None:
    layer.program("usr/local/bin/node", _found("node"))
    layer.tree("app/node_modules", PACKAGES)
    layer.text("etc/nsswitch.conf", "hosts: files dns\n")
    _busybox(layer)


def _python(layer: Layer) -> None:
    python_image.fill(layer)
    layer.text("etc/nsswitch.conf", "hosts: files dns\n")
    _busybox(layer)


def _client(layer: Layer) -> None:
    layer.program("usr/local/bin/redis-cli", _found("redis-cli"))
    layer.program("usr/local/bin/curl", _found("curl"))
    layer.text("etc/nsswitch.conf", "hosts: files dns\n")
    _busybox(layer)


def _is_version(image: str, program: Path) -> None:
    version = image.rpartition(":")[2]
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if f"v={version} " not in told.stdout:
        raise MachineError(
            f"the image {image} cannot be made",
            why=f"{program} says {told.stdout.strip() or told.stderr.strip()}",
            do="name its version in tests/cluster/machine/images.py and tests/cluster/sturdis.yaml",
        )
