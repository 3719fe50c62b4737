"""The server whose data a new one is given: what must not follow it, and what is told.

Only a server that serves is proof of who wrote the data: a set may say an image that never ran.
Where none serves, the start script still refuses a base that its server cannot read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sturdis.core import spec as specs
from sturdis.core import upgrade
from sturdis.core.apply.facts import Facts
from sturdis.core.apply.takeover import VOLUME
from sturdis.core.cluster import STATEFUL_SET, Manifest, Ref
from sturdis.core.errors import DataError
from sturdis.core.spec import Spec
from sturdis.core.upgrade import Move, Verdict


def objections(spec: Spec, facts: Facts) -> Iterator[DataError]:
    """Say that the spec's server cannot read what the running one has written."""
    old = serving_image(facts.pod)
    if old is None:
        return
    move = _judged(spec, facts, old)
    if move.verdict is Verdict.FORBIDDEN:
        yield DataError(
            "data.newer_server",
            move.why,
            why=f"{spec.name}-0 serves from {old}, the spec says {specs.engine_image(spec)}",
            do=f"write engine.image: {old}, or a newer release of it, into the spec; or deploy the "
            "other server under another name and move the jobs over",
        )


def warnings(spec: Spec, facts: Facts) -> Iterator[str]:
    """Tell of a move that has no way back, or of which it is not known whether it goes well."""
    if facts.claim is None:
        return
    old = serving_image(facts.pod)
    if old is not None:
        move = _judged(spec, facts, old)
        if move.why:
            doubt = "; its start script refuses data that it cannot read"
            yield move.why + (doubt if move.verdict is Verdict.UNKNOWN else "")
        return
    live = facts.live.get(Ref(STATEFUL_SET, spec.name, spec.namespace))
    said = None if live is None else _image(live["spec"]["template"]["spec"])
    if said is not None and _judged(spec, facts, said).verdict is Verdict.FORBIDDEN:
        yield (
            f"no server serves that would tell who wrote the data; if {said} did, "
            f"{specs.engine_image(spec)} refuses to start on it"
        )


def serving_image(pod: Manifest | None) -> str | None:
    """Give the image of the server that serves; None: none does."""
    if pod is None:
        return None
    container = server_container(pod["spec"])
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    name = None if container is None else container["name"]
    serves = any(one["name"] == name and one.get("started") for one in statuses)
    return str(container["image"]) if container is not None and serves else None


def server_container(pod_spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give the container that has the data; None: there is none."""
    for container in pod_spec.get("containers") or ():
        mounts = container.get("volumeMounts") or ()
        if any(mount["name"] == VOLUME for mount in mounts):
            found: Mapping[str, Any] = container
            return found
    return None


def _image(pod_spec: Mapping[str, Any]) -> str | None:
    container = server_container(pod_spec)
    return None if container is None else str(container["image"])


def _judged(spec: Spec, facts: Facts, old: str) -> Move:
    return upgrade.judge(old, specs.engine_image(spec), running=facts.server)
