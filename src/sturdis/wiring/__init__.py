"""The one place that joins flows with adapters, for the command line and for library users.

    from sturdis import wiring
    report = wiring.verify("redis://127.0.0.1:6379")

A module here is imported when a name of it is first asked for, and adapters where they are used: a
verb pays only for what it needs.
"""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sturdis.wiring.clusters import apply
    from sturdis.wiring.doctoring import doctor, heal
    from sturdis.wiring.drill_reports import report_drill
    from sturdis.wiring.drills import drill, list_drills, run_drills, undo_drills
    from sturdis.wiring.files import read_new_password, read_password, write_report
    from sturdis.wiring.growing import GROW_SECONDS, grow, sized
    from sturdis.wiring.local_run import up
    from sturdis.wiring.rendering import render, rendered_objects
    from sturdis.wiring.repairing import repair
    from sturdis.wiring.spec_files import load_spec, load_spec_file
    from sturdis.wiring.targets import call, copy, resolve, verify

__all__ = [
    "GROW_SECONDS",
    "apply",
    "call",
    "copy",
    "doctor",
    "drill",
    "grow",
    "heal",
    "list_drills",
    "load_spec",
    "load_spec_file",
    "read_new_password",
    "read_password",
    "render",
    "rendered_objects",
    "repair",
    "report_drill",
    "resolve",
    "run_drills",
    "sized",
    "undo_drills",
    "up",
    "verify",
    "write_report",
]

_HOMES: Mapping[str, tuple[str, ...]] = {
    "clusters": ("apply",),
    "doctoring": ("doctor", "heal"),
    "drill_reports": ("report_drill",),
    "drills": ("drill", "list_drills", "run_drills", "undo_drills"),
    "files": ("read_new_password", "read_password", "write_report"),
    "growing": ("GROW_SECONDS", "grow", "sized"),
    "local_run": ("up",),
    "rendering": ("render", "rendered_objects"),
    "repairing": ("repair",),
    "spec_files": ("load_spec", "load_spec_file"),
    "targets": ("call", "copy", "resolve", "verify"),
}
"""Module here to its names above; a test holds the two together."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
