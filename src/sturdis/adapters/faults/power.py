"""Power cuts and slow disks: what no fsync has covered is at stake."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.faults.on_rig import OnRig, Parts, come, expect
from sturdis.adapters.faults.shim import Change, Covered, Kind, Shim, Word
from sturdis.core.aof import guard as guards
from sturdis.core.aof import manifest as manifests
from sturdis.core.drill import damage, events, power_cut
from sturdis.core.drill.events import Event
from sturdis.core.drill.faults import Fault as Options
from sturdis.core.drill.faults import disk
from sturdis.core.drill.faults.process import Moment
from sturdis.core.drill.observed import Figures
from sturdis.core.errors import DrillError

HELD_BACK = (0.1, 1.0)
"""Seconds from a write that was delayed to the kill: the server holds back the next ones."""

INCREMENT = ".incr.aof"
"""How the names of increments end."""

IN_REWRITE = (0.2, 0.5)
"""Seconds that each fsync takes while a rewrite begins."""

FSYNC_WITHIN = 2.5
"""Longest wait for the next fsync under load, in seconds: `everysec` begins one each second."""

SINCE_FSYNC = (0.05, 0.85)
"""Seconds from an fsync to the cut: jobs were added since, and the next one has not begun."""

LATE_WITHIN = 30.0
"""Longest wait for a write that an fsync delays, in seconds: a few fsyncs."""


class WithShim(OnRig):
    """A fault by the library that is preloaded into the rig's server."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        if self.rig.shim is None:
            raise DrillError(
                "drill.lacking",
                "the drill's server runs without the library that this fault needs",
                why="its rig was planned without it",
                do="run the drill with --target local",
            )
        self.shim: Shim = self.rig.shim
        self._longest = 0.0

    def longest_fsync(self) -> float:
        """Give the longest fsync until now, in seconds, one under way included."""
        self._longest = max(self._longest, self.shim.longest_fsync())
        return self._longest

    def figures(self) -> Figures:
        """Give what was counted, and the longest fsync."""
        return {**super().figures(), "longest_fsync": self.longest_fsync()}


class PowerCut(WithShim):
    """SIGKILL of the server and its children, and any part of what no fsync has covered is gone.

    As a rewrite begins, the increment of before is fsynced while the next one is written: a cut
    then may leave both torn. No server loads that; what the guard refuses is repaired.
    """

    def __init__(self, options: disk.PowerCut, parts: Parts) -> None:
        super().__init__(parts)
        self._in_rewrite = options.moment is Moment.REWRITE
        self.counted.update(repaired=0)

    def inject(self, number: int) -> Sequence[Event]:
        """Cut the power."""
        begun = self._begin_a_rewrite() if self._in_rewrite else self._wait_for_an_fsync()
        killed = self.kill(number)
        longest = self.longest_fsync()
        synced = _milliseconds(last_synced(self.shim))
        took = cut(self.rig.data, self.shim, self.dice)
        self.counted["unmet"] += not (begun and took.at_stake)
        self.counted["lost_bytes"] += took.lost
        self.counted["unsynced_bytes"] += took.unsynced
        told = events.PowerCut(
            killed.at, number, synced, round(longest * 1000),
            took.lost, took.unsynced, took.jobs, took.at_stake,
        )  # fmt: skip
        return (killed, told)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server; where that is refused, repair the data and start it then."""
        self.shim.slow_down(0, 0, 0)
        return self.start_repaired(number, seconds)

    def _wait_for_an_fsync(self) -> bool:
        """Return at any moment between two fsyncs, but where nothing is at stake yet."""
        before = self.shim.count(Word.COMPLETED)
        come(lambda: self.shim.count(Word.COMPLETED) > before, FSYNC_WITHIN)
        CLOCK.wait(self.dice.uniform(*SINCE_FSYNC))
        return True

    def _begin_a_rewrite(self) -> bool:
        """Return while the increment of before is fsynced, on a disk that takes its time."""
        before = self.rig.increment()
        self.shim.slow_down(*IN_REWRITE, self.dice.getrandbits(60))
        self.rig.call("BGREWRITEAOF")
        begun = come(lambda: self.rig.increment() != before, LATE_WITHIN)
        CLOCK.wait(self.dice.uniform(0, IN_REWRITE[1]))
        return begun


class SlowFsync(WithShim):
    """Each fsync takes seconds; SIGKILL while one is under way and after it delayed a write."""

    def __init__(self, options: disk.SlowFsync, parts: Parts) -> None:
        super().__init__(parts)
        self._options = options

    def prepare(self) -> None:
        """Make the disk slow."""
        self._slow_down()

    def inject(self, number: int) -> Sequence[Event]:
        """Kill the server in an fsync."""
        expect(self._is_late, LATE_WITHIN, "an fsync that delays a write")
        CLOCK.wait(self.dice.uniform(*HELD_BACK))
        expect(self.shim.under_way, LATE_WITHIN, "an fsync")
        killed = self.kill(number)
        under_way = self.shim.under_way()  # the process died in it
        self.longest_fsync()
        self.counted["delayed_fsyncs"] += killed.delayed_fsyncs or 0
        self.counted["unmet"] += not (under_way or killed.fsync_pending)
        return (killed,)

    def undo(self, number: int, seconds: float) -> Sequence[Event]:
        """Start the server on a disk that is fast meanwhile."""
        if not self.down:
            return ()
        self.shim.slow_down(0, 0, 0)
        told = super().undo(number, seconds)
        self._slow_down()
        return told

    def _slow_down(self) -> None:
        seed = self.dice.getrandbits(60)
        self.shim.slow_down(self._options.least, self._options.most, seed)

    def _is_late(self) -> bool:
        return self.rig.info().get("aof_delayed_fsync", "0") != "0"


def last_synced(shim: Shim) -> float | None:
    """Give when the last completed fsync of an increment began (s since 1970); None: none did."""
    began = [one.began for one in shim.covered().values() if one.increment and one.began]
    return max(began, default=None)


@dataclass(frozen=True)
class Took:
    """What a power cut took of the increments."""

    lost: int
    """Bytes that are gone."""
    unsynced: int
    """Bytes that no fsync had covered, or whose file's name none had."""
    jobs: tuple[str, ...]
    """Jobs whose data is in what is gone, or in half a unit before it."""
    at_stake: int
    """Jobs whose data is in what no fsync had covered."""


