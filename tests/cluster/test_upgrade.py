"""From one server to another by a changed spec: moves that keep the data, and those that do not."""

import json
import re
import uuid
from collections.abc import Iterator

import pytest

from sturdis.adapters.kubernetes.api import Cluster
from sturdis.adapters.kubernetes.deployment import Deployment
from sturdis.core.errors import DataError
from sturdis.core.render import objects
from sturdis.core.servers import Server
from tests.cluster.applying import Applying, changed

REDIS_7, REDIS_8, VALKEY = "redis:7.0.15", "redis:8.0.2", "valkey/valkey:9.1.2"
KEYS = 200
LOOKS = 1000
"""Most looks at a pod until its server has ended."""


@pytest.fixture
def applying(cluster, tmp_path) -> Iterator[Applying]:
    """Give a spec whose namespace is not there yet."""
    with cluster.namespace(f"sturdis-{uuid.uuid4().hex[:8]}", create=False) as name:
        yield Applying(cluster, name, tmp_path)


def on(applying: Applying, image: str) -> None:
    """Write the spec with this server."""
    applying.spec(engine={"kind": "valkey" if "valkey" in image else "redis", "image": image})


def says(applying: Applying) -> str:
    """Give what the server that runs says that it is."""
    told = applying.redis("info", "server")
    found = re.search(r"^valkey_version:(\S+)", told, re.MULTILINE)
    if found is not None:
        return f"valkey/valkey:{found[1]}"
    found = re.search(r"^redis_version:(\S+)", told, re.MULTILINE)
    return f"redis:{found[1]}" if found else told


def fill(applying: Applying) -> str:
    """Write into base and increment, and give what tells whether all is there."""
    for where in ("base", "increment"):
        script = f"for i = 1, {KEYS} do redis.call('set', '{where}:' .. i, i) end"
        applying.redis("eval", script, "0")
        applying.redis("rpush", f"list:{where}", "a", "b")
        applying.redis("xadd", f"stream:{where}", "*", "job", "1")
        if where == "base":
            applying.redis("bgrewriteaof")
            written = (
                "until redis-cli info persistence | grep -q aof_rewrite_in_progress:0; do :; done"
            )
            applying.kubectl("exec", "redis-0", "-c", "redis", "--", "sh", "-c", written)
    return digest(applying)


def digest(applying: Applying) -> str:
    """Give keys and values in one word, the same on every server."""
    return applying.redis(
        "eval",
        "local k = redis.call('keys', '*') table.sort(k) local all = {} for _, one in ipairs(k) do "
        "local t = redis.call('type', one).ok if t == 'string' then all[#all + 1] = one .. "
        "redis.call('get', one) elseif t == 'list' then all[#all + 1] = one .. "
        "table.concat(redis.call('lrange', one, 0, -1), ',') else all[#all + 1] = one .. "
        "cjson.encode(redis.call('xrange', one, '-', '+')) end end "
        "return #k .. ' ' .. redis.sha1hex(table.concat(all, ';'))",
        "0",
    )


@pytest.mark.parametrize("new", [REDIS_8, VALKEY])
def test_an_allowed_move_rolls_with_the_data_and_its_one_way_is_told(applying, new):
    on(applying, REDIS_7)
    applying.apply()
    assert says(applying) == REDIS_7
    kept = fill(applying)
    assert kept.split()[0] == str(2 * KEYS + 4)
    on(applying, new)
    told = applying.apply()
    assert changed(told)["statefulset/redis"] == "change"
    assert any("there is no way back: redis 7.0.15" in one for one in told["warnings"])
    assert says(applying) == new
    assert digest(applying) == kept
    applying.redis("bgrewriteaof")
    on(applying, REDIS_7)
    error = applying.refused()
    assert (error["code"], error["exit"]) == ("data.newer_server", 11)
    assert says(applying) == new


@pytest.mark.parametrize(("old", "new"), [(REDIS_8, REDIS_7), (REDIS_8, VALKEY), (VALKEY, REDIS_8)])
def test_a_forbidden_move_is_refused_by_apply_and_past_it_by_the_start_script(applying, old, new):
    on(applying, old)
    applying.apply()
    kept, pod = fill(applying), applying.get("pod", "redis-0")["metadata"]["uid"]
    on(applying, new)
    error = applying.refused()
    assert error["code"] == "data.newer_server"
    assert "cannot read what" in error["what"]
    assert old in error["do"]
    shown = applying.run("--dry-run")
    assert (shown.returncode, "data.newer_server" in shown.stderr) == (11, True)
    assert applying.get("pod", "redis-0")["metadata"]["uid"] == pod
    assert "error[data.newer_server]" in past_it(applying, new)
    on(applying, old)
    back = applying.apply("--adopt")  # kubectl has written the image
    assert changed(back)["pod/redis-0"] == "replace"
    assert says(applying) == old
    assert digest(applying) == kept


def past_it(applying: Applying, image: str) -> str:
    """Give the set another image by hand, and give why the server of that ended."""
    applying.kubectl("set", "image", "statefulset/redis", f"redis={image}")
    for _look in range(LOOKS):  # between the two pods there is none, which ends kubectl wait
        asked = applying.cluster.try_kubectl(
            "-n", applying.namespace, "get", "pod", "redis-0", "--output=json"
        )
        pod = json.loads(asked.stdout) if asked.returncode == 0 else None
        if pod is None or pod["spec"]["containers"][0]["image"] != image:
            continue
        for status in pod["status"].get("containerStatuses") or ():
            state = status["state"].get("terminated") or status["lastState"].get("terminated")
            if status["name"] == "redis" and state:
                assert state["exitCode"] == DataError.exit_status
                return str(state["message"])
    raise AssertionError(f"no start of {image} has ended")


def test_the_server_that_serves_is_asked_whatever_its_set_says(applying):
    """The set says another release than the one that serves, as after a change that waits."""
    on(applying, REDIS_8)
    applying.apply()
    strategy = {"spec": {"updateStrategy": {"type": "OnDelete"}}}
    applying.kubectl("patch", "statefulset", "redis", "--type=merge", "-p", json.dumps(strategy))
    applying.kubectl("set", "image", "statefulset/redis", f"redis={REDIS_7}")
    on(applying, REDIS_7)
    error = applying.refused("--adopt")
    assert error["what"] == "redis 7.0.15 cannot read what redis 8.0.2 has written"
    spec = applying.read()
    with Cluster(applying.cluster.context) as cluster:
        facts = Deployment(cluster, spec, tuple(objects.deployment(spec).values())).look()
    assert facts.server == Server("redis", (8, 0, 2), REDIS_8)
