"""What the tests' own Kubernetes must do, so that what is tested on it means something."""

import json
import subprocess

import pytest
import redis

from sturdis import wiring
from tests.cluster import pods
from tests.cluster.clusters import Cluster
from tests.cluster.machine.images import EXPORTER, NODE, OLD_REDIS, REDIS, VALKEY
from tests.cluster.machine.places import LIMITED, NODES, ROOT, VOLUMES

pytestmark = pytest.mark.usefixtures("machine")

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
GONE = "--timeout=60s"


def test_three_nodes_are_ready(cluster):
    nodes = cluster.get("nodes")["items"]
    assert [node["metadata"]["name"] for node in nodes] == [node.name for node in NODES]
    for node in nodes:
        told = {one["type"]: one["status"] for one in node["status"]["conditions"]}
        assert told["Ready"] == "True"


def test_a_pod_reaches_another_by_the_name_of_its_service(cluster, namespace):
    server = pods.container("redis", REDIS, "redis-server", "--protected-mode", "no")
    cluster.apply(
        pods.pod("redis", server), pods.service("redis", 6379), pods.client(), namespace=namespace
    )
    cluster.wait_ready(namespace, "redis", "client")
    name = f"redis.{namespace}.svc.cluster.local"
    # Once more until kube-proxy knows the pod.
    asked = f"until redis-cli -h {name} ping; do sleep 0.1; done"
    assert execute(cluster, namespace, "client", "sh", "-c", asked).endswith("PONG\n")
    assert "Address" in execute(cluster, namespace, "client", "nslookup", name)


@pytest.mark.parametrize(
    ("image", "program"),
    [(REDIS, "redis-server"), (OLD_REDIS, "redis-server"), (VALKEY, "valkey-server")],
)
def test_a_server_image_is_the_version_that_its_tag_says(cluster, namespace, image, program):
    cluster.apply(pods.pod("server", pods.container("server", image)), namespace=namespace)
    cluster.wait_ready(namespace, "server")
    version = image.rpartition(":")[2]
    for name in (program, "redis-server"):
        told = execute(cluster, namespace, "server", name, "--version")
        assert f"v={version} " in told
    # What the start script calls, beside the server's own programs.
    script = "redis-check-aof /none; for one in dd od sha256sum stat tail tr truncate; do"
    execute(cluster, namespace, "server", "sh", "-c", f"{script} command -v $one || exit 1; done")


def test_the_exporter_image_has_no_shell_and_is_read_through_the_api_server(cluster, namespace):
    cluster.apply(
        pods.pod("server", pods.container("redis", REDIS), pods.container("exporter", EXPORTER)),
        namespace=namespace,
    )
    cluster.wait_ready(namespace, "server")
    where = f"/api/v1/namespaces/{namespace}/pods/server:9121/proxy/metrics"
    assert "\nredis_up 1\n" in cluster.kubectl("get", "--raw", where)
    shell = cluster.try_kubectl(
        "exec", "-n", namespace, "server", "-c", "exporter", "--", "sh", "-c", "true"
    )
    assert shell.returncode != 0


def test_the_node_image_adds_a_job_with_bullmq(cluster, namespace):
    script = (
        "const {Queue} = require('bullmq');"
        "const queue = new Queue('q', {connection: {host: '127.0.0.1', port: 6379}});"
        "queue.add('job', {}).then(job => { console.log('added', job.id); process.exit(0); });"
    )
    job = pods.container("job", NODE, "node", "-e", script)
    server = pods.container("redis", REDIS)
    cluster.apply(pods.pod("job", server, job, restartPolicy="Never"), namespace=namespace)
    reason = "{.status.containerStatuses[?(@.name=='job')].state.terminated.reason}"
    cluster.kubectl("wait", "-n", namespace, "pod/job", f"--for=jsonpath={reason}=Completed", GONE)
    assert cluster.kubectl("logs", "-n", namespace, "job", "-c", "job") == "added 1\n"


