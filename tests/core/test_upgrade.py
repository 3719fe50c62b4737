"""From one server to another: by their images, by what serves, and what `apply` says to it."""

import copy
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import servers, upgrade
from sturdis.core.aof.rdb import Format
from sturdis.core.apply import objections, server
from sturdis.core.apply.facts import Facts
from sturdis.core.errors import DataError
from sturdis.core.servers import Server
from sturdis.core.spec import Spec
from sturdis.core.spec.cluster import Engine
from sturdis.core.upgrade import Verdict
from tests.core.cluster_objects import nothing, running


@pytest.mark.parametrize(
    ("image", "product", "version"),
    [
        ("redis:8.0.2", "redis", (8, 0, 2)),
        ("redis:7.2", "redis", (7, 2, 0)),
        ("redis:8.0.2-bookworm", "redis", (8, 0, 2)),
        ("redis:7.0.15@sha256:" + "0" * 64, "redis", (7, 0, 15)),
        ("valkey/valkey:9.1.2-alpine", "valkey", (9, 1, 2)),
        ("registry.local:5000/mirror/redis:v8.0.2", "redis", (8, 0, 2)),
    ],
)
def test_an_image_tells_its_server_by_name_and_tag(image, product, version):
    found = upgrade.server_of(image)
    assert found is not None
    assert (found.product, found.version) == (product, version)


@pytest.mark.parametrize(
    "image",
    [
        "redis", "redis:8", "redis:stable", "redis:alpine3.20", "redis@sha256:" + "0" * 64,
        "redis/redis-stack-server:7.2.0", "registry.local:5000/redis", "cache:8.0.2", "redis:8.0x",
    ],
)  # fmt: skip
def test_an_image_that_does_not_tell_is_not_guessed(image):
    assert upgrade.server_of(image) is None
    assert upgrade.judge(image, "redis:8.0.2").verdict is Verdict.UNKNOWN
    move = upgrade.judge("redis:8.0.2", image)
    assert (move.verdict, image in move.why) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("old", "new", "verdict", "one_way"),
    [
        ("redis:8.0.2", "redis:8.0.2", Verdict.ALLOWED, False),
        ("redis:8.0.2", "redis:8.0.5", Verdict.ALLOWED, False),
        ("redis:8.0.5", "redis:8.0.2", Verdict.ALLOWED, False),
        ("redis:7.0.15", "redis:8.0.2", Verdict.ALLOWED, True),
        ("redis:7.0.15", "valkey/valkey:9.1.2", Verdict.ALLOWED, True),
        ("redis:7.2.4", "valkey/valkey:8.1.8", Verdict.ALLOWED, True),
        ("valkey/valkey:8.1.8", "valkey/valkey:9.1.2", Verdict.ALLOWED, True),
        ("redis:8.0.2", "redis:7.0.15", Verdict.FORBIDDEN, False),
        ("redis:8.0.2", "valkey/valkey:9.1.2", Verdict.FORBIDDEN, False),
        ("redis:7.4.1", "valkey/valkey:9.1.2", Verdict.FORBIDDEN, False),
        ("valkey/valkey:9.1.2", "redis:8.0.2", Verdict.FORBIDDEN, False),
        ("valkey/valkey:9.1.2", "valkey/valkey:8.1.8", Verdict.FORBIDDEN, False),
    ],
)
def test_moves_are_allowed_forbidden_or_without_a_way_back(old, new, verdict, one_way):
    move = upgrade.judge(old, new)
    assert (move.verdict, move.one_way) == (verdict, one_way)
    assert bool(move.why) is (one_way or verdict is Verdict.FORBIDDEN)


RELEASES = st.sampled_from(
    [(product, release) for product, known in servers.NEWEST_RDB.items() for release, _ in known]
)


@given(RELEASES, RELEASES)
def test_no_move_is_allowed_whose_base_the_next_server_would_refuse(old, new):
    """The same tables as `up` and the start script go by, from the other side: the format."""
    (product, release), (next_product, next_release) = old, new
    prefix = {"redis": "redis:", "valkey": "valkey/valkey:"}
    images = [
        f"{prefix[p]}{r[0]}.{r[1]}.0" for p, r in ((product, release), (next_product, next_release))
    ]
    move = upgrade.judge(*images)
    if move.verdict is Verdict.ALLOWED:
        newest = dict(servers.NEWEST_RDB[product])[release]
        magic: Literal["REDIS", "VALKEY"] = "VALKEY" if newest == 80 else "REDIS"
        after = upgrade.server_of(images[1])
        assert after is not None
        assert servers.reads(after, Format(magic, newest))


def test_what_a_server_says_counts_more_than_its_tag():
    says = Server("redis", (8, 0, 2), "redis:stable")
    assert upgrade.judge("redis:stable", "redis:7.0.15", running=says).verdict is Verdict.FORBIDDEN
    assert upgrade.judge("redis:7.0.15", "redis:7.2.0", running=says).verdict is Verdict.FORBIDDEN


# What apply says


def on(image: str) -> Spec:
    kind: Any = "valkey" if "valkey" in image else "redis"
    return Spec(engine=Engine(kind=kind, image=image))


def serving(image: str, *, started: bool = True, **more: Any) -> Facts:
    """Give a deployment on an image, whose server serves or does not."""
    facts = running(on(image), **more)
    live = next(one for one in facts.live.values() if one and one["kind"] == "StatefulSet")
    pod = copy.deepcopy(facts.pod) or {}
    pod["spec"] |= copy.deepcopy(live["spec"]["template"]["spec"])
    statuses = [{"name": "redis-exporter", "started": True}, {"name": "redis", "started": started}]
    pod["status"]["containerStatuses"] = statuses
    return replace(facts, pod=pod)


def test_a_server_that_cannot_read_the_data_is_refused():
    with pytest.raises(DataError) as caught:
        objections.refuse(on("redis:7.0.15"), serving("redis:8.0.2"), adopt=False)
    error = caught.value
    assert (error.code, error.exit_status) == ("data.newer_server", 11)
    assert error.what == "redis 7.0.15 cannot read what redis 8.0.2 has written"
    assert "engine.image: redis:8.0.2" in error.do


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("redis:8.0.2", "no way back: redis 7.0.15 cannot read what redis 8.0.2 writes"),
        ("valkey/valkey:9.1.2", "no way back"),
        ("redis:stable", "its start script refuses data that it cannot read"),
    ],
)
def test_a_move_without_a_way_back_or_of_an_unknown_server_is_told(new, words):
    facts = serving("redis:7.0.15")
    objections.refuse(on(new), facts, adopt=False)
    (told,) = server.warnings(on(new), facts)
    assert words in told


def test_what_the_server_says_is_believed_before_its_image():
    facts = replace(serving("redis:7.0.15"), server=Server("redis", (8, 0, 2), ""))
    with pytest.raises(DataError):
        objections.refuse(on("redis:7.2.4"), facts, adopt=False)


def test_an_image_that_never_served_forbids_nothing():
    """As it stands when a mistaken image is mended: it does not even start."""
    facts = serving("redis:8.4.0", started=False)
    objections.refuse(on("redis:8.0.2"), facts, adopt=False)
    (told,) = server.warnings(on("redis:8.0.2"), facts)
    assert "redis:8.0.2 refuses to start on it" in told


@pytest.mark.parametrize("facts", [serving("redis:8.0.2"), nothing(Spec())])
def test_the_same_server_and_none_at_all_are_nothing_to_tell(facts):
    objections.refuse(on("redis:8.0.2"), facts, adopt=False)
    assert list(server.warnings(on("redis:8.0.2"), facts)) == []
