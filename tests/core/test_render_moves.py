"""A rendered tree whose server changes: what could not read the data that may be there."""

import json
from typing import Any

import pytest
from hypothesis import given

from sturdis.core.render import moves, writing
from sturdis.core.render import tree as trees
from sturdis.core.render.argocd import Source
from sturdis.core.spec import engine_image
from sturdis.core.spec import file as specfile
from sturdis.core.spec.file import SpecFile
from sturdis.core.upgrade import Verdict
from tests.core.valid_specs import files

ROOT = "apps/infrastructure/redis"
NEVER = "cannot read what redis 8.0.2 has written"


def rendered(**said: Any) -> trees.Tree:
    said["gitops"] = {"repoURL": "ssh://git.local/app.git"}
    return _tree(specfile.read(json.dumps(said), source="sturdis.yaml"))


def _tree(file: SpecFile) -> trees.Tree:
    return trees.tree(file, Source("ssh://git.local/app.git"))


def engine(image: str) -> dict[str, str]:
    return {"kind": "valkey" if "valkey" in image else "redis", "image": image}


def planned(old: trees.Tree, new: trees.Tree) -> writing.RenderPlan:
    sums = f"{ROOT}/{trees.SUMS}"
    return writing.plan("out", new, sums, {**old, sums: trees.sums(old)})


@pytest.mark.parametrize("image", ["redis:7.0.15", "valkey/valkey:9.1.2"])
def test_a_server_that_could_not_read_the_data_is_a_problem_everywhere_it_is(image):
    old, new = (rendered(engine=engine(one)) for one in ("redis:8.0.2", image))
    plan = planned(old, new)
    assert [one.partition(":")[0] for one in plan.problems] == [
        "base", "overlays/prod", "overlays/stage",
    ]  # fmt: skip
    assert all(NEVER in one for one in plan.problems)
    assert f"problem  base: {plan.problems[0].partition(' ')[2]}" in str(plan)


def test_a_move_without_a_way_back_is_a_note():
    old, new = (rendered(engine=engine(one)) for one in ("redis:7.0.15", "redis:8.0.2"))
    plan = planned(old, new)
    assert plan.problems == ()
    assert "no way back" in plan.notes[0]


@pytest.mark.parametrize(("old", "new"), [("redis:8.0.2", "redis:7.0.15")])
def test_an_environment_of_another_server_is_judged_by_its_own(old, new):
    before = rendered(environments={"prod": {"engine": engine(old)}, "stage": {}})
    after = rendered(environments={"prod": {"engine": engine(new)}, "stage": {}})
    (problem,) = planned(before, after).problems
    assert problem.startswith("overlays/prod: redis 7.0.15")


def test_an_environment_that_is_new_has_no_data():
    before = rendered(engine=engine("redis:8.0.2"), environments={})
    after = rendered(
        engine=engine("redis:8.0.2"), environments={"prod": {"engine": engine("redis:7.0.15")}}
    )
    assert planned(before, after).problems == ()


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "spec: {template: {spec: {containers: 7}}}"])
def test_what_somebody_edited_out_of_shape_is_judged_by_nobody(text):
    new = rendered(engine=engine("redis:7.0.15"))
    old = {**rendered(engine=engine("redis:8.0.2")), f"{ROOT}/base/statefulset.yaml": text}
    assert planned(old, new).problems == ()


@given(files(), files())
def test_the_images_read_from_a_tree_are_those_of_the_specs(one, other):
    for file in (one, other):
        root = f"{trees.APPS}/{file.base.spec.name}"
        wanted = {"base": engine_image(file.base.spec)}
        for name, deployment in file.environments.items():
            wanted[f"overlays/{name}"] = engine_image(deployment.spec)
        assert moves.images(root, _tree(file)) == wanted


def test_nothing_is_said_where_no_server_changes():
    tree = rendered()
    assert list(moves.moves(ROOT, tree, tree)) == []
    assert all(
        move.verdict is not Verdict.FORBIDDEN
        for _name, move in moves.moves(ROOT, tree, rendered(memory={"limit": "2Gi"}))
    )
