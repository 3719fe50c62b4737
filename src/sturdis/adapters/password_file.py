"""A password read from a file, so that no command line and no list of processes shows it."""

import getpass
import os
import stat
import sys
from dataclasses import dataclass, field
from typing import BinaryIO

from sturdis.core.errors import AccessError

ASKED = "-"
"""Named as the file, it stands for standard input; a terminal is asked without showing it."""

MAX_BYTES = 64 << 10
"""Longest password file that is read, in bytes: room for any password, and an end to /dev/zero."""


@dataclass(frozen=True)
class PasswordFile:
    """What a password file held, and whether every user of this machine could read it."""

    password: str = field(repr=False)
    """Bytes that are not UTF-8 are kept as surrogate escapes."""
    readable_by_all: bool


def read(path: str) -> PasswordFile:
    """Read the password in the file `path`; the end of its last line does not belong to it.

    Raises:
        AccessError: `access.unreadable`.
    """
    try:
        if path != ASKED:
            with open(path, "rb") as file:  # noqa: PTH123  a Path would take "" for this folder
                return _of(path, file)
        if sys.stdin.isatty():
            return PasswordFile(getpass.getpass("password: "), readable_by_all=False)
        return _of(path, sys.stdin.buffer)
    except (OSError, EOFError) as error:
        raise _unusable(path, getattr(error, "strerror", None) or "nothing was typed") from error


def read_printable(path: str) -> str:
    """Read a password that redis.conf can hold and people can type.

    Raises:
        AccessError: `access.unreadable`.
    """
    password = read(path).password
    if not password.isprintable():
        raise _unusable(path, "it holds characters that cannot be typed")
    return password


def _of(path: str, file: BinaryIO) -> PasswordFile:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _unusable(path, f"it is longer than {MAX_BYTES >> 10} KiB")
    password = content.removesuffix(b"\n").removesuffix(b"\r")
    if not password:
        raise _unusable(path, "it is empty")
    return PasswordFile(
        password.decode(errors="surrogateescape"), readable_by_all=_readable_by_all(file)
    )


def _readable_by_all(file: BinaryIO) -> bool:
    mode = os.fstat(file.fileno()).st_mode
    return stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)


def _unusable(path: str, why: str) -> AccessError:
    return AccessError(
        "access.unreadable",
        f"there is no password in {path!r}",
        why=why,
        do="write the password alone into a file that only you can read, and name that",
    )
