"""Queries of one deployment: what alerts and dashboard ask Prometheus."""

from urllib.parse import quote

from sturdis.core import units
from sturdis.core.errors import SpecError
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

PREFIX = "bull"
"""What BullMQ begins its keys with unless it is told otherwise."""

WAITING = ("wait", "prioritized", "paused")
"""Keys of a queue that hold jobs a worker could take now; `paused` is BullMQ 5's and older."""

LONGEST_VALUE = 131_072 - len("REDIS_EXPORTER_CHECK_SINGLE_KEYS=") - 1
"""Most bytes of the exporter's list of keys: Linux starts no program with a longer variable
(MAX_ARG_STRLEN of execve(2))."""


def of(spec: Spec, metric: str, matchers: str = "") -> str:
    """Select a metric of the deployment's exporter, and of no other in the same Prometheus.

    `matchers` are more of PromQL's: `err="OOM"`.
    """
    ours = f'namespace="{spec.namespace}",job="{spec.name}"'
    return f"{metric}{{{ours}{f',{matchers}' if matchers else ''}}}"


def of_volume(spec: Spec, metric: str) -> str:
    """Select a metric that the kubelet gives of the deployment's volume."""
    claim = metadata.claim_name(spec)
    return f'{metric}{{namespace="{spec.namespace}",persistentvolumeclaim="{claim}"}}'


def waiting_jobs(spec: Spec) -> str:
    """Count the jobs that wait, by queue, for those that `check_single_keys` names.

    The name of the queue is taken from the key, so no name is ever written into a query.
    """
    keys = of(spec, "redis_key_size", f'key=~"{PREFIX}:[^:]+:({"|".join(WAITING)})"')
    named = f'label_replace({keys}, "queue", "$1", "key", "{PREFIX}:([^:]+):[a-z]+")'
    return f"sum by (namespace, job, queue) ({named})"


def check_single_keys(spec: Spec) -> str:
    """Give redis_exporter's REDIS_EXPORTER_CHECK_SINGLE_KEYS for `monitoring.queues`; may be "".

    It splits at commas, takes `db0=` off and undoes percent-encoding, so every name can be given.

    Raises:
        SpecError: The names are too long together for a variable of the environment.
    """
    keys = (f"{PREFIX}:{queue}:{part}" for queue in spec.monitoring.queues for part in WAITING)
    value = ",".join(f"db0={quote(key, safe=':')}" for key in keys)
    if len(value) > LONGEST_VALUE:
        raise SpecError(
            "spec.invalid",
            f"monitoring.queues: {len(spec.monitoring.queues)} names are too long together",
            why=f"the exporter is given them in one variable of {units.human_bytes(len(value))}, "
            f"and Linux takes {LONGEST_VALUE} bytes",
            do="name fewer queues, those whose depth should wake somebody",
        )
    return value
