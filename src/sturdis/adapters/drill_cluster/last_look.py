"""The last that a server told of its fsyncs before it died, whoever ends it."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Self

from sturdis.adapters.redis.link import Link
from sturdis.core import info as infos
from sturdis.core.address import Address
from sturdis.core.errors import DrillError, SturdisError
from sturdis.core.replies import text


class LastLook(AbstractContextManager["LastLook"]):
    """Asks the server for INFO again and again, in a thread, until it answers no more."""

    def __init__(self, address: Address, now: Callable[[], int]) -> None:
        self._address = address
        self._now = now
        self._last: tuple[int, Mapping[str, str]] | None = None
        self._looked = threading.Event()
        self._over = threading.Event()
        self._dead = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        """Return when it has answered once.

        Raises:
            DrillError: `drill.not_served`: it does not answer.
        """
        self._looking.start()
        self._looked.wait()
        if self._last is None:
            raise _not_served("it did not answer INFO before it was killed")
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._looking.join()

    def last(self, seconds: float) -> tuple[int, Mapping[str, str]]:
        """Give when it answered for the last time, and what, once it does not any more.

        Raises:
            DrillError: `drill.hook_failed`: it answers still after `seconds`.
        """
        if not self._dead.wait(seconds) or self._last is None:
            raise DrillError(
                "drill.hook_failed",
                "the hook `kill` ended well, and the server lives on",
                why=f"it answers still after {seconds:.0f} s",
                do="let it end process 1 of {container-id} with SIGKILL, on {node}",
            )
        return self._last

    def _look(self) -> None:
        try:
            with Link(self._address) as link:
                while not self._over.is_set():
                    told = text(link.call("INFO"))
                    self._last = self._now(), infos.parse(told)
                    self._looked.set()
        except SturdisError:
            self._dead.set()
        finally:
            self._looked.set()


def _not_served(why: str) -> DrillError:
    return DrillError(
        "drill.not_served",
        "the server did not serve as the drill needs",
        why=why,
        do="sturdis doctor    says what is wrong with it",
    )
