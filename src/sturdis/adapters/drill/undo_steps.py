"""Undoing the steps of a drill on this machine."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sturdis.adapters.local.server_process import Adopted
from sturdis.adapters.redis.link import Link
from sturdis.core import address as addresses
from sturdis.core.aim import PASSWORD_VARIABLE
from sturdis.core.drill import undo as steps
from sturdis.core.drill.undo import Step
from sturdis.core.errors import DrillError, SturdisError
from sturdis.core.replies import ErrorReply

START_TIME = 19
"""Position of `starttime` among the fields of /proc/PID/stat that follow the name; proc(5)."""

ENDED = ("Z", "X")
"""States of a process that has ended, which nobody has waited for; proc(5)."""

ENDED_WITHIN = 10.0
"""Seconds; a process that SIGKILL does not end by then waits for a disk that does not answer."""

COMMAND_WITHIN = 60.0
"""Seconds that a command may take to undo something."""


def undo(step: Step) -> None:
    """Undo one step; harmless where nothing is to be undone.

    Raises:
        DrillError: `drill.not_undone`.
    """
    try:
        _undo(step)
    except SturdisError as error:
        raise not_undone(step, error.why or error.what) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise not_undone(step, str(error)) from error


def _undo(step: Step) -> None:
    match step:
        case steps.EndProcess() | steps.ResumeProcess():
            _release(step)
        case steps.Unmount(path=path):
            if os.path.ismount(path):
                _run(["umount", "--lazy", path])
        case steps.RemoveFolder(path=path):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(path)
        case steps.RemoveCgroup(path=path):
            with contextlib.suppress(FileNotFoundError):
                Path(path).rmdir()
        case steps.RemoveTable(family=family, name=name):
            _remove_table(family, name)
        case steps.SetConfiguration():
            _set_configuration(step)
        case steps.RunCommand(arguments=arguments):
            _run(arguments)
        case steps.DeleteObject() | steps.TakeOffTaint() | steps.SetPodConfiguration():
            from sturdis.adapters.drill_cluster import undoing  # noqa: PLC0415  loads its client

            undoing.undo(step)


def started(pid: int) -> str:
    """Say when a process began, in the system's words; empty: there is none, or it has ended.

    A pid with the same answer is the same process. In a container without an init one that has
    ended keeps its number.
    """
    if sys.platform != "linux":
        asked = ["ps", "-o", "lstart=", "-p", str(pid)]
        told = subprocess.run(asked, capture_output=True, text=True, check=False)
        return told.stdout.strip()
    fields = stat(pid)
    return fields[START_TIME] if fields and fields[0] not in ENDED else ""


def stat(pid: int) -> list[str]:
    """Give the fields of /proc/PID/stat that follow the name, the state first; empty: no such."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return told.rpartition(")")[2].split()


def _release(step: steps.EndProcess | steps.ResumeProcess) -> None:
    """End a process and its children, or let it go on; one that has its pid now is left alone."""
    if not step.started or started(step.pid) != step.started:
        return
    if isinstance(step, steps.ResumeProcess):
        os.kill(step.pid, signal.SIGCONT)
        return
    process = Adopted(step.pid)
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(step.pid) == step.pid:  # a rewrite's child would write on
            os.killpg(step.pid, signal.SIGKILL)
    process.kill()
    process.wait(ENDED_WITHIN)


def _remove_table(family: str, name: str) -> None:
    listed = subprocess.run(
        ["nft", "list", "table", family, name], capture_output=True, check=False
    )
    if listed.returncode == 0:
        _run(["nft", "delete", "table", family, name])


def _set_configuration(step: steps.SetConfiguration) -> None:
    address = addresses.parse(step.address)
    password = os.environ.get(PASSWORD_VARIABLE)
    with Link(replace(address, password=address.password or password)) as link:
        reply = link.call("CONFIG", "SET", step.name, step.value)
    if isinstance(reply, ErrorReply):
        raise not_undone(step, reply.text)


def _run(command: Sequence[str]) -> None:
    """Run a command.

    Raises:
        DrillError: `drill.not_undone`: it failed.
    """
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=COMMAND_WITHIN
    )
    if ended.returncode:
        words = ended.stderr.strip() or f"exit status {ended.returncode}"
        raise not_undone(command[0], words)


def not_undone(step: object, why: str) -> DrillError:
    """Say that something of a drill is left."""
    return DrillError(
        "drill.not_undone",
        f"what a drill did could not be undone: {step}",
        why=why,
        do="mend what stands in the way, then: sturdis drill undo",
    )
