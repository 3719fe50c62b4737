"""The one place that joins flows with adapters, for the command line and for library users.

    from sturdis import wiring
    report = wiring.verify("redis://127.0.0.1:6379")

Adapters are imported where they are used: a verb pays only for what it needs.
"""

from sturdis.wiring.clusters import apply
from sturdis.wiring.drills import kill9
from sturdis.wiring.files import read_new_password, read_password, write_report
from sturdis.wiring.growing import SECONDS as GROW_SECONDS
from sturdis.wiring.growing import grow, sized
from sturdis.wiring.local_run import up
from sturdis.wiring.rendering import render, rendered_stream
from sturdis.wiring.spec_files import load_spec, load_spec_file
from sturdis.wiring.targets import call, copy, resolve, verify

__all__ = [
    "GROW_SECONDS",
    "apply",
    "call",
    "copy",
    "grow",
    "kill9",
    "load_spec",
    "load_spec_file",
    "read_new_password",
    "read_password",
    "render",
    "rendered_stream",
    "resolve",
    "sized",
    "up",
    "verify",
    "write_report",
]
