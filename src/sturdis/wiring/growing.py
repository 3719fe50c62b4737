"""`grow`, joined with the cluster whose volume grows."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.wiring.spec_files import load_spec_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from sturdis.core.apply.plan import Step
    from sturdis.core.apply.progress import Waiting
    from sturdis.core.grow.plan import Growth
    from sturdis.flows.grow import Grown

GROW_SECONDS = 600.0
"""Longest wait for a volume to grow, unless another is named: storages in clouds take minutes."""


@dataclass(frozen=True)
class Sized:
    """A deployment whose volume is to have the size of its spec."""

    name: str
    namespace: str
    claim: str
    files: tuple[str, ...]
    """Of the rendered tree, those that carry the size."""


def sized(spec_file: Path | None = None, environment: str | None = None) -> Sized:
    """Say which claim a spec is about, and which files of its tree carry the size.

    Raises:
        SpecError: The spec cannot be read, or has problems.
        UsageError: `usage`: there is no such environment.
    """
    from sturdis.core.grow import committing
    from sturdis.core.render import metadata

    file = load_spec_file(spec_file)
    spec = file.deployment(environment).spec
    files = committing.files(file, environment)
    return Sized(spec.name, spec.namespace, metadata.claim_name(spec), files)


def grow(
    spec_file: Path | None = None,
    environment: str | None = None,
    *,
    agree: "Callable[[Growth], bool]",
    context: str | None = None,
    seconds: float = GROW_SECONDS,
    done: "Callable[[Step], None]" = lambda _step: None,
    waiting: "Callable[[Waiting], None]" = lambda _waiting: None,
) -> "Grown":
    """Grow the volume of a deployment in a cluster to the size of its spec; its pod runs on.

    Args:
        spec_file: The spec; None: what `load_spec()` reads.
        environment: Which of its environments; None: the base.
        agree: Called with the plan before anything is changed; False ends it there.
        context: Of the kubeconfig; None: the current one.
        seconds: Longest wait until the volume has grown.
        done: Called with each step when it is done.
        waiting: Called at least once a second while the volume grows.

    Raises:
        SpecError: The spec cannot be read, or has problems.
        UsageError: `usage`: there is no such environment.
        ClusterError: It is refused, before anything was changed or at a step; `cluster.not_grown`.
    """
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.adapters.kubernetes.deployment import Deployment
    from sturdis.core.cluster import STATEFUL_SET
    from sturdis.core.render import objects
    from sturdis.flows import grow as flow

    spec = load_spec_file(spec_file).deployment(environment).spec
    rendered = tuple(objects.deployment(spec).values())
    (stateful_set,) = (one for one in rendered if one["kind"] == STATEFUL_SET.kind)
    telling = flow.Telling(agree, done, waiting, time.monotonic)
    with Cluster(context) as cluster:
        place = Deployment(cluster, spec, rendered)
        return flow.grow(flow.Growing(spec, stateful_set, seconds), place, telling)
