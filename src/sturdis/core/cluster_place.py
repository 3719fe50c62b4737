"""Where a deployment is in a cluster: what is looked at for a spec, and what to type about it."""

from dataclasses import dataclass

from sturdis.core.cluster import CLAIM, CONFIG_MAP, POD, STATEFUL_SET, Manifest, Ref, ref_of
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.cluster_facts import LiveObject
from sturdis.core.render import configuration, metadata, objects
from sturdis.core.spec import Spec

CONTAINER = "redis"
"""The server's container in the pod."""


@dataclass(frozen=True)
class Place:
    """What is looked at: the deployment's objects by name, and what to type to reach them."""

    pod: Ref
    container: str
    claim: Ref
    config: Ref
    """The ConfigMap with the start script."""
    wanted: tuple[Manifest, ...]
    """All objects of the deployment, as they are rendered."""
    host: str
    """The name that clients are given."""
    cli: str
    kubectl: str
    apply: str
    grow: str


def client_host(spec: Spec) -> str:
    """Name the Service as clients are given it."""
    return f"{spec.name}.{spec.namespace}.svc.cluster.local"


def place(spec: Spec, request: ClusterRequest) -> Place:
    """Say what is looked at for `spec`, whose namespace is the one that is meant."""
    return Place(
        pod=Ref(POD, metadata.pod_name(spec), spec.namespace),
        container=CONTAINER,
        claim=Ref(CLAIM, metadata.claim_name(spec), spec.namespace),
        config=Ref(CONFIG_MAP, configuration.name(spec), spec.namespace),
        wanted=tuple(objects.deployment(spec).values()),
        host=client_host(spec),
        cli=request.cli,
        kubectl=request.kubectl(spec.namespace),
        apply=request.apply,
        grow=request.grow,
    )


def is_guarded(place: Place, pod: Manifest, config: LiveObject) -> bool:
    """Tell whether the start script of the spec, guard included, runs before each start of a pod.

    Args:
        place: The deployment.
        pod: The pod that runs.
        config: The ConfigMap that is mounted into it.
    """
    (template,) = (
        one["spec"]["template"] for one in place.wanted if one["kind"] == STATEFUL_SET.kind
    )
    (wanted,) = (one["data"] for one in place.wanted if ref_of(one) == place.config)
    commands = [
        [one.get("command") for one in containers if one["name"] == place.container]
        for containers in (template["spec"]["containers"], pod["spec"]["containers"])
    ]
    live = config.get("data", {}) if isinstance(config, dict) else {}
    script = configuration.START
    return commands[0] == commands[1] and live.get(script) == wanted[script]
