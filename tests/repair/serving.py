"""A real server on a folder, what it then holds of BullMQ's jobs, and a job added to it.

Read with one script of our own, not with what `repair` reads with: the judge shares nothing with
the judged.
"""

import asyncio
import contextlib
import hashlib
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from bullmq import Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.integration.servers import wait_until
from tests.repair.obeying import connect
from tests.repair.orders import QUEUES

LISTS = ("wait", "paused", "active")
SETS = ("delayed", "prioritized", "waiting-children", "completed", "failed")

READ = """
local out = {}
for _, queue in ipairs(ARGV) do
  local base, ids, hashes = 'bull:' .. queue .. ':', {}, {}
  for _, state in ipairs({'wait', 'paused', 'active'}) do
    for _, id in ipairs(redis.call('LRANGE', base .. state, 0, -1)) do
      ids[#ids + 1] = {id, state}
    end
  end
  for _, state in ipairs({'delayed', 'prioritized', 'waiting-children', 'completed', 'failed'}) do
    for _, id in ipairs(redis.call('ZRANGE', base .. state, 0, -1)) do
      ids[#ids + 1] = {id, state}
    end
  end
  for _, key in ipairs(redis.call('KEYS', base .. '*')) do
    local id = string.sub(key, #base + 1)
    if not string.find(id, ':', 1, true) and id ~= 'meta' and
        redis.call('TYPE', key)['ok'] == 'hash' then
      hashes[#hashes + 1] = {id, redis.call('HGET', key, 'data') or ''}
    end
  end
  out[#out + 1] = {queue, ids, hashes, redis.call('GET', base .. 'id') or '0'}
end
return out
"""


@dataclass(frozen=True)
class Job:
    """A job hash: what its data comes to, and every place where its id stands."""

    uuid: str
    """Of its data; empty where that cannot be read."""
    payload: str
    """SHA-256 of its data."""
    states: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """What a server holds: each job by queue and id, and ids that stand somewhere without one."""

    jobs: Mapping[tuple[str, str], Job]
    ghosts: tuple[tuple[str, str, str], ...]
    """Queue, id and state."""
    strays: int
    """Keys in a database that they were never written to."""

    @property
    def by_uuid(self) -> Mapping[str, Sequence[Job]]:
        """Jobs by the UUID in their data."""
        found: dict[str, list[Job]] = {}
        for job in self.jobs.values():
            found.setdefault(job.uuid, []).append(job)
        return found

    def highest(self, queue: str) -> int:
        """Highest id that BullMQ's counter gave."""
        ids = (int(job_id) for name, job_id in self.jobs if name == queue and job_id.isdecimal())
        return max(ids, default=0)


class Serving:
    """A server that has loaded its folder."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.link = _client(socket)

    def held(self) -> Held:
        """Read all jobs."""
        told: Any = self.link.eval(READ, 0, *QUEUES)
        return _held(told, self._strays())

    def add(self) -> Mapping[str, str]:
        """Add a job to each queue with BullMQ, and give the ids by queue."""
        return asyncio.run(_added(self.socket))

    def _strays(self) -> int:
        with _client(self.socket, db=1) as cache:
            ours: Any = cache.keys("bull:*")
        pages: Any = self.link.keys("page:*")
        return len(ours) + len(pages)


def _client(socket: str, db: int = 0) -> redis.Redis:
    """Give a client that tries once: it waits on nothing but the server."""
    return redis.Redis(unix_socket_path=socket, db=db, retry=Retry(NoBackoff(), 0))


async def _added(socket: str) -> Mapping[str, str]:
    client = connect(socket)
    ids = {}
    for name in QUEUES:
        job = await Queue(name, {"connection": client}).add("after", {"uuid": "after"})
        ids[name] = str(job.id)
    await client.aclose()
    return ids


@dataclass(frozen=True)
class Refused:
    """A server that ended instead of loading its folder."""

    status: int
    last: str
    """The last line that it logged."""


@contextlib.contextmanager
def serving(server: str, data: Path, *settings: str) -> Iterator[Serving | Refused]:
    """Start a server on a folder as it is, and kill it at the end."""
    with tempfile.TemporaryDirectory(prefix="rep-", dir="/tmp") as home:
        socket = f"{home}/s"
        command = [server, "--port", "0", "--unixsocket", socket, "--dir", str(data)]
        options = ["--save", "", "--appendonly", "yes", "--aof-timestamp-enabled", "yes"]
        # without an fsync no write waits for one that is under way: all is written before its reply
        options += ["--appendfsync", "no"]
        with (
            (Path(home) / "log").open("wb") as log,
            subprocess.Popen([*command, *options, *settings], stdout=log, stderr=log) as process,
        ):
            try:
                life = Serving(socket)
                wait_until(lambda: _loaded(life) or process.poll() is not None, "PONG", seconds=60)
                status = process.poll()
                yield life if status is None else Refused(status, _last(Path(home) / "log"))
            finally:
                life.link.close()
                process.kill()


def _last(log: Path) -> str:
    return log.read_text(errors="replace").strip().rpartition("\n")[2]


def _loaded(life: Serving) -> bool:
    with contextlib.suppress(redis.ConnectionError):  # also BusyLoadingError
        return bool(life.link.ping())
    return False


def _held(told: Sequence[Any], strays: int) -> Held:
    jobs, ghosts = {}, []
    for name, ids, hashes, _counter in told:
        queue = name.decode()
        states: dict[bytes, list[str]] = {}
        for job_id, state in ids:
            states.setdefault(job_id, []).append(state.decode())
        for job_id, data in hashes:
            where = tuple(states.pop(job_id, ()))
            payload = hashlib.sha256(data).hexdigest()
            jobs[queue, _text(job_id)] = Job(_uuid(data), payload, where)
        ghosts += [
            (queue, _text(job_id), state) for job_id, all_ in states.items() for state in all_
        ]
    return Held(jobs, tuple(ghosts), strays)


def _uuid(data: bytes) -> str:
    try:
        return str(json.loads(data)["uuid"])
    except (ValueError, KeyError, TypeError):
        return ""


def _text(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")


def states_of(held: Held) -> Counter[str]:
    """Count jobs by state; a job in two counts twice, one in none as an orphan."""
    return Counter(state for job in held.jobs.values() for state in job.states or ("orphan",))
