"""Files that verbs read a password from, and write a report to."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sturdis.adapters.password_file import PasswordFile


def read_password(path: str) -> "PasswordFile":
    """Read the password in the file `path`; `-` is standard input, and a terminal is asked.

    Raises:
        AccessError: `access.unreadable`.
    """
    from sturdis.adapters import password_file

    return password_file.read(path)


def read_new_password(path: Path) -> str:
    """Read the password that `up` is to demand: one that can be typed.

    Raises:
        AccessError: `access.unreadable`.
    """
    from sturdis.adapters import password_file

    return password_file.read_printable(str(path))


def write_report(path: str, text: str) -> None:
    """Write a report to the file `path`, whole or not at all.

    Raises:
        OutputError: `output.file`.
    """
    from sturdis.adapters import report_file

    report_file.write(path, text)
