"""Planning a repair: the draft that a server loads, what is appended to it, and the proof."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sturdis.core.aof.copying import Step
from sturdis.core.aof.manifest import Kind, Manifest
from sturdis.core.errors import DataError
from sturdis.core.repair import drafting, resolving
from sturdis.core.repair.drafting import Chunks, Draft, Parts
from sturdis.core.repair.plan import Plan
from sturdis.core.repair.resolving import Resolution, Resolved
from sturdis.core.repair.surveys import Survey

Content = Callable[[], Iterator[bytes]] | Path
Tell = Callable[[Step], None]

_LINE_HEAD = re.compile(r"[0-9]+:[A-Z] [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:.]{12} [#*.-] ")
"""What stands before each line of a server's log."""


class Place(Protocol):
    """The folder that is repaired, as a plan knows it."""

    path: Path
    keep: Path

    def file(self, name: bytes) -> Path:
        """Give where one of its files is."""


class Life(Protocol):
    """A server that has loaded a set of files."""

    def survey(self) -> Survey:
        """Read its queues."""

    def refused(self) -> tuple[str, ...]:
        """Give what it said of commands that it did not take while it loaded."""

    def apply(self, resolutions: Sequence[Resolution]) -> int:
        """Carry out what is appended, and give the file's size in bytes then.

        Raises:
            DataError: `data.not_proven`: it refused one.
        """

    def mark(self) -> None:
        """Write one key: what is appended later must load too."""

    def unmark(self) -> bool:
        """Remove that key again, and tell whether it was there."""


class ScratchFolder(Protocol):
    """A set of files of our own, and servers on it."""

    @property
    def last(self) -> Path:
        """The file that the server appends to."""

    def file(self, name: bytes) -> Path:
        """Give where one of its files is."""

    def loaded(self) -> AbstractContextManager[Life]:
        """Run a server on it that has loaded all, and kill it when the block ends."""

    def cut_last(self, size: int) -> None:
        """Take off what was appended behind `size` bytes."""

    def remove(self) -> None:
        """Remove it: its room is needed."""


class Scratch(Protocol):
    """Where sets of files are tried."""

    def folder(self, manifest: Manifest, contents: Mapping[bytes, Content]) -> ScratchFolder:
        """Write a set of files.

        Raises:
            DataError: `data.no_room`.
        """


@dataclass(frozen=True)
class Means:
    """What a repair is made with."""

    scratch: Scratch
    server: str
    arities: Mapping[bytes, int]
    not_loaded: type[Exception]
    """What is raised where a server ends instead of loading."""


@dataclass(frozen=True)
class Proven:
    """A plan, and the files that it is proven with."""

    plan: Plan
    manifest: Manifest
    new: Mapping[bytes, Path]
    """Name of each new file to where its proven content is."""
    after: Survey


