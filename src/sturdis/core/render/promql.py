"""Queries of one deployment: what alerts and dashboard ask Prometheus."""

from sturdis.core.render import metadata
from sturdis.core.spec import Spec


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
    """Give the jobs that wait, by queue, as `queue_script` counts them.

    The name of the queue is taken from a label: no name is ever written into a query.
    """
    counted = of(spec, "redis_script_values")
    named = f'label_replace({counted}, "queue", "$1", "key", "(?s)(.*)")'
    return f"max by (namespace, job, queue) ({named})"
