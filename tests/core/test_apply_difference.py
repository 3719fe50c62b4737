"""The difference of two states, as people read it before they agree."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.apply.difference import HIDDEN, differences

TEXT = st.text("abc \n", max_size=8)
VALUE = st.recursive(
    st.booleans() | st.integers(2, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), inner),
    max_leaves=8,
)
OBJECT = st.builds(
    lambda spec, labels: {"metadata": {"name": "redis", "labels": labels}, "spec": spec},
    VALUE,
    st.dictionaries(TEXT, TEXT, max_size=2),
)


def shown(before: object, after: object, path: str = "spec") -> list[str]:
    made = [{"metadata": {}, path: value} for value in (before, after)]
    return [str(change) for change in differences(*made)]


@given(one=OBJECT)
def test_an_object_does_not_differ_from_itself(one):
    assert differences(one, copy.deepcopy(one)) == ()


@given(one=OBJECT, other=OBJECT)
def test_objects_that_are_not_the_same_differ_somewhere(one, other):
    assert bool(differences(one, other)) == (one != other)


def test_items_of_a_list_are_told_apart_by_their_name():
    before = {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}]}
    after = {"containers": [{"name": "b", "image": "y:2"}, {"name": "a", "image": "x:1"}]}
    assert shown(before, after) == ["spec.containers[b].image: y:1 → y:2"]


def test_of_a_text_the_lines_that_change_are_shown():
    before, after = {"redis.conf": "a 1\nb 2\n"}, {"redis.conf": "a 1\nb 3\n"}
    assert shown(before, after, "data") == ["data[redis.conf]:\n  - b 2\n  + b 3"]


def test_a_long_text_is_cut_and_says_by_how_much():
    after = "".join(f"{number}\n" for number in range(50))
    (told,) = shown({"a": "\n"}, {"a": after}, "data")
    assert told.endswith("more lines")
    assert len(told.splitlines()) < 20


def test_what_the_api_server_keeps_is_no_difference():
    before = {"metadata": {"name": "a", "uid": "1", "generation": 1, "managedFields": []}}
    after = {"metadata": {"name": "a", "resourceVersion": "9"}, "status": {"replicas": 1}}
    assert differences(before, after) == ()


def test_no_password_is_shown_wherever_it_stands():
    secret = "hunter2-of-old"
    foreign = {
        "metadata": {
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": f'{{"x":"{secret}"}}',
            }
        },
        "data": {"redis.conf": f"port 6379\nrequirepass {secret}\nuser default on >{secret}\n"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "redis",
                            "args": ["--requirepass", secret],
                            "command": ["sh", "-c", f"redis-server --requirepass {secret}"],
                            "env": [{"name": "REDIS_PASSWORD", "value": secret}],
                        },
                        {"name": "other", "env": [{"name": "X_TOKEN", "value": secret}]},
                    ]
                }
            }
        },
    }
    ours = {
        "metadata": {},
        "data": {"redis.conf": "port 6380\n"},
        "spec": {
            "template": {"spec": {"containers": [{"name": "redis", "command": ["sh", "start"]}]}}
        },
    }
    told = "\n".join(map(str, differences(foreign, ours)))
    assert secret not in told
    assert HIDDEN in told
    assert "- port 6379" in told
