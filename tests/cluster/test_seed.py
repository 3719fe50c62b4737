"""The commands that people type at such a deployment, literally, with and without a password."""

import os
import secrets
import subprocess
from collections.abc import Iterator

import pytest

from sturdis.core.render import objects, yamltext
from sturdis.core.spec import file as specfile
from tests.cluster.clusters import Cluster

SPEC = "{engine: {image: 'redis:8.0.2'}, memory: {limit: 128Mi}, storage: {size: 1Gi}}"
WITH_PASSWORD = SPEC.replace("{engine", "{access: {passwordSecret: redis-auth}, engine", 1)
KEYS = ("password", "exporter-password", "sturdis-password")
REDIS_CLI = "kubectl exec -n redis redis-0 -c redis -- redis-cli"
WAIT = "kubectl wait --for=condition=ready pod -n redis redis-0 --timeout=60s"


@pytest.fixture(scope="module", params=[SPEC, WITH_PASSWORD], ids=["open", "password"])
def shell(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator["Shell"]:
    """Give a shell beside the deployment in the namespace that the commands name."""
    spec = specfile.parse(request.param, source="sturdis.yaml")
    with cluster.namespace("redis"):
        if spec.access.password_secret:
            lines = "".join(f"{key}={secrets.token_hex(16)}\n" for key in KEYS)
            make = ("create", "secret", "generic", "redis-auth", "-n", "redis")
            cluster.kubectl(*make, "--from-env-file=/dev/stdin", given=lines)
        text = yamltext.stream(objects.deployment(spec).values())
        server_side = ("--server-side", "--field-manager=sturdis", "--force-conflicts")
        cluster.kubectl("apply", *server_side, "-f", "-", given=text)
        cluster.wait_ready("redis", "redis-0")
        yield Shell(cluster)


class Shell:
    """Runs a command as a person does, with kubectl on PATH and the cluster at hand."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        folder = os.path.dirname(cluster.program)  # noqa: PTH120  joined to PATH
        path = f"{folder}:{os.environ['PATH']}"
        self._environ = {**os.environ, "PATH": path, "KUBECONFIG": str(cluster.kubeconfig)}

    def __call__(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], env=self._environ, text=True, timeout=90,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_ping_is_answered(shell):
    assert shell(f"{REDIS_CLI} ping") == "PONG\n"


def test_what_is_written_can_be_read(shell):
    assert shell(f"{REDIS_CLI} SET test hello") == "OK\n"
    assert shell(f"{REDIS_CLI} GET test") == "hello\n"


@pytest.mark.parametrize(
    ("name", "value"), [("appendonly", "yes"), ("maxmemory-policy", "noeviction")]
)
def test_the_settings_are_as_promised(name, value, shell):
    assert shell(f"{REDIS_CLI} CONFIG GET {name}").split() == [name, value]


def test_the_metrics_say_that_redis_is_up(shell):
    raw = "/api/v1/namespaces/redis/pods/redis-0:9121/proxy/metrics"
    assert shell(f"kubectl get --raw {raw} | grep '^redis_up '") == "redis_up 1\n"


def test_curl_reads_the_metrics_through_a_forwarded_port(shell):
    forwarded = """
        coproc kubectl port-forward -n redis redis-0 :9121
        read -r _ _ address _ <&"${COPROC[0]}"
        curl -s "http://$address/metrics" | grep '^redis_up '
        kill "$COPROC_PID"
    """
    assert shell(forwarded) == "redis_up 1\n"


def test_the_exporters_container_has_no_shell_to_run_anything_in(shell):
    wget = "kubectl exec -n redis redis-0 -c redis-exporter -- wget -qO- localhost:9121/metrics"
    assert shell(f"{wget} || echo status $?").endswith("status 1\n")


def test_data_outlives_its_pod(shell):
    assert shell(f'{REDIS_CLI} SET persist "test data"') == "OK\n"
    shell("kubectl delete pod -n redis redis-0")
    shell("kubectl wait --for=create pod -n redis redis-0 --timeout=60s")
    shell(WAIT)
    assert shell(f"{REDIS_CLI} GET persist") == "test data\n"


def test_the_names_that_people_look_for_are_there(shell):
    assert "redis-0" in shell("kubectl get pods -n redis")
    assert "data-redis-0" in shell("kubectl get pvc -n redis")
    assert "6379/TCP" in shell("kubectl get svc -n redis")


def test_clients_find_it_by_its_name(shell):
    name = "redis.redis.svc.cluster.local"
    assert shell(f"{REDIS_CLI} -h {name} ping") == "PONG\n"
