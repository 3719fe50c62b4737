"""The metrics of one server and of the queues in it, read over one connection."""

import itertools
import time

from sturdis.adapters.redis import queue_search
from sturdis.adapters.redis.kept_link import KeptLink
from sturdis.adapters.redis.queue_search import QueueSearch
from sturdis.core import info as infos
from sturdis.core import replies
from sturdis.core.address import Address
from sturdis.core.errors import SturdisError
from sturdis.core.metrics import queues, server
from sturdis.core.metrics.queues import MOST_QUEUES
from sturdis.core.metrics.sample import Sample
from sturdis.core.replies import Reply

FIRST_SEARCH_SECONDS = 1.0
"""Longest that a scrape waits for the first search of queues; 100,000 keys take less."""


class MetricsSource:
    """Reads the server at `address`, from the first `read` until `close`.

    Args:
        address: Where it answers, and as whom to speak to it; queues are those of its database.
        search_seconds: Rest between two searches for queues.
    """

    def __init__(
        self, address: Address, *, search_seconds: float = queue_search.EVERY_SECONDS
    ) -> None:
        self._link = KeptLink(address)
        self._search = QueueSearch(self._link, every_seconds=search_seconds)
        self._scrapes = itertools.count(1)

    def read(self) -> list[Sample]:
        """Give the samples of one scrape; of a server that does not answer, that it is down."""
        began = time.perf_counter()
        try:
            samples, refusal = self._read()
        except SturdisError as error:
            samples, refusal = [], error.code
        if refusal:
            samples = [server.UP(0)]
        return [
            *samples,
            server.SCRAPES(next(self._scrapes)),
            server.SCRAPE_SECONDS(time.perf_counter() - began),
            server.SCRAPE_ERROR(int(bool(refusal)), refusal),
        ]

    def close(self) -> None:
        """Stop searching and close the connection."""
        self._search.close()
        self._link.close()

    def _read(self) -> tuple[list[Sample], str]:
        """Ask once; give the samples, and the first word of the error reply where it is one."""
        answer, databases = self._link.call_all(
            [("INFO", *server.SECTIONS), ("CONFIG", "GET", "databases")]
        )
        if not isinstance(answer, bytes):
            return [], replies.bare(answer).decode().split(" ")[0]
        info = infos.parse(answer.decode(errors="replace"))
        samples = list(server.samples(info, _number(databases)))
        if info.get("loading") == "0":
            samples += self._of_queues()
        return samples, ""

    def _of_queues(self) -> list[Sample]:
        self._search.start()
        found = self._search.found(first_seconds=FIRST_SEARCH_SECONDS)
        counting = [seen.look.queue.counting() for seen in found[:MOST_QUEUES]]
        replies = iter(self._link.call_all([one for commands in counting for one in commands]))
        counted = [[next(replies) for _ in commands] for commands in counting]
        return list(queues.samples(found, counted, time.time_ns() // 1_000_000))


def _number(databases: Reply) -> int:
    """Read the reply to CONFIG GET databases; where that is refused, say what is usual."""
    match databases:
        case (b"databases", bytes(number)):
            return int(number)
        case _:
            return server.DATABASES
