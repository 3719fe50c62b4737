"""`sturdis apply` as people type it, on a spec in a namespace of its own."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sturdis import wiring
from sturdis.core.spec import Spec
from tests.cluster.clusters import Cluster
from tests.integration.running import STURDIS, sturdis

REDIS = "redis:8.0.2"
PATIENCE = "120"
"""Seconds that a deployment which comes to serve is waited for."""
GIVE_UP = "15"
"""Seconds that one which does not is waited for: long enough for the cluster to say why."""


@dataclass(frozen=True)
class Applying:
    """A spec, and the namespace that it is applied to."""

    cluster: Cluster
    namespace: str
    folder: Path

    def spec(self, **keys: Any) -> Path:
        """Write a small spec; each key is a section as JSON."""
        sections = {
            "namespace": self.namespace,
            "engine": {"image": REDIS},
            "memory": {"limit": "128Mi"},
            "storage": {"size": "1Gi"},
        }
        file = self.folder / "sturdis.yaml"
        file.write_text("".join(f"{k}: {json.dumps(v)}\n" for k, v in (sections | keys).items()))
        return file

    def read(self) -> Spec:
        """Give the spec written last."""
        return wiring.load_spec(self.folder / "sturdis.yaml")

    def command(self, *words: str, wait: str = PATIENCE, context: str = "") -> list[str]:
        where = ("--context", context or self.cluster.context, "--wait", wait)
        return ["apply", "--spec", str(self.folder / "sturdis.yaml"), *where, *words]

    def run(
        self, *words: str, kubeconfig: Path | None = None, **how: Any
    ) -> subprocess.CompletedProcess[str]:
        """Apply the spec written last, and give how that ended."""
        file = str(kubeconfig or self.cluster.kubeconfig)
        return sturdis(
            *self.command(*words, **how), timeout=300, stdin=subprocess.DEVNULL,
            env={**os.environ, "KUBECONFIG": file},
        )  # fmt: skip

    def apply(self, *words: str, **how: Any) -> dict[str, Any]:
        """Apply the spec written last, and give what it tells when it serves."""
        done = self.run("--yes", "--json", *words, **how)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def refused(self, *words: str, kubeconfig: Path | None = None, **how: Any) -> dict[str, str]:
        """Apply the spec written last, and give why that ended in an error."""
        done = self.run("--yes", "--json", *words, kubeconfig=kubeconfig, **how)
        assert done.returncode not in {0, 70}, done.stdout + done.stderr
        error: dict[str, str] = json.loads(done.stdout)["error"]
        return error

    def interrupted(
        self, word: str, *words: str, until: Callable[[], bool] = lambda: True
    ) -> tuple[int, str]:
        """Apply, press Ctrl-C when `word` is told and `until` holds; give what came of it."""
        command = [*STURDIS, *self.command("--yes", *words)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            told = ""
            for line in process.stderr:
                told += line
                if word in line:
                    while process.poll() is None and not until():
                        pass
                    os.kill(process.pid, signal.SIGINT)
        return process.returncode, told

    def kubectl(self, *words: str) -> str:
        return self.cluster.kubectl("-n", self.namespace, *words)

    def get(self, *words: str) -> Any:
        return self.cluster.get("-n", self.namespace, *words)

    def redis(self, *words: str) -> str:
        return self.kubectl("exec", "redis-0", "-c", "redis", "--", "redis-cli", *words).strip()


def changed(told: dict[str, Any]) -> dict[str, str]:
    """Give what was done to each object that is not the same."""
    same = {"unchanged", "keep", "skip"}
    return {one["object"]: one["action"] for one in told["steps"] if one["action"] not in same}
