"""`copy`: let a live server rewrite its append-only file, and copy it while it goes on writing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from sturdis.core.aof import copying
from sturdis.core.aof.copying import Copied, Origin, Step
from sturdis.core.aof.manifest import Manifest

Tell = Callable[[Step], None]


class AppendOnlyServer(Protocol):
    """A server that runs and keeps an append-only file."""

    def origin(self) -> Origin:
        """Say where its files are."""

    def keeping_history(self) -> AbstractContextManager[None]:
        """Let it keep what a rewrite replaces while the context lasts."""

    def rewrite(self, tell: Tell) -> None:
        """Let it rewrite its file, and wait for that."""


class Files(Protocol):
    """The files, and the folder that they are copied to."""

    def unfinished(self) -> AbstractContextManager[None]:
        """Make room for the copy; what is not finished when the context ends is removed."""

    def manifest(self, origin: Origin) -> Manifest:
        """Read what leads the server's files now."""

    def copy(self, origin: Origin, manifest: Manifest, tell: Tell) -> int:
        """Copy and check the files; give how many bytes at the end were left out."""

    def finish(self, origin: Origin, manifest: Manifest, left_out: int) -> Copied:
        """Make the copy a data folder."""


def copy(server: AppendOnlyServer, files: Files, tell: Tell) -> Copied:
    """Copy the append-only file of `server`: every write acknowledged before the call is in it.

    Raises:
        TargetError: Its files are elsewhere, it keeps none, or it did not rewrite them.
        AccessError: It does not let us in.
        DataError: The folder cannot be written, or what was copied is not whole.
    """
    origin = server.origin()
    before = files.manifest(origin)
    with files.unfinished(), server.keeping_history():
        server.rewrite(tell)
        manifest = files.manifest(origin)
        copying.require_rewritten(origin, before, manifest)
        left_out = files.copy(origin, manifest, tell)
        copying.require_kept(manifest, files.manifest(origin))
        return files.finish(origin, manifest, left_out)
