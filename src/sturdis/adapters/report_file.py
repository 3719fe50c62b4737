"""A file that holds a whole report or the one before it, never a part."""

import os
from contextlib import suppress
from pathlib import Path

from sturdis.core.errors import OutputError


def write(path: str, text: str) -> None:
    """Write `text` as the file at `path`, in UTF-8.

    What is no regular file, such as a pipe or /dev/stdout, is written to as it is.

    Raises:
        OutputError: `output.file`.
    """
    try:
        named = Path(path)
        if path.startswith("/dev/") or (named.exists() and not named.is_file()):
            named.write_text(text, encoding="utf-8")
        else:
            _replace(Path(os.path.realpath(path)), text)  # a link stays a link
    except (OSError, ValueError) as error:
        raise OutputError(
            "output.file",
            f"the file {path!r} could not be written",
            why=getattr(error, "strerror", None) or str(error),
            do="name a file in a folder that is there and that you can write to",
        ) from error


def _replace(place: Path, text: str) -> None:
    beside = place.with_name(f".{place.name}.{os.getpid()}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(place)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