def cut(data: Path, shim: Shim, dice: Random) -> Took:
    """Leave of a data folder what a power cut leaves; no server runs on it.

    Names that were made, changed or removed after the last fsync of their folder are as before,
    from any one on: file systems keep the order. Of each file what the last completed fsync covers
    is kept and any part of the rest, behind which zeros may follow. Files in whose middle a page
    is missing are not made.
    """
    covered = shim.covered()
    before = {path: path.read_bytes() for path in _increments(data)}
    synced = {path: _synced(path, covered) for path in before}
    changes = shim.changes()
    for change in reversed(changes[dice.randint(0, len(changes)) :]):
        _take_back(change, data)
    kept = {}
    for path in (*_files(data / guards.FOLDER), *data.glob("temp-*")):
        known = _synced(path, covered)
        if known is None:
            continue
        rolls = (dice.random(), dice.random(), dice.random())
        left = power_cut.remains(known, path.stat().st_size, rolls)
        kept[path] = left.kept
        os.truncate(path, left.kept)
        os.truncate(path, left.size)
    shim.settle(durable=True)
    for path in before:
        if not _is_loaded(path):
            kept[path] = 0  # it is there, and no manifest names it any more
    return _took(before, synced, kept)


def _took(
    before: Mapping[Path, bytes], synced: Mapping[Path, int | None], kept: Mapping[Path, int]
) -> Took:
    """Compare the increments of before with what is left of them; one without a name is gone."""
    lost = unsynced = 0
    gone, stake = set[str](), set[str]()
    for path, content in before.items():
        left = kept.get(path, len(content) if path.exists() else 0)
        safe = min(left, len(content) if (known := synced[path]) is None else known)
        lost += len(content) - left
        unsynced += max(0, len(content) - safe)
        stake.update(damage.jobs_in(content[safe:]))
        gone.update(damage.jobs_in(content[damage.last_end(content[:left]) :]))
    return Took(lost, unsynced, tuple(sorted(gone)), len(stake))


def _is_loaded(path: Path) -> bool:
    """Tell whether a server would load it: the manifest names it, or there is none at all."""
    manifest = path.with_name(guards.MANIFEST)
    try:
        read = manifests.parse(manifest.read_bytes())
    except FileNotFoundError:
        return True
    return os.fsencode(path.name) in {part.name for part in read.increments}


def _increments(data: Path) -> list[Path]:
    return [path for path in _files(data / guards.FOLDER) if path.name.endswith(INCREMENT)]


def _synced(path: Path, covered: Mapping[tuple[int, int], Covered]) -> int | None:
    """Give how much of a file fsyncs cover; None: the shim never saw it."""
    stat = path.stat()
    known = covered.get((stat.st_dev, stat.st_ino))
    return known.synced if known else None


def _take_back(change: Change, data: Path) -> None:
    """Take a change of names back; one that was noted and not made is left."""
    before, after = data / change.before, data / change.after
    match change.kind:
        case Kind.MADE:
            before.unlink(missing_ok=True)
        case Kind.RENAMED if not before.exists() and after.exists():
            after.rename(before)
            _put_back(change, after)
        case Kind.REMOVED if not before.exists():
            _put_back(change, before)


def _put_back(change: Change, path: Path) -> None:
    if change.kept is not None and change.kept.exists():
        path.hardlink_to(change.kept)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []  # of a server without an append-only file
    return sorted(path for path in folder.iterdir() if path.is_file())


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def of(options: Options, parts: Parts) -> OnRig | None:
    """Give the fault that the options ask for; None: it is of another family."""
    match options:
        case disk.PowerCut():
            return PowerCut(options, parts)
        case disk.SlowFsync():
            return SlowFsync(options, parts)
    return None
