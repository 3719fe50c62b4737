"""The loads of one drill in their pods, and their logs in the run's folder here."""

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import msgspec

from sturdis.adapters.drill.ledger_log import SUFFIX
from sturdis.adapters.drill.load_process import LoadProcess
from sturdis.adapters.drill_cluster.load_pods import CONTAINER, LOGS, LoadPods
from sturdis.adapters.drill_cluster.pod_log import FollowedLog
from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.drill.load import LoadPlan


class PodLoad(AbstractContextManager["PodLoad"]):
    """One load in its pod, and its log, which is followed into the plan's folder here.

    Raises:
        DrillError: `drill.load_failed`: it did not get ready.
    """

    def __init__(self, cluster: Cluster, pods: LoadPods, plan: LoadPlan) -> None:
        here, there = Path(plan.folder), f"{LOGS}/{Path(plan.folder).name}"
        name = f"{plan.writer}{SUFFIX}"
        with ExitStack() as parts:
            moved = msgspec.structs.replace(plan, folder=there)
            process = LoadProcess(pods.command(plan.writer), moved, errors_in=here)
            self._process = parts.enter_context(process)
            followed = FollowedLog(
                cluster, pods.pod(plan.writer), CONTAINER, f"{there}/{name}", here / name
            )
            self._log = parts.enter_context(followed)
            self._parts = parts.pop_all()

    def stop_adding(self) -> None:
        """Let it add no more. Its workers go on."""
        self._process.stop_adding()

    def wait_until_added(self, seconds: float) -> None:
        """Return when each of its adds has an answer, or is written down as in doubt.

        Raises:
            DrillError: `drill.load_failed`: it ended, or did not answer within `seconds`.
        """
        self._process.wait_until_added(seconds)

    def end(self) -> None:
        """Let its workers finish what they have, and return when its whole log is here.

        Raises:
            DrillError: `drill.load_failed`: it ended with another status than 0, or not at all.
            ClusterError: The end of its log cannot be brought.
        """
        self._process.end()
        self._log.finish()

    def __exit__(self, *_error: object) -> None:
        self._parts.close()
