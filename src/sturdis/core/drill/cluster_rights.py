"""What the user of a context must be allowed to do before a drill in a cluster begins."""

from collections.abc import Iterator

from sturdis.core.apply.facts import Right
from sturdis.core.cluster import CONFIG_MAP, NODE, POD, SECRET, Kind
from sturdis.core.doctor import declaring
from sturdis.core.drill.faults.cluster import NodeCrash, PodDelete
from sturdis.core.drill.scenario import Scenario
from sturdis.core.spec import Spec

POD_EXEC = Kind("", "v1", "Pod", "pods/exec")
POD_PORT_FORWARD = Kind("", "v1", "Pod", "pods/portforward")


def needed(scenario: Scenario, spec: Spec) -> list[Right]:
    """Give what the user must be allowed to do to run `scenario` on the deployment of `spec`."""
    return list(dict.fromkeys(_needed(scenario, spec)))


def _needed(scenario: Scenario, spec: Spec) -> Iterator[Right]:
    here = spec.namespace
    yield from (Right(verb, POD, here) for verb in ("get", "watch"))
    yield Right("get", POD_PORT_FORWARD, here)
    if spec.access.password_secret is not None:
        yield Right("get", SECRET, here)
    if scenario.load is not None:
        for kind in (CONFIG_MAP, POD):
            yield from (Right(verb, kind, here) for verb in ("create", "patch", "delete"))
        yield Right("get", POD_EXEC, here)
    if isinstance(scenario.fault, PodDelete):
        yield Right("delete", POD, here)
    if isinstance(scenario.fault, NodeCrash):
        yield from (Right(verb, NODE, "") for verb in ("get", "watch"))
        yield from declaring.rights(here)
