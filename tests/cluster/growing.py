"""`sturdis grow` as people type it, on a deployment in a namespace of its own, under a writer."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cluster import pods
from tests.cluster.applying import Applying
from tests.integration.running import sturdis

WRITING = "while n=$(redis-cli -h redis incr written); do echo $n; done"
"""One acknowledged write after the other, by a client in another pod; ends at the first error."""


@dataclass(frozen=True)
class Growing(Applying):
    """A deployment whose volume grows."""

    def sized(self, size: str, **keys: Any) -> None:
        """Write the spec anew, with this size."""
        storage_class = keys.pop("storage_class", pods.STORAGE_CLASS)
        self.spec(storage={"size": size, "class": storage_class}, **keys)

    def try_grow(self, *words: str, context: str = "") -> subprocess.CompletedProcess[str]:
        spec = ("--spec", str(self.folder / "sturdis.yaml"))
        where = ("--context", context or self.cluster.context)
        return sturdis("grow", *spec, *where, *words, timeout=300, stdin=subprocess.DEVNULL)

    def grow(self, *words: str, **how: str) -> dict[str, Any]:
        """Grow, and give what it tells."""
        done = self.try_grow("--yes", "--json", *words, **how)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def not_grown(self, *words: str, **how: str) -> dict[str, str]:
        """Grow, and give why that ended in an error."""
        done = self.try_grow("--yes", "--json", *words, **how)
        assert done.returncode == 18, done.stdout + done.stderr
        error: dict[str, str] = json.loads(done.stdout)["error"]
        return error

    def pod(self) -> str:
        return str(self.get("pod", "redis-0")["metadata"]["uid"])

    def stateful_set(self) -> Any:
        return self.get("statefulset", "redis")

    def run_id(self) -> str:
        return next(
            line for line in self.redis("info", "server").splitlines() if line.startswith("run_id")
        ).strip()

    def sizes(self) -> tuple[str, str, str]:
        """Give what the claim asks for, what it has, and what the set's template says."""
        claim = self.get("pvc", "data-redis-0")
        template = self.stateful_set()["spec"]["volumeClaimTemplates"][0]
        return (
            claim["spec"]["resources"]["requests"]["storage"],
            claim["status"]["capacity"]["storage"],
            template["spec"]["resources"]["requests"]["storage"],
        )

    def settle(self) -> None:
        """Return when the set's controller has seen the set and has nothing left to do."""
        self.kubectl("rollout", "status", "statefulset/redis", "--timeout=60s")

    @contextlib.contextmanager
    def written_to(self) -> Iterator["Writer"]:
        """Have a client in another pod write to it, one acknowledged write after the other."""
        self.cluster.apply(pods.client(), namespace=self.namespace)
        self.cluster.wait_ready(self.namespace, "client")
        command = [
            self.cluster.program, f"--context={self.cluster.context}", "-n", self.namespace,
            "exec", "client", "--", "sh", "-c", WRITING,
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            writer = Writer(process)
            try:
                yield writer
            finally:
                process.kill()


@dataclass
class Writer:
    """A client that writes."""

    process: subprocess.Popen[str]
    last: int = 0
    """The last number that was acknowledged."""

    def writes(self, times: int) -> None:
        """Return when so many more writes were acknowledged, each one more than the last."""
        assert self.process.stdout is not None
        for _write in range(times):
            line = self.process.stdout.readline()
            assert line.strip() == str(self.last + 1), line or "the writer met an error"
            self.last += 1
