"""A deployment of a spec in a namespace of its own, and what `verify` says of it."""

import contextlib
import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sturdis import wiring
from sturdis.core.render import metadata, objects
from sturdis.core.spec import Spec
from tests.cluster.clusters import Cluster
from tests.integration.running import sturdis

IMAGE = "redis:8.0.2"
POD = "redis-0"
SECRET = "redis-auth"


@dataclass(frozen=True)
class Deployed:
    """A deployment that runs."""

    cluster: Cluster
    namespace: str
    file: Path
    passwords: tuple[str, ...] = ()

    @property
    def spec(self) -> Spec:
        return wiring.load_spec(self.file)

    def kubectl(self, *words: str) -> str:
        return self.cluster.kubectl("-n", self.namespace, *words)

    def get(self, *words: str) -> Any:
        return self.cluster.get("-n", self.namespace, *words)

    def apply(self) -> None:
        """Bring every object to the spec, whoever changed it."""
        listed = {
            "apiVersion": "v1",
            "kind": "List",
            "items": list(objects.deployment(self.spec).values()),
        }
        self.cluster.kubectl(
            "apply", "--server-side", "--force-conflicts", "--field-manager=sturdis", "-f", "-",
            given=json.dumps(listed),
        )  # fmt: skip

    def with_spec(self, **changes: str) -> Path:
        """Write another spec beside: the same with some lines changed."""
        text = self.file.read_text()
        for key, value in changes.items():
            text = re.sub(rf"(?m)^{key}: .*$", f"{key}: {value}", text)
        other = self.file.with_name(f"other-{secrets.token_hex(4)}.yaml")
        other.write_text(text)
        return other

    def sturdis(
        self, verb: str, *words: str, context: str = "", spec: Path | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb on it to its end."""
        where = ("--context", context or self.cluster.context, "--spec", str(spec or self.file))
        return sturdis(verb, *where, *words, timeout=300, **options)

    def verify(self, *words: str, **how: Any) -> "Verified":
        """Look at it."""
        answer = self.sturdis("verify", "--json", *words, **how)
        assert answer.returncode in {0, 1, 3}, answer.stdout + answer.stderr
        checks = {one["id"]: one for one in json.loads(answer.stdout)["checks"]}
        return Verified(answer.returncode, checks, answer.stderr)


@dataclass(frozen=True)
class Verified:
    """What `verify` found."""

    status: int
    checks: dict[str, dict[str, str]]
    aside: str

    @property
    def not_passed(self) -> dict[str, str]:
        return {
            check: one["verdict"] for check, one in self.checks.items() if one["verdict"] != "pass"
        }

    def verdict(self, check: str) -> str:
        return self.checks[check]["verdict"]

    def seen(self, check: str) -> str:
        return self.checks[check]["seen"]


@contextlib.contextmanager
def deployed(
    cluster: Cluster, folder: Path, *, lines: str = "", password: bool = False, ready: bool = True
) -> Iterator[Deployed]:
    """Deploy a small spec, with more lines to it, and take it away again."""
    name = f"sturdis-{secrets.token_hex(4)}"
    with cluster.namespace(name):
        found = _written(cluster, name, folder, lines, password=password)
        found.apply()
        if ready:
            cluster.wait_ready(name, POD)
        yield found


def _written(cluster: Cluster, name: str, folder: Path, lines: str, *, password: bool) -> Deployed:
    file = folder / f"{name}.yaml"
    text = f"namespace: {name}\n{lines}memory: {{limit: 128Mi}}\nstorage: {{size: 1Gi}}\n"
    if "engine:" not in lines:
        text += f'engine: {{image: "{IMAGE}"}}\n'
    passwords: tuple[str, ...] = ()
    if password:
        text += f"access: {{passwordSecret: {SECRET}, networkPolicy: true}}\n"
        passwords = _make_secret(cluster, name, folder)
    file.write_text(text)
    return Deployed(cluster, name, file, passwords)


def _make_secret(cluster: Cluster, namespace: str, folder: Path) -> tuple[str, ...]:
    keys = (metadata.PASSWORD_KEY, metadata.EXPORTER_KEY, metadata.STURDIS_KEY)
    words = []
    for key in keys:
        path = folder / key
        path.write_text(secrets.token_hex(12))
        words.append(f"--from-file={key}={path}")
    cluster.kubectl("-n", namespace, "create", "secret", "generic", SECRET, *words)
    return tuple((folder / key).read_text() for key in keys)


def grant(cluster: Cluster, namespace: str, user: str, rights: dict[str, list[str]]) -> None:
    """Let a user do something in a namespace: resource to verbs."""
    rules = [
        {"apiGroups": ["", "apps"], "resources": [resource], "verbs": verbs}
        for resource, verbs in rights.items()
    ]
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "looker"}}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "looker"}
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    cluster.apply(
        head | {"kind": "Role", "rules": rules},
        head | {"kind": "RoleBinding", "roleRef": role, "subjects": [subject]},
        namespace=namespace,
    )
