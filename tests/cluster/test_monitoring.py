"""Prometheus for real: its operator reads our objects, it scrapes the pod, and RedisDown fires."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from tests.cluster import deployments, pods, prometheus
from tests.cluster.clusters import Cluster
from tests.cluster.deployments import POD, Deployed
from tests.cluster.machine import images, monitoring, processes
from tests.cluster.prometheus import Prometheus
from tests.integration import promtool

pytestmark = pytest.mark.tier("monitoring")

QUEUE = "mails"
INTERVAL = "2m"
"""What Grafana writes for $__rate_interval: four times the 30 s between two scrapes."""
WAITS = "10s"
"""How long a condition holds until its alert fires, in this server's copy of the rules."""
SCRAPES_SECONDS = 150
"""Five scrapes: a deployment that changed is seen by then."""
ABSENT_IMAGE = "cluster.test/none:1"
ADD_A_JOB = (
    "const {Queue} = require('/app/node_modules/bullmq');"
    "const queue = new Queue(process.argv[1], {connection: {host: 'redis'}});"
    "await queue.add('hello', {}); await queue.close();"
)


@pytest.fixture(scope="module")
def deployed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Give a deployment that is used: a queue with a job, an error, a key that expires."""
    lines = f"monitoring: {{queues: [{QUEUE}]}}\n"
    folder = tmp_path_factory.mktemp("monitored")
    with deployments.deployed(cluster, folder, lines=lines) as found:
        worker = pods.container("node", images.NODE, "sleep", "infinity")
        cluster.apply(pods.pod("node", worker), namespace=found.namespace)
        cluster.wait_ready(found.namespace, "node")
        script = f"(async () => {{ {ADD_A_JOB} }})()"
        found.kubectl("exec", "node", "--", "node", "-e", script, QUEUE)
        redis = ("exec", POD, "-c", "redis", "--", "redis-cli")
        found.kubectl(*redis, "set", "expires", "value", "ex", "3600")
        found.kubectl(*redis, "no-such-command")
        yield found


@pytest.fixture(scope="module")
def server(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Give a Prometheus on what the operator makes of that deployment."""
    folder = tmp_path_factory.mktemp("prometheus")
    monitoring.start()
    try:
        with prometheus.running(deployed.cluster, deployed.namespace, folder, WAITS) as found:
            processes.wait(
                "the first scrape", lambda: bool(found.query("redis_up == 1")),
                seconds=SCRAPES_SECONDS,
            )  # fmt: skip
            yield found
    finally:
        monitoring.stop()


def test_the_operator_makes_rule_files_that_prometheus_takes(deployed, server):
    (text,) = prometheus.rules(deployed.cluster, deployed.namespace).values()
    (server.folder / "as-made.yaml").write_text(text)
    checked = promtool.run("check", "rules", "as-made.yaml", folder=server.folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (written,) = deployed.get("prometheusrule", "redis")["spec"]["groups"]
    (loaded,) = server.ask("rules")["groups"]
    assert [rule["name"] for rule in loaded["rules"]] == [
        rule["alert"] for rule in written["rules"]
    ]


def test_the_pod_is_scraped_every_30_s_under_the_deployments_name(deployed, server):
    (up,) = server.query(f'up{{namespace="{deployed.namespace}", job="redis"}}')
    assert up["metric"]["instance"] == POD
    assert up["value"][1] == "1"
    ours = [
        one for one in server.ask("targets")["activeTargets"] if one["labels"]["job"] == "redis"
    ]
    assert [(one["health"], one["scrapeInterval"]) for one in ours] == [("up", "30s")]


def test_every_query_of_the_dashboard_has_data(deployed, server):
    (text,) = deployed.get("configmap", "redis-dashboard")["data"].values()
    queries = {
        target["expr"].replace("$__rate_interval", INTERVAL): panel["title"]
        for panel in json.loads(text)["panels"]
        for target in panel["targets"]
    }
    assert len(queries) > 20
    for query, panel in queries.items():
        # The kubelet looks at its volumes once a minute.
        processes.wait(
            f"the panel {panel!r} has data: {query}", partial(server.query, query),
            seconds=SCRAPES_SECONDS,
        )  # fmt: skip


def test_nothing_is_wrong_with_a_deployment_that_is_well(server):
    # How full the disk is, is this machine's matter.
    assert set(server.alerts()) <= {"RedisVolumeFilling"}


def test_the_jobs_that_wait_are_counted_by_queue(deployed, server):
    counted = server.query(f'redis_script_values{{namespace="{deployed.namespace}"}}')
    assert [(one["metric"]["key"], one["value"][1]) for one in counted] == [(QUEUE, "1")]


@pytest.mark.parametrize(
    ("gone", "back"),
    [
        (
            ("scale", "statefulset/redis", "--replicas=0"),
            ("scale", "statefulset/redis", "--replicas=1"),
        ),
        (
            ("set", "image", f"pod/{POD}", f"redis-exporter={ABSENT_IMAGE}"),
            ("delete", "pod", POD, "--wait=true"),
        ),
        (
            ("set", "image", f"pod/{POD}", f"redis={ABSENT_IMAGE}"),
            ("delete", "pod", POD, "--wait=true"),
        ),
    ],
    ids=["pod", "exporter", "server"],
)
def test_redis_down_is_pending_then_fires_when_it_is_gone_and_ends_when_it_is_back(
    gone, back, deployed, server
):
    assert "RedisDown" not in server.alerts()
    deployed.kubectl(*gone)
    try:
        for state in ("pending", "firing"):
            processes.wait(
                f"RedisDown is {state}",
                lambda: server.alerts().get("RedisDown") == state,  # noqa: B023  within the turn
                seconds=SCRAPES_SECONDS,
            )
    finally:
        deployed.kubectl(*back)
    deployed.cluster.wait_ready(deployed.namespace, POD)
    processes.wait(
        "RedisDown is over", lambda: "RedisDown" not in server.alerts(), seconds=SCRAPES_SECONDS
    )
