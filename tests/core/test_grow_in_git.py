"""Growing what Argo CD or Flux keeps as it is in Git."""

import copy
from dataclasses import replace

import pytest

from sturdis.core.apply.facts import Facts
from sturdis.core.apply.plan import Action
from sturdis.core.grow import committing, objections
from sturdis.core.render import tree as trees
from sturdis.core.render.argocd import Source
from sturdis.core.spec import file as specfile
from tests.core.growing import (
    SET,
    SMALL,
    WANTED,
    World,
    actions,
    decided,
    set_of,
)


def tracked(facts: Facts, kind: str = "StatefulSet") -> Facts:
    live = copy.deepcopy(dict(facts.live))
    note = {"argocd.argoproj.io/tracking-id": "cache:apps/StatefulSet:redis/redis"}
    for ref, one in live.items():
        if one is not None and ref.kind.kind == kind:
            one["metadata"]["annotations"] = note
            one["metadata"]["managedFields"] = [{"manager": "argocd", "operation": "Apply"}]
    return replace(facts, live=live)


@pytest.mark.parametrize("kind", ["StatefulSet", "Service"])
def test_where_argo_cd_keeps_anything_only_the_claim_is_written(kind):
    facts = tracked(World(SMALL, "10Gi").facts, kind)
    objections.refuse(WANTED, facts)
    growth = decided(WANTED, facts)
    assert (actions(growth), growth.waits) == ([Action.GROW], True)
    assert growth.keeper == "Argo CD, Application cache"


def test_what_is_to_be_committed_is_told_until_the_set_has_the_size():
    grown = World(WANTED, "20Gi")
    assert decided(WANTED, tracked(grown.facts)).keeper == ""
    live = {**grown.facts.live, SET: set_of(SMALL)}
    behind = tracked(replace(grown.facts, live=live))
    growth = decided(WANTED, behind)
    assert (growth.is_done, growth.keeper) == (True, "Argo CD, Application cache")


def test_a_set_that_argo_cd_has_to_make_anew_is_left_to_it():
    facts = tracked(World(WANTED, "20Gi").facts, "Service")
    gone = replace(facts, live={**facts.live, SET: None})
    growth = decided(WANTED, gone)
    assert (actions(growth), bool(growth.keeper)) == ([], True)


SPEC_FILE = """
gitops: {{repoURL: ssh://git.local/app.git}}
storage: {{size: {base}}}
environments: {{stage: {{}}, prod: {{storage: {{size: {prod}}}}}}}
"""


@pytest.mark.parametrize(
    ("environment", "before", "after"),
    [
        ("prod", {"base": "10Gi", "prod": "20Gi"}, {"base": "10Gi", "prod": "40Gi"}),
        ("prod", {"base": "10Gi", "prod": "10Gi"}, {"base": "10Gi", "prod": "40Gi"}),
        (None, {"base": "10Gi", "prod": "20Gi"}, {"base": "15Gi", "prod": "20Gi"}),
    ],
)
def test_the_files_that_are_told_are_those_that_rendering_changes(environment, before, after):
    files = [
        specfile.read(SPEC_FILE.format(**sizes), source="sturdis.yaml") for sizes in (before, after)
    ]
    old, new = (trees.tree(one, Source("ssh://git.local/app.git")) for one in files)
    changed = {path for path in new if old.get(path) != new[path]}
    told = committing.files(files[1], environment)
    assert told[-1] == trees.sums_path(files[1])
    assert told[0] in changed
    of_its_own = {path for path in changed if f"/{environment or 'base'}/" in path}
    assert of_its_own <= {*told, told[0].replace("statefulset.patch", "kustomization")}
