"""Metrics of BullMQ's queues; the count of jobs is named as by its own exportPrometheusMetrics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sturdis.core.bullmq import states
from sturdis.core.bullmq.search import Look
from sturdis.core.metrics.sample import Metric, Sample
from sturdis.core.replies import Reply

QUEUE = ("prefix", "queue")

JOBS = Metric("bullmq_job_count", "gauge", "Jobs of a queue by state.", (*QUEUE, "state"))
PAUSED = Metric("bullmq_queue_paused", "gauge", "1 when the queue is paused, else 0.", QUEUE)
EVENTS = Metric(
    "bullmq_events_stream_length", "gauge", "Entries of the queue's events stream.", QUEUE
)
OVERDUE = Metric(
    "bullmq_overdue_delayed_jobs", "gauge", "Delayed jobs whose time has come and gone.", QUEUE
)
OLDEST = Metric(
    "bullmq_oldest_waiting_job_age_seconds",
    "gauge",
    "Seconds since the job next in line was added, a delay included; 0: none waits.",
    QUEUE,
)
LEFT_OUT = Metric(
    "bullmq_queues_left_out", "gauge", "Queues found beyond those that metrics are given of."
)

METRICS = (JOBS, PAUSED, EVENTS, OVERDUE, OLDEST, LEFT_OUT)
"""All that are served of queues, in the order of docs/metrics.md."""

MOST_QUEUES = 5_000
"""Most queues that metrics are given of: 60,000 series."""


@dataclass(frozen=True)
class Seen:
    """A queue as it was last looked at."""

    look: Look
    added_ms: int | None
    """When the job next in line was added, Unix time in ms."""


def samples(
    found: Sequence[Seen], counted: Sequence[Sequence[Reply]], now_ms: int
) -> Iterator[Sample]:
    """Give the samples of queues.

    Args:
        found: The queues.
        counted: For each of the first, the replies to the counting of its states.
        now_ms: Unix time in ms.
    """
    for seen, replies in zip(found, counted, strict=False):
        labels = seen.look.queue.prefix, seen.look.queue.name
        for state, count in states.counts(replies):
            yield JOBS(count, *labels, state.name)
        yield PAUSED(int(seen.look.paused), *labels)
        yield EVENTS(seen.look.events, *labels)
        yield OVERDUE(seen.look.overdue, *labels)
        age_ms = 0 if seen.added_ms is None else max(0, now_ms - seen.added_ms)
        yield OLDEST(age_ms / 1000, *labels)
    yield LEFT_OUT(len(found) - len(counted))
