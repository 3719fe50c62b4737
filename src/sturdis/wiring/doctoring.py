"""`doctor`, joined with what it looks at: a server at an address, a folder, or a cluster."""

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.core.aim import TargetRequest
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.spec import Spec
from sturdis.wiring import cluster_targets, targets
from sturdis.wiring.spec_files import load_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sturdis.adapters.kubernetes.examined import Examined
    from sturdis.adapters.redis.doctor_target import DoctorTarget
    from sturdis.adapters.redis.healing import SickServer
    from sturdis.core.aim import Aim
    from sturdis.core.apply.progress import Waiting
    from sturdis.core.doctor.declaring import Declaring
    from sturdis.core.doctor.diagnosis import Diagnoses
    from sturdis.core.doctor.healing import Healed, Healing
    from sturdis.flows.doctor import Moved


def doctor(
    target: TargetRequest | ClusterRequest | str | None = None,
    spec: Spec | None = None,
    *,
    data: Path | None = None,
) -> "Diagnoses":
    """Say what is wrong with a deployment; nothing is changed.

    Args:
        target: An address, or a deployment in a cluster; None finds the running `up`.
        spec: What is meant to be there; None: what the running `up` was given, else `load_spec()`.
        data: A data folder in place of a target: its append-only file alone.

    Raises:
        UsageError: An address is not understood, or the namespace is no name of one.
        TargetError: There is no target, several, or it does not answer as Redis.
        AccessError: It does not let us in.
        ClusterError: There is no such cluster, or the pod may not be looked at.
    """
    from sturdis.flows import doctor as flow

    if data is not None:
        return _of_folder(data)
    if isinstance(target, ClusterRequest):
        with _examined(target, spec) as (wanted, patient):
            return flow.examine(wanted, patient)
    aim = targets.resolve(target)
    meant = spec or (aim.running.spec if aim.running else load_spec())
    return flow.examine_server(meant, _at(aim))


def _at(aim: "Aim") -> "DoctorTarget":
    from sturdis.adapters.redis.doctor_target import DoctorTarget

    up = aim.running
    return DoctorTarget(
        aim.address,
        cli=aim.cli,
        doctor=_typed(aim),
        metrics_url=up.at.metrics_url if up else None,
        folder=Path(up.at.data) if up else None,
    )


def heal(
    target: TargetRequest | ClusterRequest | str | None = None,
    spec: Spec | None = None,
    *,
    agree: "Callable[[Healing], None]",
    done: "Callable[[str], None]" = lambda _step: None,
) -> "Healed":
    """Let a server take writes again that one failed fsync left refusing them.

    Args:
        target: As for `doctor`.
        spec: Of a deployment in a cluster; None: `load_spec()`.
        agree: Called with the plan before anything is changed; what it raises ends it there.
        done: Called with each step when it is done.

    Raises:
        UsageError: An address is not understood; or by `agree`.
        TargetError: `target.not_healed`: the disk still fails; or it cannot be reached.
        AccessError: It does not let us in.
        ClusterError: There is no such cluster or pod, or its port may not be reached.
    """
    from sturdis.flows import heal as flow

    with _sick(target, spec) as (sick, cli, typed):
        return flow.heal(sick, flow.Telling(agree, done, time.monotonic, cli, typed))


@contextmanager
def _sick(
    target: TargetRequest | ClusterRequest | str | None, spec: Spec | None
) -> "Iterator[tuple[SickServer, str, str]]":
    """Reach a server, and give what to type before a command and to look at it again."""
    from sturdis.adapters.redis import link
    from sturdis.adapters.redis.healing import SickServer

    if not isinstance(target, ClusterRequest):
        aim = targets.resolve(target)
        yield SickServer(link.admitted(aim.address), str(aim.address)), aim.cli, _typed(aim)
        return
    from sturdis.adapters.kubernetes.api import Cluster

    found = spec or load_spec()
    wanted, request = cluster_targets.placed(found, target), target.of_spec(found.namespace)
    with (
        Cluster(request.context) as cluster,
        cluster_targets.target_of(cluster, wanted, request) as pod,
        pod.explained(),
    ):
        yield SickServer(link.admitted(pod.address), str(pod)), request.cli, request.doctor


def _typed(aim: "Aim") -> str:
    """Give what to type to look at the same again; it never holds a password."""
    words = aim.cli.removeprefix("sturdis cli").replace(" --target", "", 1)
    return f"sturdis doctor{words}"


def _of_folder(folder: Path) -> "Diagnoses":
    from sturdis.adapters.local import doctor_files
    from sturdis.core.doctor import judging

    files = doctor_files.look(folder, is_live=doctor_files.in_use(folder))
    return judging.judge_files(str(folder), files)


def declare_off(
    request: ClusterRequest,
    spec: Spec | None = None,
    *,
    node: str,
    agree: "Callable[[Declaring], None]",
    done: "Callable[[str], None]" = lambda _step: None,
    waiting: "Callable[[Waiting], None]" = lambda _waiting: None,
) -> "Moved":
    """Take a person's word that a node is off, and follow the pod until it serves elsewhere.

    Args:
        request: Which cluster, and where in it.
        spec: The deployment; None: `load_spec()`.
        node: The node.
        agree: Called with the plan before anything is changed; what it raises ends it there.
        done: Called with each step when it is done.
        waiting: Called at least once a second while it does not serve yet.

    Raises:
        UsageError: The namespace is no name of one; or by `agree`.
        ClusterError: `cluster.node`: it is not off as far as can be seen; or a right is missing, a
            step is refused, or it does not serve in time.
    """
    from sturdis.core.apply import progress
    from sturdis.flows import doctor as flow

    telling = flow.Telling(agree, done, waiting, time.monotonic)
    with _examined(request, spec) as (wanted, patient):
        seconds = cluster_targets.budget(wanted) + progress.SPARE_SECONDS
        return flow.declare_off(wanted, node, patient, telling, seconds=seconds)


def take_off(request: ClusterRequest, spec: Spec | None = None, *, node: str) -> bool:
    """Let a node that was declared off and is back take pods again; False: it was not.

    Raises:
        UsageError: The namespace is no name of one.
        ClusterError: `cluster.node`: it is not there or not back; or a right is missing.
    """
    from sturdis.flows import doctor as flow

    with _examined(request, spec) as (_wanted, patient):
        return flow.take_off(node, patient)


@contextmanager
def _examined(request: ClusterRequest, spec: Spec | None) -> "Iterator[tuple[Spec, Examined]]":
    from sturdis.adapters.kubernetes.api import Cluster
    from sturdis.adapters.kubernetes.examined import Examined
    from sturdis.core import cluster_place

    found = spec or load_spec()
    wanted, request = cluster_targets.placed(found, request), request.of_spec(found.namespace)
    with Cluster(request.context) as cluster:
        yield (
            wanted,
            Examined(
                cluster,
                wanted,
                cluster_place.place(wanted, request),
                request,
                lambda: cluster_targets.target_of(cluster, wanted, request, read_only=True),
            ),
        )
