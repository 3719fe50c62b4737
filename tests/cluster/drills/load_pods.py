"""Pods of load: BullMQ's producers and workers where a user's are, each with its ledger's log.

The load program is the one of the drills on one machine. It is copied into a pod of BullMQ and run
by `kubectl exec`, so that it is told what to do over its input, and a password is seen nowhere.
"""

import io
import subprocess
import tarfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sturdis.adapters.drill.ledger_log import SUFFIX
from sturdis.adapters.drill.load_process import LoadProcess
from sturdis.core.drill.load import LoadPlan
from tests.cluster import pods
from tests.cluster.clusters import Cluster
from tests.cluster.drills.followed import Followed
from tests.cluster.machine import images
from tests.tiers import ROOT

PROGRAMS = "/programs"
SOURCE = ROOT / "src"


@dataclass(frozen=True)
class Language:
    """How a load of a language is run in a pod."""

    image: str
    files: Sequence[Path]
    command: Sequence[str]


LANGUAGES: Mapping[str, Language] = {
    "node": Language(
        images.NODE,
        [SOURCE / "sturdis/adapters/drill/load.mjs"],
        ["node", f"{PROGRAMS}/sturdis/adapters/drill/load.mjs", "/app"],
    ),
    "python": Language(
        images.PYTHON,
        sorted(SOURCE.rglob("*.py")),
        ["env", f"PYTHONPATH={PROGRAMS}", "python3", "-m", "sturdis.adapters.drill.load_python"],
    ),
}


class LoadPods(AbstractContextManager["LoadPods"]):
    """A pod for each language, all on one node: their times are then those of one clock.

    Args:
        cluster: Where.
        namespace: Of the pods; as strict as that of the deployment from here on.
        folder: Logs are in folders below, here and in the pods.
    """

    def __init__(self, cluster: Cluster, namespace: str, folder: Path) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self.folder = folder

    def __enter__(self) -> Self:
        """Start the pods, with the programs in them."""
        level = "pod-security.kubernetes.io/enforce=restricted"
        self._cluster.kubectl("label", "namespace", self._namespace, level)
        self._cluster.apply(*self._pods(), namespace=self._namespace)
        self._cluster.wait_ready(self._namespace, *LANGUAGES)
        for name, language in LANGUAGES.items():
            self._copy(name, language)
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave the pods to their namespace, which goes too."""

    def run(self, name: str, *command: str) -> str:
        """Run a program in a pod and give what it printed."""
        return self._cluster.kubectl("exec", "-n", self._namespace, name, "--", *command)

    def command(self, verb: str, *words: str) -> list[str]:
        """Give a command of kubectl in the pods' namespace."""
        cluster = self._cluster
        where = (f"--kubeconfig={cluster.kubeconfig}", f"--context={cluster.context}")
        return [cluster.program, *where, verb, "-n", self._namespace, *words]

    def _pods(self) -> Iterator[dict[str, object]]:
        first = next(iter(LANGUAGES))
        beside = {
            "labelSelector": {"matchLabels": {"app": first}},
            "topologyKey": "kubernetes.io/hostname",
        }
        mounts = [
            {"name": "programs", "mountPath": PROGRAMS},
            {"name": "log", "mountPath": str(self.folder)},
        ]
        empty: dict[str, object] = {}
        volumes = [{"name": name, "emptyDir": empty} for name in ("programs", "log")]
        for name, language in LANGUAGES.items():
            main = pods.container(name, language.image, "sleep", "infinity", volumeMounts=mounts)
            one = pods.pod(name, main, volumes=volumes, terminationGracePeriodSeconds=1)
            if name != first:
                rule = {"requiredDuringSchedulingIgnoredDuringExecution": [beside]}
                one["spec"]["affinity"] = {"podAffinity": rule}
            yield one

    def _copy(self, name: str, language: Language) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path in language.files:
                tar.add(path, str(path.relative_to(SOURCE)))
        unpack = ("exec", "-i", name, "--", "tar", "-x", "-C", PROGRAMS)
        subprocess.run(self.command(*unpack), input=packed.getvalue(), check=True)


class Loads(AbstractContextManager["Loads"]):
    """The loads of one drill, in a folder of their own."""

    def __init__(self, pods: LoadPods) -> None:
        self._pods = pods
        self._parts = ExitStack()
        self._named: dict[str, LoadProcess] = {}
        self.folder = pods.folder / uuid.uuid4().hex
        self.followed = Followed()

    def __exit__(self, *_error: object) -> None:
        self._parts.close()

    @property
    def processes(self) -> Sequence[LoadProcess]:
        """All that were started."""
        return tuple(self._named.values())

    def start(self, plan: LoadPlan) -> None:
        """Start the load of the language that writes, and follow its log."""
        name = plan.writer
        command = self._pods.command("exec", "-i", name, "--", *LANGUAGES[name].command)
        self._named[name] = self._parts.enter_context(LoadProcess(command, plan))
        follow = ("exec", name, "--", "tail", "-n", "+1", "-f", self._log(name))
        self._parts.enter_context(self.followed.reading(self._pods.command(*follow)))

    def fetch(self) -> None:
        """Bring the logs here. Call when the loads have ended."""
        for name in self._named:
            text = self._pods.run(name, "cat", self._log(name))
            (self.folder / f"{name}{SUFFIX}").write_text(text)

    def _log(self, name: str) -> str:
        return f"{self.folder}/{name}{SUFFIX}"
