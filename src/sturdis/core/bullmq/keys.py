"""The keys that BullMQ keeps for a queue and for a plain job, by name; docs/adr/0012.

Job schedulers (`repeat:<id>`) and deduplication (`de:<id>`, `dn:<id>`) add keys of their own.
"""

QUEUE_PARTS = (
    "active",
    "completed",
    "delayed",
    "events",
    "failed",
    "id",
    "limiter",
    "marker",
    "meta",
    "metrics:completed",
    "metrics:completed:data",
    "metrics:failed",
    "metrics:failed:data",
    "paused",
    "pc",
    "prioritized",
    "repeat",
    "stalled",
    "stalled-check",
    "wait",
    "waiting-children",
)
"""Keys of a queue that do not belong to one job, after `<prefix>:<queue>:`."""

JOB_PARTS = ("", ":dependencies", ":failed", ":lock", ":logs", ":processed", ":unsuccessful")
"""Keys of a job, after `<prefix>:<queue>:<job id>`."""


def of_queue(prefix: str, queue: str) -> tuple[str, ...]:
    """Name the keys of a queue that do not belong to one job."""
    return tuple(f"{prefix}:{queue}:{part}" for part in QUEUE_PARTS)


def of_job(prefix: str, queue: str, job_id: str) -> tuple[str, ...]:
    """Name the keys of one job."""
    return tuple(f"{prefix}:{queue}:{job_id}{part}" for part in JOB_PARTS)


SIGNS = ("active", "completed", "events", "failed", "id", "marker", "meta", "wait")
"""Keys of a queue by which it is recognised; every version of BullMQ leaves two or more."""

ENOUGH_SIGNS = 2
"""How many of `SIGNS` make a queue: one alone may be somebody else's `user:7:id`."""


def signs(base: str) -> tuple[str, ...]:
    """Name the keys by which a queue is recognised whose keys begin with `base`."""
    return tuple(f"{base}:{part}" for part in SIGNS)


def bases(key: str) -> tuple[str, ...]:
    """Give what the keys of a queue may begin with, if `key` is one of them: `bull:mails`."""
    parts = key.split(":")
    return tuple(":".join(parts[:count]) for count in range(2, len(parts)))
