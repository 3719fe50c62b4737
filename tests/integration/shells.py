"""The scripts of a pod, run by the shells and with the tools of the images that they are for."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sturdis.adapters.local import binaries
from tests import matrix

TOOLS = (
    "awk", "dd", "head", "id", "mkdir", "mv", "od", "rm", "sha256sum", "stat", "sync", "tail",
    "timeout", "tr", "truncate",
)  # fmt: skip
"""All that the scripts may use beside the server's own programs; docs/adr/0032."""

SHELLS = (
    pytest.param("dash", marks=pytest.mark.tier("dash")),
    pytest.param("busybox", marks=pytest.mark.tier("busybox")),
)
"""The shells of the images: Debian's has coreutils beside it, Alpine's is one with its tools."""


@dataclass(frozen=True)
class Shell:
    """A shell, and a PATH with nothing but `TOOLS` and one server's programs."""

    command: tuple[str, ...]
    path: str

    def start(
        self, script: Path, *words: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a script with no environment but PATH and `environ`."""
        return subprocess.Popen(
            [*self.command, str(script), *words],
            env={"PATH": self.path} | dict(environ or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, script: Path, *words: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one to its end."""
        with self.start(script, *words, environ=environ) as process:
            out, err = process.communicate(timeout=60)
            return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def shell(name: str, server: str, folder: Path, *, client: bool = False) -> Shell:
    """Make the shell `name` for an image whose server is `server`, with its tools in `folder`.

    With `client` the image has the product's command line too: of the server's own release, or
    of the nearest that is here.
    """
    tools, programs = folder / "tools", folder / "programs"
    tools.mkdir(parents=True)
    programs.mkdir()
    busybox = shutil.which("busybox") if name == "busybox" else None
    for tool in TOOLS:
        found = busybox or os.path.realpath(shutil.which(tool) or tool)
        (tools / tool).symlink_to(found)
    _link_programs(server, programs)
    if client:
        _link_client(server, programs)
    itself = (busybox, "sh") if busybox else (shutil.which(name) or name,)
    return Shell(itself, f"{programs}:{tools}")


def _link_programs(server: str, programs: Path) -> None:
    """Name a server's programs as its image does."""
    product = binaries.inspect(server).product
    if product == "valkey":  # one program under several names
        for part in ("server", "check-aof"):
            (programs / f"valkey-{part}").symlink_to(server)
        return
    for part in ("server", "check-aof"):
        beside = Path(server).with_name(f"redis-{part}")
        program = programs / f"redis-{part}"
        program.write_text(f'#!/bin/sh\nexec {beside} "$@"\n')
        program.chmod(0o755)


def _link_client(server: str, programs: Path) -> None:
    beside = Path(server).with_name("redis-cli")
    if binaries.inspect(server).product == "valkey":
        valkeys = (Path(row.server).with_name("valkey-cli") for row in matrix.ROWS)
        beside = next((path for path in valkeys if path.exists()), beside)
    name = "redis-cli" if beside.name == "redis-cli" else "valkey-cli"
    program = programs / name
    program.write_text(f'#!/bin/sh\nexec {beside} "$@"\n')
    program.chmod(0o755)
