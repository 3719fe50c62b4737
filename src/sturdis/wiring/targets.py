"""What the verbs do that are aimed at a running Redis, and how it is found."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sturdis.core import address as addresses
from sturdis.core import aim as aims
from sturdis.core import spec as specs
from sturdis.core.aim import Aim, TargetRequest
from sturdis.core.cluster_aim import ClusterRequest
from sturdis.core.facts import NOT_TRIED, NotVisible
from sturdis.core.restarting import RestartPlan
from sturdis.core.spec import Spec
from sturdis.core.supervision import limits
from sturdis.wiring.spec_files import load_spec

if TYPE_CHECKING:
    from sturdis.adapters.redis.restarts import ByShutdown
    from sturdis.adapters.redis.target import RedisTarget
    from sturdis.core.aof.copying import Copied, Step
    from sturdis.core.replies import Reply
    from sturdis.core.report import Report


def resolve(target: TargetRequest | str | None = None) -> Aim:
    """Find what a verb is aimed at: the target named, else STURDIS_TARGET, else a running `up`.

    Raises:
        UsageError: `usage.address`, or `usage` where the options do not fit the address.
        TargetError: `target.none` or `target.ambiguous`.
    """
    from sturdis.adapters.local import running

    request = target if isinstance(target, TargetRequest) else TargetRequest(target)
    return aims.choose(request, os.environ, running.find())


def verify(
    target: TargetRequest | ClusterRequest | str | None = None,
    *,
    spec: Spec | None = None,
    metrics_url: str | None = None,
    read_only: bool = False,
    agree: Callable[[RestartPlan], None] | None = None,
) -> "Report":
    """Check every promise against what runs.

    Args:
        target: An address, or a deployment in a cluster; None finds the running `up`.
        spec: What is promised; None: what the running `up` was given, else `load_spec()`.
        metrics_url: Where the metrics are; None: where the running `up` serves them, or the pod.
        read_only: Send nothing that writes; what only that would show is unknown.
        agree: Restart the server as well, where something starts it again. Called with the plan
            before anything is done; what it raises ends the verb.

    Raises:
        UsageError: An address is not understood, or the files for TLS cannot be used.
        TargetError: There is no target, several, or it does not answer as Redis.
        AccessError: It does not let us in.
        ClusterError: There is no such cluster or pod, or it may not be looked at.
    """
    from sturdis.flows import verify as flow

    if isinstance(target, ClusterRequest):
        from sturdis.wiring import cluster_targets

        return cluster_targets.verify(
            target, spec or load_spec(), metrics_url=metrics_url, read_only=read_only, agree=agree
        )
    aim = resolve(target)
    promised = spec or (aim.running.spec if aim.running else load_spec())
    budget = limits.start_budget(specs.maxmemory(promised))
    redis = _redis(aim, metrics_url, read_only=read_only, start_seconds=budget)
    if agree is None:
        return flow.verify(promised, redis)
    return flow.verify(promised, redis, NOT_TRIED if read_only else _restart(aim, agree, budget))


def _redis(
    aim: Aim, metrics_url: str | None, *, read_only: bool, start_seconds: float
) -> "RedisTarget":
    from sturdis.adapters.redis.target import RedisTarget

    served = aim.running.at.metrics_url if aim.running else None
    return RedisTarget(
        aim.address,
        cli=aim.cli,
        metrics_url=addresses.parse_metrics_url(metrics_url) if metrics_url else served,
        guarded=aim.running is not None,
        read_only=read_only,
        start_seconds=start_seconds,
    )


def _restart(
    aim: Aim, agree: Callable[[RestartPlan], None], seconds: float
) -> "ByShutdown | NotVisible":
    from sturdis.adapters.redis.restarts import ByShutdown

    if aim.running is None:
        return NotVisible("not available here: no sturdis up of yours would start it again")
    agree(RestartPlan(str(aim.address), seconds))
    return ByShutdown(aim.address)


def call(
    words: Sequence[str | bytes],
    target: TargetRequest | ClusterRequest | str | None = None,
    spec: Spec | None = None,
) -> "Reply":
    """Send one Redis command to the target and give its reply, however long it takes.

    Args:
        words: The command.
        target: As for `verify`.
        spec: Of a deployment in a cluster; None: `load_spec()`.

    Raises:
        UsageError: The address is not understood, or the files for TLS cannot be used.
        TargetError: There is no target, several, or it does not answer as Redis.
        AccessError: It does not let us in.
        ClusterError: There is no such cluster or pod, or its port may not be reached.
    """
    from sturdis.adapters.redis import link

    if isinstance(target, ClusterRequest):
        from sturdis.wiring import cluster_targets

        return cluster_targets.call(words, target, spec or load_spec())
    # A silent address is found out here, before waiting without limit.
    address = link.admitted(resolve(target).address)
    with link.Link(address, reply_seconds=None) as connection:
        return connection.call(*words)


def copy(
    folder: Path, target: TargetRequest | str | None, tell: "Callable[[Step], None]"
) -> "Copied":
    """Copy the append-only file of the target, on this machine, into a new folder.

    Args:
        folder: Where to; it is empty or not there.
        target: An address; None finds the running `up`.
        tell: Called with how far it has come, as it goes on.

    Raises:
        UsageError: The address is not understood.
        TargetError: There is no target, its files are elsewhere, or it did not rewrite them.
        AccessError: It does not let us in.
        DataError: The folder cannot be written, or what was copied is not whole.
    """
    from sturdis.adapters.local import aof_copy, signals
    from sturdis.adapters.redis import link, rewriting
    from sturdis.flows import copy as flow

    aim = resolve(target)
    server = rewriting.RewritingServer(link.admitted(aim.address), cli=aim.cli)
    with signals.unwinding():
        return flow.copy(server, aof_copy.CopyFolder(folder), tell)
