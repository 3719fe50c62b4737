"""A GitOps repository as a team has one, and the Application by which Argo CD deploys it."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.clusters import Cluster
from tests.cluster.deployments import IMAGE, Deployed
from tests.cluster.machine import argocd
from tests.integration.running import sturdis

WATCH_SECONDS = 240
"""Longest that a change of an Application is waited for, with what it deploys coming to serve."""
SPEC = "sturdis.yaml"
COMMITTER = ("-c", "user.name=Team", "-c", "user.email=team@example.org")

Status = dict[str, Any]


@dataclass(frozen=True)
class Repository:
    """The work tree of a team, whose origin Argo CD reads."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / SPEC

    def git(self, *words: str) -> str:
        command = ["git", *COMMITTER, *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, text: str, *words: str) -> str:
        """Render a spec, commit and push what that gives, and give the commit."""
        self.spec.write_text(text)
        rendered = sturdis("render", "--spec", SPEC, *words, cwd=self.folder)
        assert rendered.returncode == 0, rendered.stderr
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Render the spec")
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")


def repository(folder: Path) -> Repository:
    """Make an empty one."""
    origin, work = folder / "origin.git", folder / "work"
    work.mkdir()
    made = Repository(work)
    made.git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", f"file://{origin}")
    return made


@dataclass(frozen=True)
class Application:
    """An Application on the API server."""

    cluster: Cluster
    name: str

    def kubectl(self, *words: str) -> str:
        return self.cluster.kubectl("-n", argocd.NAMESPACE, *words)

    def refresh(self) -> None:
        """Have it compared now, as a webhook of the repository would."""
        self.kubectl(
            "annotate", "application", self.name, "argocd.argoproj.io/refresh=normal", "--overwrite"
        )

    def statuses(self) -> Iterator[Status]:
        """Give its status now and at every change, until there was none for long.

        Raises:
            AssertionError: The watch ended; the last status is told.
        """
        last: Status = {}
        with self._watch() as lines:
            for line in lines:
                last = json.loads(line.strip() or "{}")  # it begins without any
                yield last
        told = {key: last.get(key) for key in ("sync", "health", "conditions", "operationState")}
        raise AssertionError(f"not within {WATCH_SECONDS} s; {self.name} is {told}")

    def until(self, holds: Callable[[Status], bool]) -> Status:
        """Give the first status for which that holds."""
        return next(status for status in self.statuses() if status and holds(status))

    def settled(self, commit: str) -> Status:
        """Give its status once that commit is deployed, and all of it is well."""
        self.refresh()
        return self.until(lambda status: is_settled(status, commit))

    @contextlib.contextmanager
    def _watch(self) -> Iterator[Iterator[str]]:
        form = 'jsonpath={.status}{"\\n"}'
        command = [
            self.cluster.program, f"--context={self.cluster.context}", "-n", argocd.NAMESPACE,
            "get", "application", self.name, "--watch", f"--output={form}",
            f"--request-timeout={WATCH_SECONDS}s",
        ]  # fmt: skip
        env = {"KUBECONFIG": str(self.cluster.kubeconfig)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.kill()


def is_settled(status: Status, commit: str) -> bool:
    """Whether that commit is deployed, and all of it is well."""
    return (
        state(status) == ("Synced", "Healthy")
        and status["sync"].get("revision") == commit
        # What was there as it is in Git needs no operation.
        and status.get("operationState", {}).get("phase", "Succeeded") == "Succeeded"
    )


def compared(statuses: Iterator[Status], times: int) -> list[Status]:
    """Give the statuses until it was compared with Git so many times more."""
    seen: list[Status] = []
    for status in statuses:
        seen.append(status)
        if len({one["reconciledAt"] for one in seen}) > times:
            break
    return seen


def last_synced(status: Status) -> str:
    """Give the commit that was deployed last, to the end; empty: none was."""
    operation = status.get("operationState", {})
    is_over = operation.get("phase") == "Succeeded"
    return str(operation.get("syncResult", {}).get("revision", "")) if is_over else ""


def state(status: Status) -> tuple[str, str]:
    """Give whether it is as in Git, and whether it is well."""
    return status.get("sync", {}).get("status", ""), status.get("health", {}).get("status", "")


@contextlib.contextmanager
def applied(cluster: Cluster, repository: Repository, name: str) -> Iterator[Application]:
    """Apply the Application of a rendered tree; it goes again, and leaves what it deployed."""
    file = repository.folder / f"apps/infrastructure/{name}.yaml"
    cluster.kubectl("apply", "--filename", str(file))
    try:
        yield Application(cluster, name)
    finally:
        cluster.kubectl(
            "delete", "application", "-n", argocd.NAMESPACE, name, "--ignore-not-found",
            "--timeout=60s",
        )  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """A deployment that Argo CD keeps as it is in Git."""

    environment: str
    """`base`: the spec has no environments, and the Application deploys the base."""
    namespace: str
    name: str
    repository: Repository
    application: Application

    @property
    def pod(self) -> str:
        return f"{self.name}-0"

    @property
    def deployed(self) -> Deployed:
        return Deployed(self.application.cluster, self.namespace, self.repository.spec)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Words of the command line for the environment."""
        return () if self.environment == "base" else ("--env", self.environment)

    def text(self, more: str = "") -> str:
        """Give the spec, with more lines to it."""
        base_alone = "environments: {}\n" if self.environment == "base" else ""
        memory = "" if "memory:" in more else "memory: {limit: 128Mi}\n"
        return (
            f"name: {self.name}\nnamespace: {self.namespace}\n"
            f'engine: {{image: "{IMAGE}"}}\n{memory}{base_alone}{more}'
        )

    def change(self, more: str = "") -> dict[str, Any]:
        """Commit that spec, and give the Application's status once it is deployed and well."""
        commit = self.repository.commit(self.text(more), *self.chosen)
        return self.application.settled(commit)

    def kubectl(self, *words: str) -> str:
        return self.deployed.kubectl(*words)

    def get(self, *words: str) -> Any:
        return self.deployed.get(*words)

    def redis(self, *words: str) -> str:
        return self.kubectl("exec", self.pod, "-c", "redis", "--", "redis-cli", *words).strip()

    def serves(self) -> bool:
        ping = ("exec", self.pod, "-c", "redis", "--", "redis-cli", "ping")
        cluster = self.application.cluster
        return cluster.try_kubectl("-n", self.namespace, *ping).stdout == "PONG\n"

    def write(self, key: str) -> None:
        """Have a key on the disk."""
        self.redis("set", key, "value")
        self.redis("waitaof", "1", "0", "0")


@contextlib.contextmanager
def kept(
    cluster: Cluster, folder: Path, environment: str, name: str = "redis", more: str = ""
) -> Iterator[Kept]:
    """Have a deployment of one environment, by nothing but a commit and its Application."""
    namespace = f"sturdis-argocd-{name}"
    below = folder / name
    below.mkdir()
    found = Kept(environment, namespace, name, repository(below), Application(cluster, name))
    found.repository.commit(found.text(more), *found.chosen)
    with (
        cluster.namespace(namespace, create=False),
        applied(cluster, found.repository, name),
    ):
        yield found
