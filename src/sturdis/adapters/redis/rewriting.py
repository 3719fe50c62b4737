"""A server that is asked to rewrite its append-only file, and to keep what that replaces."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sturdis.adapters.local import signals
from sturdis.adapters.redis import copy_note, rewrites
from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core import servers
from sturdis.core.address import Address
from sturdis.core.aof.copying import Origin, Step
from sturdis.core.errors import TargetError
from sturdis.core.replies import ErrorReply, Reply
from sturdis.core.servers import Server

KEEP = "aof-disable-auto-gc"
SETTINGS = ("appendonly", "dir", "appenddirname", "appendfilename", KEEP)


class RewritingServer:
    """A server at an address that keeps an append-only file.

    Args:
        address: Where it answers.
        cli: What to type before a Redis command to reach it again.
    """

    def __init__(self, address: Address, *, cli: str = "sturdis cli") -> None:
        self._address = address
        self._cli = cli

    def origin(self) -> Origin:
        """Ask the server where its files are, and what it is.

        Raises:
            TargetError: `target.no_aof`, `target.not_allowed`; it cannot be reached.
            AccessError: It does not let us in.
        """
        with Link(self._address) as link:
            config = {name: self._setting(link, name) for name in SETTINGS}
            info = self._info(link, "server")
        if config["appendonly"] != "yes":
            raise TargetError(
                "target.no_aof",
                f"{self._address} keeps no append-only file",
                why=f"its setting appendonly is {config['appendonly'] or 'not known to it'}",
                do=f"{self._cli} config set appendonly yes, then copy again",
            )
        product, release = servers.told(info)
        major, minor, patch = (int(part) for part in release.split(".")[:3])
        return Origin(
            str(self._address),
            str(Path(config["dir"]) / config["appenddirname"]),
            f"{config['appendfilename']}.manifest",
            Server(product, (major, minor, patch), info.get("executable", "")),
        )

    @contextlib.contextmanager
    def keeping_history(self) -> Iterator[None]:
        """Let the server keep the files that a rewrite replaces while the block lasts.

        The setting is put back whatever ends the block, short of SIGKILL. Then a note is left; the
        next copy from the same run of the server finds there what the setting was before. A server
        that is started again has forgotten it by itself.

        Raises:
            TargetError: `target.not_allowed`; it cannot be reached.
            DataError: `data.locked`: another copy is under way; `data.not_writable`: no note.
        """
        with Link(self._address) as link:
            run_id = self._info(link, "server")["run_id"]
            setting = self._setting(link, KEEP)
        with copy_note.held(run_id, setting, told=str(self._address)) as note:
            try:
                self._keep("yes")
                yield
            finally:
                with signals.ignored():  # a second Ctrl-C does not keep it from being put back
                    self._put_back(note)

    def rewrite(self, tell: Callable[[Step], None]) -> None:
        """Let the server rewrite its file from now on, and wait until it has.

        A rewrite that is under way already is awaited first: writes that are acknowledged and not
        yet in the file when it began are in the files after the next one.

        Raises:
            TargetError: `target.rewrite_failed`; it cannot be reached any more.
        """
        with Link(self._address) as link:
            refused = rewrites.anew(
                link, lambda: self._info(link, "persistence"), lambda info: tell(_step(info))
            )
            if refused:
                raise self._rewrite_failed(refused)
            status = self._info(link, "persistence").get("aof_last_bgrewrite_status")
            if status != "ok":
                raise self._rewrite_failed(f"aof_last_bgrewrite_status is {status}; see its log")

    def _put_back(self, note: copy_note.CopyNote) -> None:
        try:
            self._keep(note.before)
        except TargetError as error:
            if error.code != "target.unreachable":
                raise
            # it has ended, and has forgotten the setting
        note.remove()

    def _keep(self, value: str) -> None:
        with Link(self._address) as link:
            self._allowed(link.call("CONFIG", "SET", KEEP, value))

    def _setting(self, link: Link, name: str) -> str:
        reply = self._allowed(link.call("CONFIG", "GET", name))
        return _words(reply[1]) if isinstance(reply, tuple) and reply else ""

    def _info(self, link: Link, section: str) -> dict[str, str]:
        return infos.parse(_words(self._allowed(link.call("INFO", section))))

    def _allowed(self, reply: Reply) -> Reply:
        if not isinstance(reply, ErrorReply):
            return reply
        raise TargetError(
            "target.not_allowed",
            f"{self._address} does not allow what a copy needs",
            why=reply.text,
            do="name a user who may CONFIG GET, CONFIG SET, INFO and BGREWRITEAOF",
        )

    def _rewrite_failed(self, why: str) -> TargetError:
        return TargetError(
            "target.rewrite_failed",
            f"{self._address} did not rewrite its append-only file",
            why=why,
            do="sturdis verify tells whether the server is well; then sturdis copy again",
        )


def _step(info: dict[str, str]) -> Step:
    done, total = (int(info.get(f"current_save_keys_{x}", 0)) for x in ("processed", "total"))
    return Step("rewriting", done, total)


def _words(reply: Reply) -> str:
    if isinstance(reply, ErrorReply):
        return reply.text
    return reply.decode(errors="surrogateescape") if isinstance(reply, bytes) else str(reply)
