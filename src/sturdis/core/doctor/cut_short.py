"""Writes that a full disk cut short: what they leave in the file of a server that goes on.

The increment that a rewrite makes is opened without O_APPEND. A write that is cut short is taken
back by ftruncate and the file's position stays, so the next one leaves zeros before it, which no
server loads. Measured on Redis 7.0 and 8.0, Valkey 8.1 and 9.1; a server that has not rewritten its
file since its start appends, and is right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sturdis.core import info as infos
from sturdis.core.doctor.damage import Files
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.facts import NotVisible, ServerFacts, Unseen

FAILED = re.compile(
    r"(?:Short write while|Error) writing to the AOF file|AOF write error looks solved"
)
"""Of both kinds of failed write only the first is told within 30 s: one may stand for the other."""

STARTED = "append only file rewriting started"
WRITTEN = "AOF rewrite finished successfully"
SERVES = "Ready to accept connections"
"""What the four servers of the matrix say of it in their logs."""

MISCONF = "MISCONF"

UNCOUNTED = (
    "\nand, when that is done, {cli} config resetstat: neither log nor files were seen, and until "
    "then or the next start this is told again"
)
"""Where INFO alone tells: it has no time of a rewrite."""


@dataclass(frozen=True)
class Told:
    """What a log tells of writes that failed."""

    line: str = ""
    """The last such line that no whole rewrite and no start came after; empty: there is none."""
    is_mended: bool = False
    """Whether there was one, and a rewrite or a start came after it."""


def read(log: str) -> Told:
    """Read a server's log, from any line of it on."""
    told, started = Told(), False
    for line in log.splitlines():
        if FAILED.search(line):
            told, started = Told(line=line.strip()), False
        elif STARTED in line:
            started = True
        elif SERVES in line or (WRITTEN in line and started):
            told = Told(is_mended=told.is_mended or bool(told.line))
    return told


def is_likely(info: dict[str, str]) -> bool:
    """Tell by INFO alone whether the file may have zeros in it that no rewrite took out.

    A rewrite does not set the count back: after one it is still likely.
    """
    is_on = info.get("aof_enabled") == "1" and info.get("aof_last_write_status") == "ok"
    return is_on and infos.errors(info, MISCONF) > 0 and info.get("aof_rewrites") != "0"


def diagnose(
    facts: ServerFacts, files: Files | NotVisible | Unseen, log: str, doctor: str
) -> Iterator[Diagnosis]:
    """Tell of a file that may have zeros in it, unless it was read and has none.

    Args:
        facts: One look at the server.
        files: What was found in its folder.
        log: What its log says; empty: it was not read.
        doctor: What to type to look again.
    """
    info = {} if isinstance(facts.info, Unseen) else dict(facts.info)
    told = read(log)
    if info.get("aof_last_write_status") != "ok" or _is_read(files) or told.is_mended:
        return
    if not told.line and not is_likely(info):
        return
    yield Diagnosis(
        "aof.cut_short",
        Severity.SERIOUS,
        "urgent: the disk was full, and the file may load no more; do not restart",
        f"its log: {told.line}"
        if told.line
        else f"errorstat_MISCONF {info[f'errorstat_{MISCONF}']}, and writes are taken again",
        "A write that a full disk cuts short leaves zeros in the middle of a file that was "
        "rewritten before; the server says no more of it, and its next start fails. Its memory is "
        "whole.",
        f"{facts.cli} bgrewriteaof at once, before any restart (or {doctor} --heal)"
        + ("" if told.line else UNCOUNTED.format(cli=facts.cli)),
    )


def _is_read(files: Files | NotVisible | Unseen) -> bool:
    return isinstance(files, Files) and not files.unread
