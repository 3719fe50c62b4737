"""What the verbs do that change a cluster."""

import time
from typing import TYPE_CHECKING

from sturdis.core import spec as specs
from sturdis.core.supervision import limits
from sturdis.wiring.spec_files import load_spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from sturdis.core.apply.plan import Plan, Step
    from sturdis.core.apply.progress import Waiting
    from sturdis.core.spec import Spec
    from sturdis.flows.apply import Applied


def apply(
    spec: "Spec | None" = None,
    *,
    agree: "Callable[[Plan], bool]",
    context: str | None = None,
    adopt: bool = False,
    seconds: float | None = None,
    done: "Callable[[Step], None]" = lambda _step: None,
    waiting: "Callable[[Waiting], None]" = lambda _waiting: None,
) -> "Applied":
    """Bring a cluster to a spec, and wait until it serves.

    Args:
        spec: The deployment; None: `load_spec()`.
        agree: Called with the plan before anything is changed; False ends it there.
        context: Of the kubeconfig; None: the current one.
        adopt: Take over what others made, with its claim.
        seconds: Longest wait until it serves; 0: do not wait; None: a start's, and two minutes.
        done: Called with each step when it is done.
        waiting: Called at least once a second while it does not serve yet.

    Raises:
        ClusterError: Something stands against it, and nothing was changed; or a step was refused;
            or `cluster.not_serving`.
        DataError: `data.newer_server`.
    """
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.adapters.kubernetes.deployment import Deployment
    from sturdis.core.apply import progress
    from sturdis.core.render import objects
    from sturdis.flows import apply as flow

    wanted = spec or load_spec()
    rendered = tuple(objects.deployment(wanted).values())
    budget = limits.start_budget(specs.maxmemory(wanted)) + progress.SPARE_SECONDS
    applying = flow.Applying(wanted, rendered, adopt, budget if seconds is None else seconds)
    telling = flow.Telling(agree, done, waiting, time.monotonic)
    with Cluster(context) as cluster:
        return flow.apply(applying, Deployment(cluster, wanted, rendered), telling)
