"""The file of hooks: what a person lets a drill do to a cluster's nodes."""

from pathlib import Path

import msgspec

from sturdis.adapters.drill import yaml_file
from sturdis.core.drill import hooks
from sturdis.core.drill.hooks import NONE, Command, Hooks


def read(path: Path | None) -> Hooks:
    """Read the hooks; None: there are none.

    A program that is named by a path is taken from the folder of the file.

    Raises:
        DrillError: `drill.unreadable` or `drill.invalid`.
    """
    if path is None:
        return NONE
    do = "name a YAML file in UTF-8; docs/drills-cluster.md shows one"
    text = yaml_file.text(path, "file of hooks", do=do)
    told = hooks.parse(text, str(path))
    folder = path.resolve().parent
    given = {name: _placed(getattr(told, name), folder) for name in hooks.COMMANDS}
    return msgspec.structs.replace(told, **given)


def _placed(command: Command, folder: Path) -> Command:
    program = command[0] if command else ""
    return (str(folder / program), *command[1:]) if "/" in program else command
