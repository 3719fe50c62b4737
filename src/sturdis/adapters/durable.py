"""Forcing to the disk what a power cut may not take back, and reading what is left of it."""

import contextlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec

Value = TypeVar("Value")


def write(path: Path, content: bytes) -> None:
    """Write the file `path`, all of it on the disk; its name is there after `sync` of its folder.

    Raises:
        OSError: The system refused.
    """
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, kind: type[Value]) -> Value | None:
    """Read a value from JSON; None: it is not there, damaged, or not to be read."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(path.read_bytes(), type=kind)
    return None


def sync(path: Path) -> None:
    """Force a file to the disk, or which files are in a folder.

    Raises:
        OSError: The system refused.
    """
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
