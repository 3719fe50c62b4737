"""`sturdis` as its users run it: a process of its own, on servers of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sturdis.adapters.redis.link import Link
from sturdis.core import address as addresses
from sturdis.core.replies import ErrorReply, bare
from tests import matrix

STURDIS = (sys.executable, "-m", "sturdis")
READY_SECONDS = 20.0

SERVERS = tuple(
    pytest.param(row.server, id=str(row), marks=pytest.mark.tier(row.tier)) for row in matrix.ROWS
)
"""What `--server` is given in tests that run on every server of the matrix."""


def sturdis(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    options = {"capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([*STURDIS, *arguments], check=False, **options)


def sturdis_of_an_ordinary_user(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command without root's powers, whoever runs the tests."""
    drop = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    command = [*drop, *STURDIS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@dataclass(frozen=True)
class Up:
    """A running `sturdis up`, and what it said when it was ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    before: list[dict[str, Any]]
    """What it told before it was ready."""

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def server_pid(self) -> int:
        return int(self.info("server")["process_id"])

    def info(self, section: str) -> dict[str, str]:
        lines = (line.partition(":") for line in self.cli("info", section).splitlines())
        return {name: value for name, colon, value in lines if colon}

    def next_event(self, *kinds: str) -> dict[str, Any]:
        """Wait for the next thing told, or for the next of these kinds."""
        while True:
            event = next_event(self.process)
            if not kinds or event.get("event") in kinds:
                return event

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop, as Ctrl-C does, and give its exit status."""
        self.process.send_signal(number)
        return self.process.wait(40)

    def cli(self, *words: str) -> str:
        """Send a command to it and give the reply as `sturdis cli` prints it into a pipe.

        Asked from this process: a start of Python for each would cost more than the rest.
        """
        with Link(addresses.parse(self.url)) as link:
            reply = link.call(*words)
        assert not isinstance(reply, ErrorReply), reply
        return bare(reply).decode(errors="surrogateescape").replace("\r\n", "\n")


def next_event(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read what `up --json` tells next."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate(timeout=20)[1])
    return dict(json.loads(line))


@contextlib.contextmanager
def running(*arguments: str, **environ: str) -> Iterator[Up]:
    """Run `sturdis up --json` on free ports until the block ends."""
    free = ("--port", "0", "--metrics-port", "0")
    process = subprocess.Popen(
        [*STURDIS, "up", "--json", *free, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    watchdog = threading.Timer(READY_SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        before = []
        while (event := next_event(process))["event"] != "ready":
            before.append(event)
        watchdog.cancel()
        yield Up(process, event, before)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=40)


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def error_code(answer: subprocess.CompletedProcess[str]) -> str:
    """Give the code of the error that a command ended with; it has said why and what to do.

    Warnings may stand before it.
    """
    lines = answer.stderr.splitlines()
    head, *rest = (line for line in lines if not line.startswith("warning: "))
    assert any(line.startswith("why: ") for line in rest), answer.stderr
    assert any(line.startswith("do:  ") for line in rest), answer.stderr
    assert "Traceback" not in answer.stderr
    return head.removeprefix("error[").split("]")[0]
