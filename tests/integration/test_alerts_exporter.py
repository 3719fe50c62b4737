"""The alerts on what the real exporter tells: of a healthy server, and of each fault."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.render import acl, queue_script
from sturdis.core.render import alerts as rendering
from sturdis.core.render import dashboard as drawing
from sturdis.core.replies import ErrorReply
from sturdis.core.spec import Monitoring, Spec, Thresholds
from tests import slow_disk
from tests.core import alert_cases, queries
from tests.integration import promtool
from tests.integration.faults import FAULTS, ODD, add, fill_a_queue, url_of, wait_for_the_disk
from tests.integration.running import SERVERS
from tests.integration.scrapes import Scraped, exporter, scrape
from tests.integration.servers import LOOPBACK, Server, start_server

pytestmark = [pytest.mark.tier("exporter"), pytest.mark.tier("promtool")]

SPEC = Spec(
    monitoring=Monitoring(
        queues=alert_cases.QUEUES, thresholds=Thresholds(connections=10, waiting_jobs=5)
    )
)
SCRAPES = 13
"""How often each scrape is repeated: 6.5 minutes, longer than any alert waits."""

SETTINGS = ("--appendonly", "yes", "--maxmemory", "200mb", "--maxmemory-policy", "noeviction")

DEAF_TO_LIMITS = ("sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh")
"""Starts a server that a limit on its files' size does not kill: its writes fail."""


@contextlib.contextmanager
def watched(folder: Path, path: str, *before: str) -> Iterator[tuple[Server, str]]:
    """Run a server as the deployment's and the real exporter beside it."""
    script = folder.with_suffix(".lua")
    script.write_text(queue_script.queue_script(SPEC))
    with (
        start_server(folder, *SETTINGS, server=path, before=before) as server,
        exporter(url_of(server), REDIS_EXPORTER_SCRIPT=str(script)) as metrics,
    ):
        yield server, metrics


def fired(folder: Path, scraped: list[Scraped], *alerts: str) -> None:
    """Let Prometheus have each scrape for a while; these alerts fire at the end, and no other."""
    series = promtool.of_deployment(SPEC, history(scraped))
    labels = {"namespace": SPEC.namespace, "job": SPEC.name}
    expected = {alert: dict(labels) for alert in alerts}
    if "RedisQueueDepthHigh" in expected:
        expected["RedisQueueDepthHigh"]["queue"] = ODD
    minute = (SCRAPES * len(scraped) - 1) // 2
    groups = rendering.prometheus_rule(SPEC)["spec"]["groups"]
    promtool.assert_fires(groups, series, minute, expected, folder)


def history(scraped: list[Scraped]) -> dict[str, str]:
    """Write scrapes as promtool reads series; of the metrics that alerts look at."""
    wanted = queries.metrics(*(alert.expr for alert in rendering.alerts(SPEC)))
    every = dict.fromkeys(key for one in scraped for key in one.values if key[0] in wanted)
    return {
        promtool.labelled(name, dict(sorted(labels))): " ".join(
            written(one.values.get((name, labels))) for one in scraped
        )
        for name, labels in every
    }


def written(value: float | None) -> str:
    return f"_x{SCRAPES}" if value is None else f"{value:.17g}x{SCRAPES - 1}"


