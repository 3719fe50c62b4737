"""The alerts as values: each is tried both ways, has a runbook, and asks one deployment alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.errors import SpecError
from sturdis.core.render import alerts as rendering
from sturdis.core.render import metadata, queue_script, service_monitor
from sturdis.core.render import network as networking
from sturdis.core.spec import Exporter, Monitoring, Spec
from tests.core import queries
from tests.core.alert_cases import CASES, SPEC
from tests.tiers import ROOT

ALERTS = tuple(rendering.alerts(SPEC))

every_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


@every_alert
def test_an_alert_is_tried_firing_and_silent(alert):
    """Silent counts where a case moves a metric that the alert looks at."""
    looked_at = queries.metrics(alert.expr)
    moving = [case for case in CASES if {key.partition("{")[0] for key in case.series} & looked_at]
    assert any(alert.name in case.alerts for case in moving)
    assert any(alert.name not in case.alerts for case in moving)


@every_alert
def test_an_alert_asks_for_its_own_deployment_alone(alert):
    found = queries.selectors(alert.expr)
    assert len(found) == alert.expr.count("{") > 0
    for _metric, matchers in found:
        assert 'namespace="redis"' in matchers
        assert 'job="redis"' in matchers or 'persistentvolumeclaim="data-redis-0"' in matchers


def sections() -> dict[str, str]:
    """Give the text of each runbook by the anchor that leads to it."""
    text = (ROOT / "docs/operations.md").read_text()
    _before, *found = re.split(r"(?m)^### (Redis\w+)\n", text)
    names, texts = found[::2], found[1::2]
    assert len(set(names)) == len(names)
    return {name: re.split(r"(?m)^## ", text)[0] for name, text in zip(names, texts, strict=True)}


@every_alert
def test_an_alert_has_a_runbook_that_says_what_to_look_at_and_how_to_mend(alert):
    runbook = sections()[alert.name]
    assert alert.rule()["annotations"]["runbook"] == f"docs/operations.md#{alert.name.lower()}"
    for part in ("**Means.**", "**Costs.**", "**Look.**", "**Mend.**"):
        assert part in runbook, part


def test_no_runbook_is_left_over():
    assert set(sections()) == {alert.name for alert in ALERTS}


def test_the_alerts_of_the_deployment_that_it_stands_for_are_there():
    rules = {alert.name: alert.rule() for alert in rendering.alerts(Spec())}
    for name in ("RedisDown", "RedisMemoryHigh", "RedisConnectionsHigh"):
        assert rules[name]["for"] == "5m"
    assert rules["RedisConnectionsHigh"]["expr"].endswith(" > 100")
    assert rules["RedisMemoryHigh"]["expr"].endswith(" > 0.8")
    assert not any("Queue" in name for name in rules), "no queue is named"


def test_a_rule_names_no_host():
    assert "://" not in str(rendering.prometheus_rule(SPEC))


def test_the_monitor_selects_the_headless_service_and_its_port():
    spec = Spec(name="cache", monitoring=Monitoring(exporter=Exporter(port=9200)))
    monitor = service_monitor.service_monitor(spec)
    headless, stable = networking.headless_service(spec), networking.service(spec)
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= headless["metadata"]["labels"].items()
    assert not wanted <= stable["metadata"]["labels"].items(), "a pod must be scraped once"
    assert monitor["metadata"]["namespace"] == headless["metadata"]["namespace"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in headless["spec"]["ports"]}
    assert endpoint["interval"] == "30s"


def test_series_go_on_when_the_pod_gets_another_address():
    (endpoint,) = service_monitor.service_monitor(Spec(name="cache"))["spec"]["endpoints"]
    by_target = {one["targetLabel"]: one for one in endpoint["relabelings"]}
    assert by_target["job"]["replacement"] == "cache"
    assert by_target["instance"]["sourceLabels"] == ["__meta_kubernetes_pod_name"]


names = st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(names, unique=True, max_size=9))
def test_a_queues_name_comes_back_from_the_script(queues):
    script = queue_script.queue_script(Spec(monitoring=Monitoring(queues=tuple(queues))))
    assert script.isascii()
    table = script.split("local queues = {")[1].split("\nlocal parts")[0]
    assert [as_lua_reads(one) for one in re.findall(r'(?m)^  "(.*)",$', table)] == queues


def as_lua_reads(text: str) -> str:
    parts = re.split(r"\\(\d{3})", text)
    raw = [bytes([int(part)]) if place % 2 else part.encode() for place, part in enumerate(parts)]
    return b"".join(raw).decode()


def test_more_names_than_a_configmap_holds_are_refused():
    fits = tuple(f"{number:03}{'x' * 253}" for number in range(1000))
    assert len(queue_script.queue_script(Spec(monitoring=Monitoring(queues=fits)))) > 256_000
    too_long = tuple(f"{number:03}{'ü' * 253}" for number in range(1000))
    with pytest.raises(SpecError, match="1000 names are too long together"):
        queue_script.queue_script(Spec(monitoring=Monitoring(queues=too_long)))


def test_metadata_is_that_of_the_deployment():
    for made in (rendering.prometheus_rule(SPEC), service_monitor.service_monitor(SPEC)):
        assert made["metadata"] == metadata.meta(SPEC, "redis")
