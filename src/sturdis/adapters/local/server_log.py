"""The log that `up` keeps of its server."""

from pathlib import Path

from sturdis.adapters.local.data_folder import LOG

BYTES = 1 << 20
"""Of its end; some 10,000 lines."""


def end(folder: Path) -> str:
    """Give the end of the log in a data folder; nothing where none may be read."""
    try:
        with (folder / LOG).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