@pytest.mark.parametrize("server_path", SERVERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fires_its_alert(server_path, fault, tmp_path):
    bring, expected = FAULTS[fault]
    with watched(tmp_path / "data", server_path, *DEAF_TO_LIMITS) as (server, metrics):
        before = scrape(metrics)
        bring(server)
        after = scrape(metrics)
    fired(tmp_path, [before, before])
    fired(tmp_path, [before, after], *expected)


@pytest.mark.parametrize("server_path", SERVERS)
def test_more_connections_than_the_threshold_fire(server_path, tmp_path):
    with watched(tmp_path / "data", server_path) as (server, metrics), contextlib.ExitStack() as on:
        before = scrape(metrics)
        for _ in range(11):
            on.enter_context(Link(Address(LOOPBACK, server.port))).call("PING")
        after = scrape(metrics)
    fired(tmp_path, [before, after], "RedisConnectionsHigh")


@pytest.mark.parametrize("server_path", SERVERS)
def test_five_starts_are_a_loop_and_four_are_none(server_path, tmp_path):
    seen = []
    for _ in range(5):
        with watched(tmp_path / "data", server_path) as (_server, metrics):
            seen.append(scrape(metrics))
    fired(tmp_path, seen[1:])
    fired(tmp_path, seen, "RedisRestartLoop")


@pytest.mark.tier("compiler")
@pytest.mark.tier("redis-server")
def test_a_slow_disk_fires(tmp_path):
    slow = slow_disk.library(tmp_path, "fdatasync", 2500)
    redis = str(shutil.which("redis-server"))
    with watched(tmp_path / "data", redis, "env", f"LD_PRELOAD={slow}") as (server, metrics):
        before = scrape(metrics)
        wait_for_the_disk(server)
        after = scrape(metrics)
    fired(tmp_path, [before, after], "RedisAofFsyncDelayed")


def test_every_alert_but_the_kubelets_is_fired_by_a_fault():
    by_a_test = {"RedisConnectionsHigh", "RedisRestartLoop", "RedisAofFsyncDelayed"}
    by_faults = {alert for _bring, expected in FAULTS.values() for alert in expected}
    every = {alert.name for alert in rendering.alerts(SPEC)}
    assert every - by_faults - by_a_test == {"RedisVolumeFilling"}


@pytest.mark.parametrize("server_path", SERVERS)
def test_the_exporter_serves_every_metric_that_is_asked_for(server_path, tmp_path):
    asked = queries.metrics(
        *(alert.expr for alert in rendering.alerts(SPEC)),
        *(query for panel in drawing.panels(SPEC) for _legend, query in panel.queries),
    )
    with watched(tmp_path / "data", server_path) as (server, metrics):
        assert isinstance(server.call("GET"), ErrorReply)
        served = {name for name, _labels in scrape(metrics).values}
    missing = {name for name in asked - served if not name.startswith("kubelet_volume_stats_")}
    assert missing == set()


@pytest.mark.parametrize("server_path", SERVERS)
def test_the_exporters_own_user_may_read_all_that_is_asked_for(server_path, tmp_path):
    user = ("ACL", "SETUSER", "exporter", "on", ">secret", *acl.EXPORTER.rules)
    with watched(tmp_path / "data", server_path) as (server, metrics):
        server.call(*user)
        login = {"REDIS_USER": "exporter", "REDIS_PASSWORD": "secret"}
        script = str(tmp_path / "data.lua")
        with exporter(url_of(server), REDIS_EXPORTER_SCRIPT=script, **login) as as_user:
            fill_a_queue(server)
            all_of_it, its_own = scrape(metrics), scrape(as_user)
    assert {name for name, _labels in its_own.values} == {name for name, _ in all_of_it.values}
    assert its_own.value("redis_script_result", filename=script) == 1
    assert {"err": "NOPERM"} not in map(dict, its_own.labelled("redis_errors_total"))


@pytest.mark.parametrize("server_path", SERVERS)
def test_jobs_are_counted_whatever_their_queues_are_called(server_path, tmp_path):
    with watched(tmp_path / "data", server_path) as (server, metrics):
        fill_a_queue(server)
        asyncio.run(add(server, 4, delay=3_600_000))
        server.call("LPUSH", f"bull:{ODD}:paused", "as BullMQ 5 does")
        server.call("SET", "bull:mails:wait", "no queue's")
        scraped = scrape(metrics)
        server.call("CONFIG", "SET", "maxmemory", 1)
        full = scrape(metrics)
    for one in (scraped, full):
        counted = {
            dict(labels)["key"]: value
            for (name, labels), value in one.values.items()
            if name == "redis_script_values"
        }
        assert counted == {"mails": 0, ODD: 7}
