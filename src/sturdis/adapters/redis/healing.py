"""A server that refuses writes for its append-only file's sake, and the commands that end it."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sturdis.adapters.redis import rewrites
from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core import servers
from sturdis.core.address import Address
from sturdis.core.doctor import cut_short
from sturdis.core.doctor.healing import OF_THE_FILE, Refusing, State, is_stubborn
from sturdis.core.errors import TargetError
from sturdis.core.replies import ErrorReply, Reply, text
from sturdis.core.runs import PREFIX

POLL_SECONDS = 0.05

SETTLE_SECONDS = 2.0
"""Longest until the status follows a rewrite that went well: the old file is closed by a thread."""

FSYNC_SECONDS = 2.5
"""Longest until an fsync follows a write: everysec asks for one a second, and may put it off."""

RETRY_SECONDS = 2.5
"""Longest until a write that failed is tried again: each second, and a busy machine's patience."""

NOTHING = f"{PREFIX}:heal:nothing"
"""A key that is not there: to delete it is a write that changes nothing."""


@dataclass(frozen=True)
class SickServer:
    """A server at an address.

    Args:
        address: Where it answers.
        target: Its name for people.
    """

    address: Address
    target: str

    def refusing(self) -> Refusing:
        """Tell whether it takes writes, by one that changes nothing.

        Raises:
            TargetError: It does not answer; so do the other methods.
            AccessError: It does not let us in.
        """
        with Link(self.address) as link:
            reply = link.call("DEL", NOTHING)
            info = self._info(link)
        state = State.TAKES
        if isinstance(reply, ErrorReply):
            state = State.MISCONF if OF_THE_FILE.match(reply.text) else State.OTHER
        is_on = info.get("aof_enabled") == "1"
        likely = cut_short.is_likely(info)
        return Refusing(self.target, state, text(reply), is_on, _is_stubborn(info), likely)

    def still_fails(self) -> str:
        """Wait until it tries a write again that failed, which it does each second.

        What it could not write waits in its buffer; after a failed fsync nothing does, and nothing
        is tried again.
        """
        until = time.monotonic() + RETRY_SECONDS
        with Link(self.address) as link:
            while True:
                info = self._info(link)
                waits, status = (
                    info.get(f"aof_{x}") for x in ("buffer_length", "last_write_status")
                )
                if status != "err" or waits in {None, "0"}:
                    return ""
                if time.monotonic() > until:
                    return f"{waits} bytes wait to be written, and it tries each second"
                threading.Event().wait(POLL_SECONDS)

    def lasts(self) -> bool:
        """Write a key, remove it, and tell whether writes are still taken after the next fsync."""
        with Link(self.address) as link:
            link.call("SET", NOTHING, "1", "PX", round(FSYNC_SECONDS * 1000))
            link.call("DEL", NOTHING)
            until = time.monotonic() + FSYNC_SECONDS
            while time.monotonic() < until:
                if isinstance(link.call("DEL", NOTHING), ErrorReply):
                    return False
                threading.Event().wait(POLL_SECONDS)
        return True

    def rewrite(self) -> str:
        """Let it write its file anew, and wait; give why it failed, or nothing.

        Where the server says so itself, writes may be taken a moment later.
        """
        with Link(self.address) as link:
            if why := rewrites.anew(link, lambda: self._info(link)) or self._failure(link):
                return why
            if not _is_stubborn(self._info(link)):
                self._settle()
        return ""

    def toggle(self, seconds: float) -> str:
        """Switch its file off and on while writes are held back; give why it is not on in time.

        Interrupted in between, it is switched on before anything else.
        """
        with Link(self.address) as link:
            until = time.monotonic() + seconds
            self._allowed(link.call("CLIENT", "PAUSE", round(seconds * 1000), "WRITE"))
            try:
                self._allowed(link.call("CONFIG", "SET", "appendonly", "no"))
                try:
                    self._await_rewrite(link, until)  # one under way stands in its way
                finally:
                    on = self._switch_on(link, until)
                return on or self._await_rewrite(link, until)
            finally:
                link.call("CLIENT", "UNPAUSE")

    def _switch_on(self, link: Link, until: float) -> str:
        while True:
            reply = link.call("CONFIG", "SET", "appendonly", "yes")
            if not isinstance(reply, ErrorReply):
                return ""
            if time.monotonic() > until:
                return reply.text
            threading.Event().wait(POLL_SECONDS)

    def _await_rewrite(self, link: Link, until: float) -> str:
        for _info in rewrites.under_way(lambda: self._info(link)):
            if time.monotonic() > until:
                return "the rewrite goes on; it is on again when that is done"
        return self._failure(link)

    def _failure(self, link: Link) -> str:
        status = self._info(link).get("aof_last_bgrewrite_status")
        return "" if status == "ok" else f"aof_last_bgrewrite_status is {status}"

    def _settle(self) -> None:
        """Wait until writes are taken, for a moment."""
        until = time.monotonic() + SETTLE_SECONDS
        while self.refusing().state is State.MISCONF and time.monotonic() < until:
            threading.Event().wait(POLL_SECONDS)

    def _info(self, link: Link) -> dict[str, str]:
        return infos.parse(text(self._allowed(link.call("INFO"))))

    def _allowed(self, reply: Reply) -> Reply:
        if not isinstance(reply, ErrorReply):
            return reply
        raise TargetError(
            "target.not_allowed",
            f"{self.target} does not allow what healing needs",
            why=reply.text,
            do="name a user who may INFO, BGREWRITEAOF, CLIENT PAUSE and CONFIG SET",
        )


def _is_stubborn(info: Mapping[str, str]) -> bool:
    product, release = servers.told(info)
    return is_stubborn(product, tuple(int(one) for one in release.split(".") if one.isdecimal()))
