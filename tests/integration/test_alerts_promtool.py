"""The alerts as Prometheus runs them: each fires when it should, and no other does."""

import pytest

from sturdis.core.render import alerts as rendering
from sturdis.core.render import dashboard as drawing
from sturdis.core.spec import Monitoring, Spec, Thresholds
from tests.core import alert_cases
from tests.core.alert_cases import CASES, HEALTHY, SPEC, Case
from tests.integration import promtool

pytestmark = pytest.mark.tier("promtool")


def groups_of(spec):
    return rendering.prometheus_rule(spec)["spec"]["groups"]


def labels_of(alert, spec, queue="mails"):
    """Give the labels of an alert that `promtool.FIRING` keeps."""
    job = "kubelet" if alert == "RedisVolumeFilling" else spec.name
    of_queue = {"queue": queue} if alert == "RedisQueueDepthHigh" else {}
    return {"namespace": spec.namespace, "job": job, **of_queue}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_alert_fires_when_it_should_and_no_other_does(case, tmp_path):
    series = promtool.of_deployment(SPEC, HEALTHY | case.series)
    odd = alert_cases.QUEUES[1]
    expected = {alert: labels_of(alert, SPEC, odd) for alert in case.alerts}
    promtool.assert_fires(groups_of(SPEC), series, case.minute, expected, tmp_path)


def test_the_thresholds_of_the_spec_decide(tmp_path):
    thresholds = Thresholds(connections=7, memory_percent=57, waiting_jobs=4)
    spec = Spec(monitoring=Monitoring(queues=alert_cases.QUEUES, thresholds=thresholds))
    above = {"redis_memory_used_bytes": "571x200"}
    at = {
        "redis_connected_clients": "7x200",
        "redis_memory_used_bytes": "570x200",
        'redis_script_values{key="mails"}': "4x200",
    }
    names = ("RedisConnectionsHigh", "RedisMemoryHigh", "RedisQueueDepthHigh")
    expected = {alert: labels_of(alert, spec) for alert in names}
    for series, fired in ((above, expected), (at, {})):
        of_it = promtool.of_deployment(spec, HEALTHY | series)
        promtool.assert_fires(groups_of(spec), of_it, 6, fired, tmp_path)


BROKEN = {
    "redis_up": "0x200",
    "redis_connected_clients": "5000x200",
    "redis_aof_enabled": "0x200",
    "redis_aof_last_write_status": "0x200",
    "redis_aof_last_bgrewrite_status": "0x200",
    "redis_memory_used_bytes": "999x200",
    "redis_rejected_connections_total": "0+1x200",
    "redis_aof_delayed_fsync": "0+1x200",
    "redis_evicted_keys_total": "0+1x200",
    'redis_errors_total{err="OOM"}': "0+1x200",
    'redis_errors_total{err="READONLY"}': "0+1x200",
    'redis_script_values{key="mails"}': "5000x200",
    "redis_script_result": "0x200",
    "kubelet_volume_stats_available_bytes": "1x200",
    **alert_cases.runs(5, 10),
}


@pytest.mark.parametrize(
    "other",
    [Spec(namespace="other", monitoring=SPEC.monitoring),
     Spec(name="cache", monitoring=SPEC.monitoring)],
    ids=["in-another-namespace", "beside-it"],
)  # fmt: skip
def test_two_deployments_in_one_prometheus_do_not_mix(other, tmp_path):
    series = promtool.of_deployment(SPEC, HEALTHY) | promtool.of_deployment(other, HEALTHY | BROKEN)
    every = {alert.name for alert in rendering.alerts(other)} - {"RedisMaxmemoryUnset"}
    expected = {alert: labels_of(alert, other) for alert in every}
    groups = [*groups_of(SPEC), *groups_of(other)]
    promtool.assert_fires(groups, series, 27, expected, tmp_path)
    gone = promtool.of_deployment(SPEC, HEALTHY)
    down = {"RedisDown": labels_of("RedisDown", other)}
    promtool.assert_fires(groups, gone, 27, down, tmp_path)


def test_a_case_that_does_not_hold_is_told(tmp_path):
    wrong = Case("wrong", {}, 10, ("RedisDown",))
    with pytest.raises(AssertionError, match="RedisDown"):
        test_an_alert_fires_when_it_should_and_no_other_does(wrong, tmp_path)


@pytest.mark.parametrize("spec", [Spec(), SPEC], ids=["defaults", "with-queues"])
def test_promtool_finds_no_fault_with_the_rules(spec, tmp_path):
    rules = [alert.rule() for alert in rendering.alerts(spec)]
    assert promtool.check(rules, tmp_path) == ""
    assert "parse error" in promtool.check([rules[0] | {"expr": "redis_up =="}], tmp_path)
    broken = rules[0] | {"annotations": {"summary": "{{ $valve }}"}}
    assert "undefined variable" in promtool.check([broken], tmp_path)


def test_promtool_reads_every_query_of_the_dashboard(tmp_path):
    queries = [query for panel in drawing.panels(SPEC) for _legend, query in panel.queries]
    rules = [
        {"record": f"test:{number}", "expr": query.replace("$__rate_interval", "2m")}
        for number, query in enumerate(queries)
    ]
    assert len(rules) > 20
    assert promtool.check(rules, tmp_path) == ""
