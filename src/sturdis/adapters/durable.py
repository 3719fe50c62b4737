"""Forcing to the disk what a power cut may not take back."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write the file `path`, all of it on the disk; its name is there after `sync` of its folder.

    Raises:
        OSError: The system refused.
    """
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


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
