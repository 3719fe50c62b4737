"""The ServiceMonitor: how Prometheus' operator finds the exporter; docs/adr/0034."""

from sturdis.core import cluster
from sturdis.core.cluster import Manifest
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

INTERVAL = "30s"
"""Time between two scrapes: two of them fit in the shortest wait of an alert."""

PORT = "metrics"
"""Name of the exporter's port in the headless Service."""


def service_monitor(spec: Spec) -> Manifest:
    """Give the ServiceMonitor; it selects the headless Service, which also names unready pods.

    `job` is the deployment's name and `instance` the pod's, so that a series goes on when the pod
    is replaced and gets another address.
    """
    return {
        "apiVersion": cluster.SERVICE_MONITOR.api_version,
        "kind": cluster.SERVICE_MONITOR.kind,
        "metadata": metadata.meta(spec, spec.name),
        "spec": {
            "selector": {"matchLabels": metadata.labels(spec, metadata.HEADLESS)},
            "endpoints": [
                {
                    "port": PORT,
                    "path": "/metrics",
                    "interval": INTERVAL,
                    "relabelings": [
                        {"action": "replace", "targetLabel": "job", "replacement": spec.name},
                        {
                            "action": "replace",
                            "sourceLabels": ["__meta_kubernetes_pod_name"],
                            "targetLabel": "instance",
                        },
                    ],
                }
            ],
        },
    }
