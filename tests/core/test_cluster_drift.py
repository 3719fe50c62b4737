import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.cluster_drift import differences


@pytest.mark.parametrize(
    ("wanted", "live", "told"),
    [
        ({"a": 1}, {"a": 1, "filled": "in"}, []),
        ({"a": {}}, {}, []),
        ({"a": False}, {}, []),
        ({"a": 0}, {"a": 5}, ["a 5, not 0"]),
        ({"a": 5}, {"a": 0}, ["a 0, not 5"]),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, ["a.b y, not x"]),
        ({"a": [{"name": "p", "n": 1}]}, {"a": [{"name": "p", "n": 2}]}, ["a[p].n 2, not 1"]),
        ({"a": [{"name": "p"}]}, {"a": [{"name": "p"}, {"name": "q"}]}, ["a[q] is there, not nothing"]),  # noqa: E501
        ({"a": [{"name": "p", "n": 1}, {"name": "p", "n": 2}]}, {"a": [{"name": "p", "n": 1}]}, ["a[1] nothing, not {'name': 'p', 'n': 2}"]),  # noqa: E501
        ({"a": [1, 2]}, {"a": [1]}, ["a[1] nothing, not 2"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a[1] 2, not nothing"]),
        ({"a": "# new\nx 1\n"}, {"a": "# old\nx 2\n"}, ["a x 2, not x 1"]),
        ({"a": "x 1\ny 1\n"}, {"a": "x 1\nz 1\ny 1\n"}, ["a z 1, not nothing"]),
        ({"selector": {"a": "b"}}, {"selector": {"a": "b", "c": 1}}, ["selector.c 1, not nothing"]),
        ({"labels": {"a": "b"}}, {"labels": {"a": "b", "c": "d"}}, []),
        ({"a": "# new\nx 1\n"}, {"a": "# old\nx 1\n"}, ["a # old, not # new"]),
    ],
)  # fmt: skip
def test_a_difference_names_the_field_and_both_values(wanted, live, told):
    assert [str(one) for one in differences(wanted, live)] == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab\n#", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "x", "y"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, st.dictionaries(st.sampled_from(["p", "q"]), JSON))
def test_an_object_with_fields_beside_is_what_was_wanted(wanted, beside):
    live = copy.deepcopy(wanted)
    if isinstance(live, dict):
        live |= beside
    assert list(differences(wanted, live)) == []
