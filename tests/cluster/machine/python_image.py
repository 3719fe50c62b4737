"""The image of the Python BullMQ: this interpreter, its library, and what BullMQ needs beside it.

Programs that are run in it come with the pod: an image does not change with the source.
"""

import importlib.metadata
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.machine.archives import Layer

NAME = "cluster.test/bullmq-python:1"
PREFIX = f"usr/local/lib/python{sys.version_info.major}.{sys.version_info.minor}"
LIBRARY = Path(sysconfig.get_path("stdlib"))
LEFT_OUT = {"__pycache__", "ensurepip", "idlelib", "site-packages", "test", "tkinter"}
"""Folders of the library that nothing here imports."""
PACKAGES = (
    "bullmq", "croniter", "hiredis", "msgpack", "msgspec", "python-dateutil", "pytz", "redis",
    "semver", "typing_extensions",
)  # fmt: skip
"""What BullMQ, redis-py and the ledger's log import; a package that is missing ends the load."""


def inputs() -> list[Path]:
    """Give the files by which a changed image is known."""
    return [Path(sys.executable).resolve(), *(_record(name) for name in PACKAGES)]


def fill(layer: Layer) -> None:
    """Put in the interpreter as /usr/local/bin/python3, where it finds its library by itself."""
    layer.program("usr/local/bin/python3", Path(sys.executable).resolve())
    for path in _of_the_library():
        _add(layer, f"{PREFIX}/{path.relative_to(LIBRARY)}", path)
    for name in PACKAGES:
        for file in importlib.metadata.files(name) or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                _add(layer, f"{PREFIX}/site-packages/{file}", Path(str(file.locate())))
    layer.text("etc/nsswitch.conf", "hosts: files dns\n")


def _record(name: str) -> Path:
    files = importlib.metadata.files(name) or []
    (record,) = (file for file in files if file.name == "RECORD")
    return Path(str(record.locate()))


def _of_the_library() -> Iterator[Path]:
    for path in sorted(LIBRARY.rglob("*")):
        inside = path.relative_to(LIBRARY).parts
        if path.is_file() and not LEFT_OUT & {*inside} and not inside[0].startswith("config-"):
            yield path


def _add(layer: Layer, inside: str, host: Path) -> None:
    """Add a file, and the libraries of one that is a library itself."""
    if ".so" in host.suffixes:
        layer.program(inside, host)
    else:
        layer.file(inside, host)
