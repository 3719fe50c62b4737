"""What Redis holds of a drill's jobs: every job hash of its queues, with the state it is in."""

import time
from collections.abc import Iterator, Sequence

import msgspec

from sturdis.adapters.redis import scanning
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.bullmq import keys, states
from sturdis.core.drill.events import State, Survey, SurveyedJob
from sturdis.core.errors import TargetError
from sturdis.core.replies import ErrorReply, Reply

FIELDS = ("data", "failedReason", "ats", "stc")
"""What is read of a job's hash: its UUID is in `data`."""

AT_ONCE = 500
"""Jobs asked for in one go."""

LISTS = frozenset(state.part for state in states.STATES if state.count == "LLEN")
"""Keys of states that are lists; all others are sorted sets."""

TO_COME = (
    State.WAIT, State.PAUSED, State.ACTIVE, State.DELAYED, State.PRIORITIZED,
    State.WAITING_CHILDREN,
)  # fmt: skip
"""States of jobs that a worker is still to be given, or to finish."""


class _Data(msgspec.Struct):
    uuid: str = ""


def pending(link: Link, prefix: str, queues: Sequence[str]) -> int:
    """Count the jobs of the queues that are still to be done, orphans left out.

    All are counted at one moment: a job that moves meanwhile is in one of two places, not in none.

    Raises:
        TargetError: The server does not answer, or refuses to.
    """
    counts = [_count(f"{prefix}:{queue}", state) for queue in queues for state in TO_COME]
    *_queued, done = link.call_all([("MULTI",), *counts, ("EXEC",)])
    sizes = (_answered(size) for size in _array(_answered(done)))
    return sum(size for size in sizes if isinstance(size, int))


def take(address: Address, prefix: str, queues: Sequence[str]) -> Survey:
    """Read every job of the queues whose data names a UUID. Jobs must not move meanwhile.

    Raises:
        TargetError: The server does not answer, or refuses to.
        AccessError: It does not let us in.
    """
    at = time.time_ns() // 1_000_000
    with Link(address) as link:
        jobs = [job for queue in queues for job in _jobs(link, f"{prefix}:{queue}")]
    return Survey(at, tuple(jobs))


def _jobs(link: Link, queue: str) -> Iterator[SurveyedJob]:
    state_of = {
        job_id: state
        for state in State
        if state is not State.ORPHAN
        for job_id in _members(link, queue, state)
    }
    for job_id, fields in _read(link, queue, sorted(_hashes(link, queue))):
        data, reason, starts, stalls = (_text(field) for field in fields)
        if uuid := _uuid(data):
            state = state_of.get(job_id, State.ORPHAN)
            yield SurveyedJob(uuid, job_id, state, reason, int(starts or 0), int(stalls or 0))


def _read(link: Link, queue: str, job_ids: Sequence[str]) -> Iterator[tuple[str, Sequence[Reply]]]:
    """Give the fields of each job, asking for many at a time."""
    for first in range(0, len(job_ids), AT_ONCE):
        some = job_ids[first : first + AT_ONCE]
        replies = link.call_all([("HMGET", f"{queue}:{job_id}", *FIELDS) for job_id in some])
        for job_id, reply in zip(some, replies, strict=True):
            yield job_id, _array(_answered(reply))


def _hashes(link: Link, queue: str) -> set[str]:
    """Find the ids of all jobs by their hashes: an orphan is in no list."""
    found: set[str] = set()
    for names in scanning.steps(link, "MATCH", f"{_literally(queue)}:*", "TYPE", "hash"):
        rests = (_text(name).removeprefix(f"{queue}:") for name in names)
        found.update(rest for rest in rests if ":" not in rest and rest not in keys.QUEUE_PARTS)
    return found


def _members(link: Link, queue: str, state: State) -> list[str]:
    read = "LRANGE" if state.value in LISTS else "ZRANGE"
    reply = _answered(link.call(read, f"{queue}:{state.value}", 0, -1))
    return [_text(member) for member in _array(reply)]


def _count(queue: str, state: State) -> tuple[str, str]:
    return "LLEN" if state.value in LISTS else "ZCARD", f"{queue}:{state.value}"


def _uuid(data: str) -> str:
    """Read the UUID out of a job's data; empty: the job is not of a drill."""
    try:
        return msgspec.json.decode(data or "{}", type=_Data).uuid
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ""


def _literally(text: str) -> str:
    r"""Write a name so that SCAN's pattern takes it as it is: `[a]*` becomes `\[a\]\*`."""
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in text)


def _answered(reply: Reply) -> Reply:
    if isinstance(reply, ErrorReply):
        raise TargetError(
            "target.refused",
            "the server refused to show its jobs",
            why=reply.text,
            do="allow the user to read the queues' keys, and SCAN",
        )
    return reply


def _array(reply: Reply) -> Sequence[Reply]:
    return reply if isinstance(reply, tuple) else ()


def _text(reply: Reply) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else ""
