"""The difference of two states, as people read it before they agree."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.apply.difference import HIDDEN, OF_OTHERS, differences

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


SECRET = "hunter2-of-old"
FOREIGN = {
    "metadata": {
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": f'{{"x":"{SECRET}"}}',
            "note": SECRET,
        }
    },
    "data": {
        "redis.conf": f"port 6379\nrequirepass {SECRET}\n  user default on >{SECRET}\n"
        f"rename-command CONFIG {SECRET}\n",
        "name": SECRET,
    },
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "redis",
                        "image": "redis:7.0",
                        "args": ["--requirepass", SECRET],
                        "command": ["sh", "-c", f"redis-server --requirepass {SECRET}"],
                        "env": [
                            {"name": "REDIS_PASSWORD", "value": SECRET},
                            {"name": "REDIS_PW", "value": SECRET},
                            {"name": "REDIS_ADDR", "value": f"redis://:{SECRET}@localhost"},
                        ],
                        "lifecycle": {"postStart": {"exec": {"command": ["set", SECRET]}}},
                    },
                    {
                        "name": "other",
                        "image": "exporter:1",
                        "args": [f"--redis.addr=redis://:{SECRET}@localhost:6379"],
                        "env": [{"name": "X", "value": SECRET}],
                    },
                ]
            }
        }
    },
}
OURS = {
    "metadata": {},
    "data": {"redis.conf": "port 6380\n"},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "redis",
                        "image": "redis:8.0",
                        "command": ["sh", "start"],
                        "env": [{"name": "REDIS_ADDR", "value": "redis://localhost"}],
                    }
                ]
            }
        }
    },
}


def test_nothing_that_others_wrote_into_arguments_variables_or_texts_is_shown():
    told = "\n".join(map(str, differences(FOREIGN, OURS, foreign=True)))
    assert SECRET not in told
    assert "6379" not in told
    assert OF_OTHERS in told
    assert "  + port 6380" in told
    containers = "spec.template.spec.containers"
    assert f"{containers}[redis].image: redis:7.0 → redis:8.0" in told
    assert f"{containers}[redis].env[REDIS_ADDR].value: {OF_OTHERS} → redis://localhost" in told
    assert f"{containers}[other]: {{name: other, image: exporter:1, args: […], " in told


@given(
    secret=st.text("abcdefghijklmnop", min_size=12), other=VALUE, keys=st.lists(TEXT, max_size=3)
)
def test_no_text_of_a_config_map_of_others_is_shown(secret, other, keys):
    before = {"metadata": {}, "data": {key: f"{key} {secret}\n" for key in keys}}
    after = {"metadata": {}, "data": other}
    assert secret not in "\n".join(map(str, differences(before, after, foreign=True)))


@pytest.mark.parametrize(
    "line",
    ["requirepass x", "  user default on >x", "rename-command CONFIG x", "a redis://:x@host:1"],
)
def test_of_what_is_ours_all_is_shown_but_what_may_hold_a_password(line):
    (told,) = shown({"a": f"port 1\n{line}\n"}, {"a": "port 2\n"}, "data")
    assert "- port 1" in told
    assert HIDDEN in told
    assert line not in told
