"""What is asked of a deployment that others made, before it is taken over."""

from collections.abc import Mapping

from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes import unseen
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.apply import ownership, persistence
from sturdis.core.apply.persistence import OURS, SETTING, Persistence
from sturdis.core.cluster import POD, SERVICE, STATEFUL_SET, Manifest, Ref
from sturdis.core.errors import ClusterError
from sturdis.core.facts import Unseen
from sturdis.core.render import metadata
from sturdis.core.spec import Spec

SECONDS = 10.0
"""Longest wait for the server's answer."""

SCRIPT = rf"""
[ -n "$REDISCLI_AUTH" ] || REDISCLI_AUTH=$REDIS_PASSWORD
if [ -n "$REDISCLI_AUTH" ]; then export REDISCLI_AUTH; else unset REDISCLI_AUTH; fi
redis-cli INFO persistence 2>&1
redis-cli INFO server 2>&1
for name in dir {" ".join(OURS)}; do
  echo "{SETTING}$name:$(redis-cli CONFIG GET $name 2>/dev/null | sed -n 2p)"
done
"""
"""The password is in the container already, where the charts in use put it: no one passes it on."""

ENDED = ("Succeeded", "Failed")


def persisted(
    cluster: Cluster, spec: Spec, pod: Manifest | None, live: Mapping[Ref, Manifest | None]
) -> Persistence | Unseen | None:
    """Ask a server that others started about its append-only file; None: it need not be asked.

    Raises:
        ClusterError: The cluster does not answer.
    """
    container = persistence.asked(live.get(Ref(STATEFUL_SET, spec.name, spec.namespace)), pod)
    if container is None:
        return None
    ref = Ref(POD, metadata.pod_name(spec), spec.namespace)
    try:
        ran = executing.run(cluster, ref, container, ("sh", "-c", SCRIPT), seconds=SECONDS)
    except ClusterError as error:
        return unseen.because(error)
    return persistence.parse((ran.out or ran.err).decode(errors="replace"))


def led_to(
    cluster: Cluster, spec: Spec, live: Mapping[Ref, Manifest | None]
) -> dict[Ref, tuple[str, ...] | Unseen]:
    """Give which pods the Services of others lead to, beside the deployment's own.

    Raises:
        ClusterError: The cluster does not answer.
    """
    return {
        ref: _selected(cluster, spec, one["spec"]["selector"])
        for ref, one in live.items()
        if one and ref.kind == SERVICE and one["spec"].get("selector")
        if not ownership.is_ours(one)
    }


def _selected(
    cluster: Cluster, spec: Spec, selector: Mapping[str, str]
) -> tuple[str, ...] | Unseen:
    try:
        pods = cluster.list(POD, spec.namespace, labels=selector)
    except ClusterError as error:
        if error.code != "cluster.forbidden":
            raise
        return unseen.because(error)
    alive = (one for one in pods if (one.get("status") or {}).get("phase") not in ENDED)
    names = (str(one["metadata"]["name"]) for one in alive)
    return tuple(name for name in names if name != metadata.pod_name(spec))
