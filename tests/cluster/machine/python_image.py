"""The image of the Python BullMQ: this interpreter, its library, and what BullMQ needs beside it.

The load itself is copied into its pod: an image does not change with the source.
"""

import importlib.metadata
import importlib.util
import py_compile
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.machine.archives import Layer

LIBRARY = Path(sysconfig.get_path("stdlib"))
INSIDE = f"usr/local/lib/{LIBRARY.name}"
LEFT_OUT = {"__pycache__", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tkinter"}
"""Folders of the library that nothing here imports."""
PACKAGES = (
    "bullmq", "croniter", "hiredis", "msgpack", "msgspec", "python-dateutil", "pytz", "redis",
    "semver", "typing_extensions",
)  # fmt: skip
"""What BullMQ, redis-py and the ledger's log import."""


def inputs() -> list[Path]:
    """Give the files by which a changed image is known."""
    return [Path(__file__), Path(sys.executable).resolve(), *map(_record, PACKAGES)]


def fill(layer: Layer) -> None:
    """Put in the interpreter as /usr/local/bin/python3, where it finds its library by itself."""
    layer.program("usr/local/bin/python3", Path(sys.executable).resolve())
    with tempfile.TemporaryDirectory() as folder:
        for inside, path in (*_of_the_library(), *_of_the_packages()):
            if ".so" in path.suffixes:
                layer.program(inside, path)
            else:
                layer.file(inside, path)
            if path.suffix == ".py":
                _add_compiled(layer, inside, path, Path(folder))


def _add_compiled(layer: Layer, inside: str, path: Path, folder: Path) -> None:
    """Add what an import would compile anew in each pod, for seconds."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH  # files in an image have no times
    compiled = py_compile.compile(
        str(path), str(folder / "compiled"), f"/{inside}", invalidation_mode=mode, quiet=2
    )
    if compiled:
        layer.file(importlib.util.cache_from_source(inside), Path(compiled))


def _of_the_library() -> Iterator[tuple[str, Path]]:
    for path in sorted(LIBRARY.rglob("*")):
        inside = path.relative_to(LIBRARY)
        left_out = LEFT_OUT & {*inside.parts} or inside.parts[0].startswith("config-")
        if path.is_file() and not left_out:
            yield f"{INSIDE}/{inside}", path


def _of_the_packages() -> Iterator[tuple[str, Path]]:
    for name in PACKAGES:
        for file in importlib.metadata.files(name) or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                yield f"{INSIDE}/site-packages/{file}", Path(str(file.locate()))


def _record(name: str) -> Path:
    """Give the list of a package's files, which changes with its version."""
    files = importlib.metadata.files(name) or []
    (record,) = (file for file in files if file.name == "RECORD")
    return Path(str(record.locate()))
