"""The dashboard: JSON that Grafana reads, the same bytes each time, one per deployment."""

import json
from itertools import combinations

from sturdis.core.render import dashboard as drawing
from sturdis.core.spec import Spec
from tests.core import queries
from tests.core.alert_cases import SPEC


def model_in(config_map):
    (text,) = config_map["data"].values()
    return json.loads(text)


def test_a_config_map_holds_the_dashboard_where_grafana_looks():
    made = drawing.dashboard(SPEC)
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert model_in(made) == drawing.model(SPEC)
    assert made == drawing.dashboard(SPEC)


def test_deployments_do_not_replace_each_others_dashboard():
    made = [drawing.dashboard(spec) for spec in (Spec(), Spec(namespace="b"), Spec(name="b"))]
    for one, two in combinations(made, 2):
        assert one["data"].keys().isdisjoint(two["data"])
        assert model_in(one)["uid"] != model_in(two)["uid"]
        assert model_in(one)["title"] != model_in(two)["title"]
    assert all(len(model_in(one)["uid"]) <= 40 for one in made), "Grafana's limit"


def test_panels_are_told_apart_and_do_not_overlap():
    panels = drawing.model(SPEC)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    assert len({panel["title"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _y in cells) == 23


def test_every_panel_asks_the_chosen_source_for_this_deployment():
    model = drawing.model(SPEC)
    (variable,) = model["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in model["panels"]:
        targets = panel["targets"]
        assert len({target["refId"] for target in targets}) == len(targets) > 0
        for target in targets:
            assert target["datasource"]["uid"] == f"${{{variable['name']}}}"
            found = queries.selectors(target["expr"])
            assert found
            assert all('namespace="redis"' in matchers for _metric, matchers in found)


def test_queues_are_drawn_where_some_are_named():
    titles = [
        [panel["title"] for panel in drawing.model(spec)["panels"]] for spec in (Spec(), SPEC)
    ]
    assert titles[1] == [*titles[0], "Jobs that wait"]
