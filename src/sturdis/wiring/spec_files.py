"""The spec that a verb works by."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.core.errors import SpecError
from sturdis.core.spec import Spec

if TYPE_CHECKING:
    from sturdis.core.spec.file import SpecFile

SPEC_FILE = "sturdis.yaml"
"""The spec that is read when none is named."""

SPEC_VARIABLE = "STURDIS_SPEC"
"""Holds the path of the spec where none is named, for a whole shell."""


def load_spec(path: Path | None = None, environment: str | None = None) -> Spec:
    """Read the spec at `path`, else as STURDIS_SPEC says, else `sturdis.yaml` in this folder.

    Without any of them the defaults are given.

    Args:
        path: The file.
        environment: Which of its environments is meant; None: the base.

    Raises:
        SpecError: `spec.unreadable`, or `spec.invalid` with every problem and its line.
        UsageError: `usage`: there is no such environment.
    """
    path = path or _named_by_the_shell()
    if path is None and environment is None and not os.path.lexists(SPEC_FILE):
        return Spec()  # the usual case need not read YAML
    return load_spec_file(path).deployment(environment).spec


def load_spec_file(path: Path | None = None) -> "SpecFile":
    """Read all that the spec at `path` says: base, environments, and the lines of both.

    Raises:
        SpecError: `spec.unreadable`, or `spec.invalid` with every problem and its line.
    """
    from sturdis.core.spec import file as specfile

    path = path or _named_by_the_shell()
    if path is None:
        path = Path(SPEC_FILE)
        if not os.path.lexists(path):  # a link that leads nowhere is told of below
            return specfile.read("", source="the spec of the defaults")
    try:
        with path.open("rb") as file:
            content = file.read(specfile.MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if len(content) > specfile.MAX_BYTES:
        raise _unreadable(path, f"it is longer than {specfile.MAX_BYTES >> 10} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        why = f"line {line}: not UTF-8: {error.reason} at byte {error.start}"
        raise _unreadable(path, why) from error
    return specfile.read(text, source=str(path))


def _named_by_the_shell() -> Path | None:
    named = os.environ.get(SPEC_VARIABLE)
    return Path(named) if named else None


def _unreadable(path: Path, why: str) -> SpecError:
    return SpecError(
        "spec.unreadable",
        f"the spec {path} cannot be read",
        why=why,
        do="name another with --spec FILE; --spec /dev/null gives the defaults",
    )