class Planning:
    """Finds the draft that a server loads, and what has to be appended to it."""

    def __init__(self, folder: Place, parts: Parts, means: Means, tell: Tell) -> None:
        self._folder = folder
        self._parts = parts
        self._means = means
        self._tell = tell
        self._refused: tuple[str, ...] = ()
        """What a server said, when it loaded the last draft, of commands that it did not take."""

    def plan(self) -> Proven:
        """Give what is proven.

        Raises:
            DataError: `data.not_proven` or `data.no_room`.
        """
        self._step("reading the files")
        draft, scratch, now = self._loaded()
        signs = (*now.signs(), *self._refused)
        if self._is_needed(draft):
            return self._finished(draft, scratch, now, signs)
        if signs:
            self._step("reading each command")
            deep = drafting.draft(self._parts, self._means.arities, deep=True, strays=now.strays())
            found = self._finished(deep, *self._tried(deep), signs)
            if now.differs(found.after):
                return found
        return self._proven(draft, scratch, Resolved((), ()), (now, now), ())

    def _finished(
        self, draft: Draft, scratch: ScratchFolder, now: Survey, signs: tuple[str, ...]
    ) -> Proven:
        """Decide what follows for the jobs, and prove all of it."""
        before = self._before(draft)
        bases = [one.base for one in now.queues]
        highest = drafting.highest_ids(draft.mending.lost, bases)
        resolved = resolving.resolve(before, now, draft.mending.told, highest)
        after = self._prove(scratch, resolved)
        return self._proven(draft, scratch, resolved, (before, after), signs)

    def _is_needed(self, draft: Draft) -> bool:
        is_whole = draft.base.is_whole and not draft.mending.damaged
        return bool(self._parts.files.problem) or not is_whole

    def _loaded(self) -> tuple[Draft, ScratchFolder, Survey]:
        """Give the first draft that a server loads."""
        arities, parts = self._means.arities, self._parts
        draft = drafting.draft(parts, arities)
        try:
            return (draft, *self._tried(draft))
        except self._means.not_loaded as error:
            told = str(error)
        has_rdb = draft.base.is_whole and parts.base is None and parts.files.base is not None
        if has_rdb and self._base_alone_fails(draft):
            draft = drafting.draft(parts, arities, base_is_bad=True)
            try:
                return (draft, *self._tried(draft))
            except self._means.not_loaded as error:
                told = str(error)
        raise self._not_proven(told)

    def _base_alone_fails(self, draft: Draft) -> bool:
        bases = tuple(one for one in draft.manifest.entries if one.kind is Kind.BASE)
        manifest = Manifest((*bases, draft.manifest.increments[-1]))
        contents = {one.name: draft.contents[one.name] for one in bases}
        nothing: dict[bytes, Chunks | bytes] = {manifest.entries[-1].name: lambda: iter(())}
        try:
            self._survey(manifest, contents | nothing).remove()
        except self._means.not_loaded:
            return True
        return False

    def _tried(self, draft: Draft) -> tuple[ScratchFolder, Survey]:
        self._step("loading what is kept")
        scratch = self._scratch(draft.manifest, draft.contents)
        with scratch.loaded() as life:
            self._refused = life.refused()
            return scratch, life.survey()

    def _survey(
        self, manifest: Manifest, contents: Mapping[bytes, Chunks | bytes]
    ) -> ScratchFolder:
        scratch = self._scratch(manifest, contents)
        with scratch.loaded():
            return scratch

    def _scratch(
        self, manifest: Manifest, contents: Mapping[bytes, Chunks | bytes]
    ) -> ScratchFolder:
        placed = {
            name: self._folder.file(one) if isinstance(one, bytes) else one
            for name, one in contents.items()
        }
        return self._means.scratch.folder(manifest, placed)

    def _before(self, draft: Draft) -> Survey | None:
        """Survey what a plain safe cut gives; None: nothing loads."""
        cut = drafting.safe_cut(self._parts, draft)
        if cut is None:
            return None
        self._step("loading a plain cut")
        scratch = self._scratch(*cut)
        try:
            with scratch.loaded() as life:
                return life.survey()
        except self._means.not_loaded:
            return None
        finally:
            scratch.remove()

    def _prove(self, scratch: ScratchFolder, resolved: Resolved) -> Survey:
        """Append, write, load again: what is there then must be what was there before.

        The last file of `scratch` then is as it was after what is appended.
        """
        self._step("proving it")
        with scratch.loaded() as life:
            size = life.apply(resolved.commands)
            after = life.survey()
            life.mark()
        try:
            with scratch.loaded() as life:
                is_there, again = life.unmark(), life.survey()
        except self._means.not_loaded as error:
            raise self._not_proven(str(error)) from error
        scratch.cut_last(size)
        if doubled := next(after.doubled(), None):
            raise self._not_proven(f"a job is still in two states: {doubled}")
        if not is_there or again.counts() != after.counts():
            raise self._not_proven("what it loads after one more write is not what it had")
        return after

    def _proven(
        self,
        draft: Draft,
        scratch: ScratchFolder,
        resolved: Resolved,
        surveys: tuple[Survey | None, Survey],
        signs: tuple[str, ...],
    ) -> Proven:
        before, after = surveys
        new = {name: scratch.file(name) for name in draft.new}
        sizes = {name: path.stat().st_size for name, path in new.items()}
        mending = draft.mending
        plan = Plan(
            folder=str(self._folder.path),
            server=self._means.server,
            keep=str(self._folder.keep),
            manifest=self._parts.files.problem,
            base=draft.base,
            files=tuple(drafting.file_plans(self._parts, draft, sizes)),
            resolutions=resolved.commands,
            explicit=mending.explicit,
            duplicates=mending.duplicates,
            notes=tuple(mending.notes),
            unnoted=mending.unnoted,
            undecided=(*self._parts.files.undecided, *resolved.undecided),
            signs=signs,
            refused=self._refused,
            before=before.counts() if before else {},
            after=after.counts(),
            keys_before=before.keys if before else {},
            keys_after=after.keys,
        )
        return Proven(plan, draft.manifest, new, after)

    def _step(self, doing: str) -> None:
        self._tell(Step(doing, 0, 0))

    def _not_proven(self, why: str) -> DataError:
        return DataError(
            "data.not_proven",
            f"{self._means.server} does not load what would be kept of {self._folder.path}",
            why=_last_words(why) or "it ended without a word",
            do="sturdis repair DATA --server PATH, with the release that wrote the folder, and "
            "with its modules; the folder is as it was",
        )


def _last_words(log: str) -> str:
    """Give the last line of a server's log without process, time, and what a command was given."""
    last = (log.splitlines() or [""])[-1]
    return _LINE_HEAD.sub("", last).partition(", with args beginning with")[0]
