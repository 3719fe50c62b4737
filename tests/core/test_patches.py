"""What an overlay says is what its environment differs by, and nothing else."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.render import patches

KEYS = st.sampled_from(["a", "b", "/", "~", "~1", "c.d", ""])
LEAVES = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["x", "1", ""])
TREES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=12,
)


def applied(document, operations):
    """Do what RFC 6902 says of add, remove and replace."""
    document = copy.deepcopy(document)
    for operation in operations:
        keys = [key.replace("~1", "/").replace("~0", "~") for key in operation["path"].split("/")]
        if operation["path"] == "":
            document = operation["value"]
            continue
        place = document
        for key in keys[1:-1]:
            place = place[int(key) if isinstance(place, list) else key]
        last = int(keys[-1]) if isinstance(place, list) else keys[-1]
        assert operation["op"] == "add" or (isinstance(last, int) or last in place)
        if operation["op"] == "remove":
            del place[last]
        else:
            place[last] = operation["value"]
    return document


@given(TREES, TREES)
def test_a_patch_makes_one_of_the_other(old, new):
    assert applied(old, patches.patch(old, new)) == new


@given(TREES)
def test_equal_objects_need_no_patch(tree):
    assert patches.patch(tree, copy.deepcopy(tree)) == []


def test_true_is_not_one():
    operation = {"op": "replace", "path": "/a", "value": True}
    assert patches.patch({"a": 1}, {"a": True}) == [operation]


def test_only_the_value_that_differs_is_named():
    old = {"spec": {"size": "10Gi", "labels": {"a/b": "1"}}}
    new = {"spec": {"size": "20Gi", "labels": {"a/b": "2"}}}
    assert patches.patch(old, new) == [
        {"op": "replace", "path": "/spec/size", "value": "20Gi"},
        {"op": "replace", "path": "/spec/labels/a~1b", "value": "2"},
    ]