def test_exec_gives_the_exit_status_and_logs_what_was_said(cluster, namespace):
    says = pods.container("client", pods.CLIENT, "sh", "-c", "echo said; exec sleep infinity")
    cluster.apply(pods.pod("client", says), namespace=namespace)
    cluster.wait_ready(namespace, "client")
    ended = cluster.try_kubectl("exec", "-n", namespace, "client", "--", "sh", "-c", "exit 7")
    assert ended.returncode == 7
    assert cluster.kubectl("logs", "-n", namespace, "client") == "said\n"


def test_a_forwarded_port_answers(cluster, namespace):
    cluster.apply(pods.pod("server", pods.container("redis", REDIS)), namespace=namespace)
    cluster.wait_ready(namespace, "server")
    forward = [
        cluster.program, f"--kubeconfig={cluster.kubeconfig}", "port-forward", "-n", namespace,
        "pod/server", ":6379",
    ]  # fmt: skip
    with subprocess.Popen(forward, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            # Forwarding from 127.0.0.1:PORT -> 6379
            port = int(process.stdout.readline().split(":")[1].split()[0])
            assert redis.Redis(port=port).ping()
        finally:
            process.terminate()


def test_a_claim_is_bound_and_grows_under_a_running_pod(cluster, namespace):
    cluster.apply(
        pods.stateful_redis("redis", REDIS, "1Gi"), pods.service("redis", 6379), namespace=namespace
    )
    cluster.wait_ready(namespace, "redis-0")
    wanted = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    cluster.kubectl("patch", "pvc", "-n", namespace, "data-redis-0", "-p", json.dumps(wanted))
    grown = "--for=jsonpath={.status.capacity.storage}=2Gi"
    cluster.kubectl("wait", "-n", namespace, "pvc/data-redis-0", grown, GONE)
    volume = cluster.get("pvc", "-n", namespace, "data-redis-0")["spec"]["volumeName"]
    assert cluster.get("pv", volume)["spec"]["capacity"]["storage"] == "2Gi"


def test_a_claim_does_not_shrink(cluster, namespace):
    cluster.apply(pods.claim("data", "2Gi"), namespace=namespace)
    bound = "--for=jsonpath={.status.phase}=Bound"
    cluster.kubectl("wait", "-n", namespace, "pvc/data", bound, GONE)
    less = {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    tried = cluster.try_kubectl("patch", "pvc", "-n", namespace, "data", "-p", json.dumps(less))
    assert tried.returncode != 0


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_a_volume_outlives_its_claim_if_its_policy_says_so(cluster, namespace, policy):
    cluster.apply(pods.claim("data", "1Gi"), namespace=namespace)
    bound = "--for=jsonpath={.status.phase}=Bound"
    cluster.kubectl("wait", "-n", namespace, "pvc/data", bound, GONE)
    volume = cluster.get("pvc", "-n", namespace, "data")["spec"]["volumeName"]
    change = {"spec": {"persistentVolumeReclaimPolicy": policy}}
    cluster.kubectl("patch", "pv", volume, "-p", json.dumps(change))
    cluster.kubectl("delete", "pvc", "-n", namespace, "data")
    ended = "--for=delete" if policy == "Delete" else "--for=jsonpath={.status.phase}=Released"
    cluster.kubectl("wait", f"pv/{volume}", ended, GONE)
    assert (VOLUMES / volume / "lost+found").exists() == (policy == "Retain")


def test_an_image_that_is_nowhere_is_told_at_once(cluster, namespace):
    cluster.apply(
        pods.pod("none", pods.container("none", "cluster.test/none:1")), namespace=namespace
    )
    waits = "{.status.containerStatuses[0].state.waiting.reason}"
    cluster.kubectl(
        "wait", "-n", namespace, "pod/none", f"--for=jsonpath={waits}=ImagePullBackOff", GONE
    )


def test_restricted_refuses_a_pod_of_root(cluster, namespace):
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", namespace, enforce)
    rooted = pods.client()
    rooted["spec"]["securityContext"] = {"runAsUser": 0}
    refused = cluster.try_kubectl("apply", "-n", namespace, "-f", "-", given=json.dumps(rooted))
    assert 'violates PodSecurity "restricted' in refused.stderr
    cluster.apply(pods.client(), namespace=namespace)


def test_a_pod_over_its_memory_limit_is_killed(cluster, namespace):
    server = pods.container("redis", REDIS, resources={"limits": {"memory": "64Mi"}})
    cluster.apply(pods.pod("eater", server), namespace=namespace)
    cluster.wait_ready(namespace, "eater")
    fill = "for i = 1, 200 do redis.call('set', i, string.rep('x', 1e6)) end"
    filled = cluster.try_kubectl(
        "exec", "-n", namespace, "eater", "--", "redis-cli", "eval", fill, "0"
    )
    assert filled.returncode != 0
    reason = "{.status.containerStatuses[0].lastState.terminated.reason}"
    cluster.kubectl(
        "wait", "-n", namespace, "pod/eater", f"--for=jsonpath={reason}=OOMKilled", GONE
    )


def test_the_limited_user_may_do_what_is_granted_and_no_more(cluster, namespace):
    asked = ("get", "pods", "-n", namespace)
    refused = cluster.try_kubectl(*asked, context=LIMITED)
    assert 'User "limited" cannot list resource "pods"' in refused.stderr
    role = ("--role=reader", f"--user={LIMITED}")
    cluster.kubectl("create", "role", "reader", "-n", namespace, "--verb=list", "--resource=pods")
    cluster.kubectl("create", "rolebinding", "reader", "-n", namespace, *role)
    assert cluster.try_kubectl(*asked, context=LIMITED).returncode == 0


def test_a_pod_moves_with_its_data_once_its_crashed_node_is_tainted(cluster, namespace, machine):
    node = redis_with_a_key(cluster, namespace)
    machine.crash(node)
    cluster.kubectl("wait", f"node/{node}", "--for=condition=Ready=Unknown", GONE)
    # Nothing moves by itself: the pod is still told to be on the dead node.
    assert node_of(cluster, namespace) == node
    cluster.kubectl("taint", "node", node, OUT_OF_SERVICE)
    cluster.kubectl("wait", "-n", namespace, "pod/redis-0", "--for=delete", GONE)
    cluster.wait_ready(namespace, "redis-0")
    assert node_of(cluster, namespace) != node
    assert execute(cluster, namespace, "redis-0", "redis-cli", "get", "key") == "value\n"
    machine.bring_back(node)
    assert "taints" not in cluster.get("node", node)["spec"]


def test_what_is_on_a_node_that_is_cut_off_runs_on(cluster, namespace, machine):
    node = redis_with_a_key(cluster, namespace)
    machine.cut(node)
    cluster.kubectl("wait", f"node/{node}", "--for=condition=Ready=Unknown", GONE)
    machine.bring_back(node)
    cluster.wait_ready(namespace, "redis-0")
    status = cluster.get("pod", "-n", namespace, "redis-0")["status"]["containerStatuses"][0]
    assert status["restartCount"] == 0
    assert node_of(cluster, namespace) == node


def test_the_spec_for_this_cluster_names_an_image_that_it_has():
    spec = wiring.load_spec(ROOT / "tests/cluster/sturdis.yaml")
    assert f"docker.io/library/{spec.engine.image}" == REDIS


def execute(cluster: Cluster, namespace: str, pod: str, *command: str) -> str:
    return cluster.kubectl("exec", "-n", namespace, pod, "--", *command)


def node_of(cluster: Cluster, namespace: str) -> str:
    return str(cluster.get("pod", "-n", namespace, "redis-0")["spec"]["nodeName"])


def redis_with_a_key(cluster: Cluster, namespace: str) -> str:
    """Start a Redis, have a key on its disk, and give the node that it is on."""
    cluster.apply(
        pods.stateful_redis("redis", REDIS, "1Gi"), pods.service("redis", 6379), namespace=namespace
    )
    cluster.wait_ready(namespace, "redis-0")
    execute(cluster, namespace, "redis-0", "redis-cli", "set", "key", "value")
    execute(cluster, namespace, "redis-0", "redis-cli", "waitaof", "1", "0", "0")
    return node_of(cluster, namespace)
