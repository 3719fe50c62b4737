"""The documents' examples: what they hold, and running them.

A fenced block whose first word is `console` is run: each `$ ` line by bash, in a copy of the work
tree's top folder made of links. The lines below it are what it must print; `…` stands for any text,
and a line of `…` alone for any lines. Further words of the fence name tiers that the block needs,
or say `background`: its last command runs on until the document's end, once it has printed its
lines.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import tiers

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "examples/bullmq/README.md",
]

_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 60


@dataclass(frozen=True)
class Example:
    """One command with what it must print."""

    command: str
    printed: str
    words: frozenset[str]

    @property
    def tiers(self) -> frozenset[str]:
        return self.words - {"background"}


def examples(path: Path) -> list[Example]:
    """Read the examples of a document, in order."""
    found = []
    for language, words, body in _FENCE.findall(path.read_text()):
        if language == "console":
            for part in re.split(r"(?m)^\$ ", body)[1:]:
                command, _, printed = part.partition("\n")
                found.append(Example(command, printed.rstrip("\n"), frozenset(words.split())))
    return found


def matches(printed: str, expected: str) -> bool:
    """Tell whether what was printed is what the document says."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in expected.splitlines()
    ]
    return bool(re.fullmatch("".join(lines), printed.rstrip("\n") + "\n" if printed else ""))


@contextlib.contextmanager
def work_folder(folder: Path) -> Iterator[dict[str, str]]:
    """Fill `folder` with links to the work tree; give the environment to run examples in."""
    for entry in ROOT.iterdir():
        if entry.suffix not in {
            ".yaml",
            ".yml",
        }:  # examples write such files, and a user may own one
            (folder / entry.name).symlink_to(entry)
    scripts = str(Path(sys.executable).parent)
    kubectl = Path(tiers.kubectl() or "/missing/kubectl").parent
    yield {**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}:{kubectl}"}


def run(example: Example, folder: Path, environ: dict[str, str]) -> str:
    """Run one example to its end and give what it printed."""
    return subprocess.run(
        ["bash", "-c", example.command], cwd=folder, env=environ, text=True, timeout=SECONDS,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    ).stdout  # fmt: skip


@contextlib.contextmanager
def run_on(example: Example, folder: Path, environ: dict[str, str]) -> Iterator[str]:
    """Run one example until the block ends; give what it printed up to its last expected line."""
    last = example.printed.splitlines()[-1]
    with subprocess.Popen(
        ["bash", "-c", f"exec {example.command}"], cwd=folder, env=environ, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:  # fmt: skip
        watchdog = threading.Timer(SECONDS, process.kill)
        watchdog.start()
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if matches(line, last):
                break
        watchdog.cancel()
        try:
            yield printed
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=SECONDS)
