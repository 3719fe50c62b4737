"""What happened to jobs and to the server during a drill, one event a line of the ledger's log.

A job is known by the UUID in its data and never by BullMQ's job id: after a rollback the ids'
counter gives the same ids again, and a lost job would look like the new one that took its id.

All times are whole milliseconds since 1970, by the clock of the machine that wrote them.
"""

from enum import Enum

import msgspec

from sturdis.core.drill.phases import Part


class _Event(msgspec.Struct, frozen=True, tag_field="event", forbid_unknown_fields=True):
    """Something that happened at a time, in milliseconds since 1970."""

    at: int


class Intent(_Event, frozen=True, tag="intent"):
    """A producer is about to add a job; on disk before the add is sent."""

    uuid: str
    queue: str
    kind: str
    delay: int = 0
    """How long the job is to wait before it may start, in milliseconds."""
    parent: str = ""
    """UUID of the job that this one is a child of."""


class Acknowledged(_Event, frozen=True, tag="acknowledged"):
    """The add returned: from here on the job may not be lost."""

    uuid: str
    job_id: str


class Rejected(_Event, frozen=True, tag="rejected"):
    """The server refused the add at its first write: the job is the producer's again."""

    uuid: str
    reason: str


class InDoubt(_Event, frozen=True, tag="in doubt"):
    """The add ended, or never did, without telling whether the job was added."""

    uuid: str
    reason: str


class Started(_Event, frozen=True, tag="started"):
    """A processor was given the job."""

    uuid: str
    job_id: str
    worker: str
    starts: int
    """How often Redis says that the job was given to a worker, this time included (`ats`)."""
    attempts: int
    """How often Redis says that the job failed and was retried before this start (`atm`)."""


class FailedOnPurpose(_Event, frozen=True, tag="failed on purpose"):
    """A processor failed the job as its load plan asked, so that BullMQ retries it."""

    uuid: str
    job_id: str
    worker: str
    starts: int


class Done(_Event, frozen=True, tag="done"):
    """A processor did the job's work; on disk before the processor returns."""

    uuid: str
    job_id: str
    worker: str
    starts: int


class Killed(_Event, frozen=True, tag="killed"):
    """The server's process was ended with SIGKILL."""

    round: int
    pid: int
    delayed_fsyncs: int | None
    """`aof_delayed_fsync` of this life of the server, last seen before the kill; None: unknown."""
    fsync_pending: bool | None
    """Whether an fsync was under way when it was last looked at; None: unknown."""
    unwritten: tuple[str, ...] = ()
    """Jobs that were asked for shortly before, and that its files lack."""
    files_read: bool = False
    """Whether its files were read right after the kill: `unwritten` tells then what they lack."""
    late_fsyncs: int | None = None
    """By how much `aof_delayed_fsync` rose during the last looks; None: unknown."""


class Served(_Event, frozen=True, tag="served"):
    """The server was seen to answer again after a kill."""

    round: int
    pid: int


class Destroyed(_Event, frozen=True, tag="destroyed"):
    """Bytes of the data are gone: a fault destroyed them, or what mended it cut them off."""

    round: int
    size: int
    """How many bytes."""
    uuids: tuple[str, ...] = ()
    """Jobs that are named in these bytes, and may be nowhere else."""
    everything: bool = False
    """Whether they were all of the data: every job that was acknowledged before may be lost."""


class PowerCut(_Event, frozen=True, tag="power cut"):
    """What no fsync had covered is gone, or part of it; the kill of the round says when."""

    round: int
    synced_at: int | None
    """When the last completed fsync of an increment began (ms since 1970); None: none did."""
    longest_fsync: int
    """Of all fsyncs until then, in milliseconds."""
    lost: int
    """Bytes that were written to the increments and are gone."""
    unsynced: int
    """Bytes that were written to them and no fsync had covered."""
    uuids: tuple[str, ...] = ()
    """Jobs whose data is in the bytes that are gone. A worker may still start one, from memory."""
    at_stake: int = 0
    """Jobs whose data no fsync had covered."""


class Phase(_Event, frozen=True, tag="phase"):
    """A part of the drill's run, which began at `at`."""

    part: Part
    round: int
    """0 before and after all rounds."""
    until: int
    """When it was over (ms since 1970)."""


ServerEvent = Killed | Served | Destroyed | PowerCut | Phase
"""What happened to the server, its data or the drill, and not to one job."""

JobEvent = Intent | Acknowledged | Rejected | InDoubt | Started | FailedOnPurpose | Done

Event = JobEvent | ServerEvent

_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """Give the event as one line of the log, newline included."""
    return msgspec.json.encode(event) + b"\n"


def decode(line: bytes) -> Event | None:
    """Read one line of the log; None: it is not a whole event."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class State(Enum):
    """Where a job is in Redis: the list or set that holds its id."""

    WAIT = "wait"
    PAUSED = "paused"
    ACTIVE = "active"
    DELAYED = "delayed"
    PRIORITIZED = "prioritized"
    WAITING_CHILDREN = "waiting-children"
    COMPLETED = "completed"
    FAILED = "failed"
    ORPHAN = "orphan"
    """In none: its hash is there, and no worker will ever be given it."""


class SurveyedJob(msgspec.Struct, frozen=True):
    """What Redis holds of one job of the drill at its end."""

    uuid: str
    job_id: str
    state: State
    failed_reason: str = ""
    starts: int = 0
    """`ats`: how often it was given to a worker."""
    stalls: int = 0
    """`stc`: how often its worker was found to have lost it."""


class Survey(msgspec.Struct, frozen=True):
    """What Redis holds of all jobs of the drill, read from `at` on, while nothing moved."""

    at: int
    jobs: tuple[SurveyedJob, ...]
