"""A spec to all the objects of its deployment."""

from sturdis.core.cluster import Manifest
from sturdis.core.render import configuration, network, workload
from sturdis.core.render.alerts import prometheus_rule
from sturdis.core.render.dashboard import dashboard
from sturdis.core.render.service_monitor import service_monitor
from sturdis.core.spec import Spec

NOT_OURS = "default"
"""A namespace that is there before anybody's deployment: what runs in it is not confined by us."""


def deployment(spec: Spec) -> dict[str, Manifest]:
    """Give each object by the file that carries it, in the order in which they are applied."""
    config = configuration.config_map(spec)
    found = {}
    if spec.namespace != NOT_OURS:
        found["namespace.yaml"] = network.namespace(spec)
    found |= {
        "configmap.yaml": config,
        "service.yaml": network.service(spec),
        "service-headless.yaml": network.headless_service(spec),
    }
    if spec.access.network_policy:
        found["networkpolicy.yaml"] = network.network_policy(spec)
    found["statefulset.yaml"] = workload.stateful_set(spec, config)
    if spec.monitoring.service_monitor:
        found["servicemonitor.yaml"] = service_monitor(spec)
    if spec.monitoring.rules:
        found["prometheusrule.yaml"] = prometheus_rule(spec)
    if spec.monitoring.dashboard:
        found["dashboard.yaml"] = dashboard(spec)
    return found
