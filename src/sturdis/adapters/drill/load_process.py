"""A process that makes load: started, told what to do over its input, and ended with it."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, cast

import msgspec

from sturdis.core.drill.load import LoadPlan
from sturdis.core.errors import DrillError

PYTHON = (sys.executable, "-m", "sturdis.adapters.drill.load_python")
"""Load by the Python BullMQ that Sturdis itself needs."""

READY_SECONDS = 20.0
"""Longest wait for a load to be ready: it imports its client, which takes about 1 s."""

END_SECONDS = 25.0
"""Longest wait for a load to end by itself: its workers take up to 10 s, its log a moment."""


def node(modules: Path) -> Sequence[str]:
    """Name the command of the load by the Node BullMQ that is in `modules`/node_modules.

    Raises:
        DrillError: `drill.load_failed`: there is no node, or no bullmq there.
    """
    program = shutil.which("node")
    if program is None or not (modules / "node_modules/bullmq").is_dir():
        missing = f"no bullmq in {modules}/node_modules" if program else "no node on PATH"
        raise DrillError(
            "drill.load_failed",
            "there is no Node BullMQ to make load with",
            why=missing,
            do=f"install Node 20 or newer, then: cd {modules} && npm install bullmq",
        )
    return (program, str(Path(__file__).with_name("load.mjs")), str(modules.resolve()))


def commands(modules: Path | None) -> Mapping[str, Sequence[str]]:
    """Name the loads to run and their commands: Python's, and Node's where `modules` is given.

    Raises:
        DrillError: `drill.load_failed`: there is no Node BullMQ in `modules`.
    """
    return {"python": PYTHON} | ({"node": node(modules)} if modules else {})


class LoadProcess(AbstractContextManager["LoadProcess"]):
    """One load, from its start until the context ends; killed when it does not end by itself.

    Args:
        command: `PYTHON`, or what `node` gives.
        plan: What it does. It goes through its input, for it may hold a password.
        errors_in: The folder for what it says; None: the plan's, which is not here for a pod.

    Raises:
        DrillError: `drill.load_failed`: it did not get ready.
    """

    def __init__(
        self, command: Sequence[str], plan: LoadPlan, *, errors_in: Path | None = None
    ) -> None:
        self._errors = (errors_in or Path(plan.folder)) / f"{plan.writer}.stderr"
        self._errors.parent.mkdir(parents=True, exist_ok=True)
        pipe = subprocess.PIPE
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors)
        self._input = cast("IO[bytes]", self._process.stdin)
        self._told: SimpleQueue[bytes] = SimpleQueue()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        with ExitStack() as unless_ready:
            unless_ready.callback(self.kill)
            self._say(msgspec.json.encode(plan))
            self._await(b"ready", READY_SECONDS)
            unless_ready.pop_all()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def stop_adding(self) -> None:
        """Let it add no more. Its workers go on."""
        self._say(b"stop adding")

    def wait_until_added(self, seconds: float) -> None:
        """Return when each of its adds has an answer, or is written down as in doubt.

        Raises:
            DrillError: `drill.load_failed`: it ended, or did not answer within `seconds`.
        """
        self._await(b"added", seconds)

    def end(self) -> None:
        """Let its workers finish what they have, and return when it has ended.

        Raises:
            DrillError: `drill.load_failed`: it ended with another status than 0, or not at all.
        """
        self._input.close()
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self._failure(f"it did not end within {END_SECONDS:.0f} s") from error
        if status:
            raise self._failure(f"it ended with status {status}")

    def kill(self) -> None:
        """End it at once, as `kill -9` does. A second time does nothing."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._listening.join()
        with suppress(OSError):  # what was not read by it is still in the buffer
            self._input.close()

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def _say(self, line: bytes) -> None:
        try:
            self._input.write(line + b"\n")
            self._input.flush()
        except OSError as error:
            raise self._failure("it does not listen any more") from error

    def _await(self, word: bytes, seconds: float) -> None:
        try:
            told = self._told.get(timeout=seconds)
        except Empty as error:
            raise self._failure(f"it was not {word.decode()} within {seconds:.0f} s") from error
        if told != word:
            raise self._failure("it ended by itself")

    def _listen(self) -> None:
        with cast("IO[bytes]", self._process.stdout) as told:
            for line in told:
                self._told.put(line.strip())
        self._told.put(b"")

    def _failure(self, why: str) -> DrillError:
        last = self._errors.read_text(errors="replace").strip().splitlines()[-1:]
        return DrillError(
            "drill.load_failed",
            f"the load {self._errors.stem} failed",
            why=": ".join([why, *last]),
            do=f"read {os.fspath(self._errors)}",
        )
