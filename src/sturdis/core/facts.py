"""What was seen of a running Redis: values that checks judge, gathered by adapters.

A fact that could not be seen is `Unseen` with the reason, never a guess: the check on it answers
unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unseen:
    """A fact that could not be had, and why, in a few words."""

    reason: str


@dataclass(frozen=True)
class Pinged:
    """What the server answered to PING, and after how many milliseconds."""

    text: str
    milliseconds: float


@dataclass(frozen=True)
class Refused:
    """An attempt that the server, or what stands before it, turned down: its own words."""

    reason: str


@dataclass(frozen=True)
class RoundTrip:
    """A key that was written, read back and deleted."""

    key: str
    written: str
    read: str | None
    deleted: int


@dataclass(frozen=True)
class JobRun:
    """A BullMQ job that was added to a queue of its own and worked on."""

    queue: str
    job_id: str
    state: str
    """BullMQ's name of the state the job ended in: completed, failed, …"""
    sent: str
    returned: str
    milliseconds: float


@dataclass(frozen=True)
class NoScrape:
    """A metrics endpoint that gave no metrics: its address, and why."""

    url: str
    reason: str


@dataclass(frozen=True)
class Scrape:
    """What the metrics endpoint gave: its address, and each sample without labels by its name."""

    url: str
    samples: Mapping[str, float]


@dataclass(frozen=True)
class ServerFacts:
    """One look at a running server.

    `config` holds `CONFIG GET` values by name, as the server spells them.
    """

    address: str
    """Where it was seen, without the password."""
    cli: str
    """What to type before a Redis command to reach it again: `sturdis cli`, with options."""
    ping: Pinged
    config: Mapping[str, str] | Unseen
    password_required: bool | Unseen
    round_trip: RoundTrip | Refused | Unseen
    scrape: Scrape | NoScrape | Unseen
    job: JobRun | Refused | Unseen


CONFIG_NAMES = (
    "appendonly",
    "appendfsync",
    "bind",
    "maxmemory",
    "maxmemory-policy",
    "protected-mode",
)
"""The settings that checks look at."""
