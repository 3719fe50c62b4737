"""Streams to a pod: a forwarded port that carries all bytes and ends cleanly, and programs run."""

import hashlib
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sturdis.adapters.kubernetes import exec as executing
from sturdis.adapters.kubernetes.api import Cluster as Api
from sturdis.adapters.kubernetes.port_forward import PortForward
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.cluster import POD, Ref
from sturdis.core.errors import ClusterError
from sturdis.core.replies import text
from tests.cluster import pods
from tests.cluster.clusters import Cluster

IMAGE = "redis:8.0.2"
SECONDS = 60.0
MEBI = 1 << 20


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[Ref]:
    """Give a bare server in a pod, without a set that would make it anew."""
    with cluster.namespace(f"sturdis-{os.getpid()}") as namespace:
        start(cluster, namespace)
        yield Ref(POD, "server", namespace)


def start(cluster: Cluster, namespace: str) -> None:
    words = ("redis-server", "--protected-mode", "no", "--save", "")
    ready = {"exec": {"command": ["redis-cli", "ping"]}, "periodSeconds": 1}
    redis = pods.container("redis", IMAGE, *words, readinessProbe=ready)
    cluster.apply(pods.pod("server", redis), namespace=namespace)
    cluster.wait_ready(namespace, "server")


@pytest.fixture
def api(cluster: Cluster) -> Iterator[Api]:
    with Api(cluster.context) as found:
        yield found


@pytest.fixture
def forward(api: Api, server: Ref) -> Iterator[PortForward]:
    with PortForward(api, server, 6379) as found:
        yield found


def at(forward: PortForward) -> Address:
    return Address("", path=forward.path)


def test_a_forwarded_port_carries_every_byte_both_ways(forward):
    payload = os.urandom(16 * MEBI)
    with Link(at(forward), reply_seconds=SECONDS) as link:
        assert link.call("SET", "large", payload) == b"OK"
        held = link.call("GET", "large")
    assert isinstance(held, bytes)
    assert hashlib.sha256(held).digest() == hashlib.sha256(payload).digest()


def test_many_connections_are_carried_at_once(forward):
    replies: list[str] = []

    def ask(number: int) -> None:
        with Link(at(forward), reply_seconds=SECONDS) as link:
            replies.extend(text(link.call("ECHO", f"{number}.{turn}")) for turn in range(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies) == sorted(f"{n}.{t}" for n in range(12) for t in range(20))


def test_a_reader_that_is_slow_gets_all_and_holds_the_others_up_as_little(forward):
    with Link(at(forward), reply_seconds=SECONDS) as link:
        link.call("SET", "large", b"x" * (8 * MEBI))
        with socket.socket(socket.AF_UNIX) as slow:
            slow.connect(forward.path)
            slow.sendall(b"GET large\r\n" * 4)
            assert link.call("PING") == b"PONG"
            wanted = 4 * (len(f"${8 * MEBI}\r\n") + 8 * MEBI + 2)
            while wanted > 0:
                wanted -= len(slow.recv(min(wanted, 1 << 16)))
    assert wanted == 0


def test_what_was_sent_before_the_server_hung_up_still_arrives(forward):
    with Link(at(forward), reply_seconds=SECONDS) as link:
        link.call("SET", "large", b"x" * (4 * MEBI))
    with socket.socket(socket.AF_UNIX) as leaving:
        leaving.connect(forward.path)
        leaving.sendall(b"GET large\r\nQUIT\r\n")
        with leaving.makefile("rb") as replies:
            assert len(replies.read()) == len(f"${4 * MEBI}\r\n") + 4 * MEBI + len("\r\n+OK\r\n")


def test_no_other_user_reaches_the_forwarded_port(forward):
    assert stat.S_IMODE(Path(forward.path).parent.stat().st_mode) == 0o700


def test_when_it_is_closed_connections_end_and_nothing_is_left(api, server):
    before = set(threading.enumerate())
    with PortForward(api, server, 6379) as forward:
        link = Link(at(forward), reply_seconds=SECONDS)
        idle = socket.socket(socket.AF_UNIX)
        idle.connect(forward.path)
        assert link.call("PING") == b"PONG"
    assert idle.recv(1) == b""
    idle.close()
    link.close()
    assert set(threading.enumerate()) == before
    assert not Path(forward.path).parent.exists()


def test_a_pod_that_is_replaced_is_found_again(cluster, api, server, forward):
    with Link(at(forward), reply_seconds=SECONDS) as link:
        link.call("SET", "mine", "1")
    cluster.kubectl("delete", "pod", "server", "-n", server.namespace)
    with socket.socket(socket.AF_UNIX) as gone:
        gone.connect(forward.path)
        assert gone.recv(1) == b""
    assert forward.refusal is not None
    assert forward.refusal.code == "cluster.not_found"
    start(cluster, server.namespace)
    with Link(at(forward), reply_seconds=SECONDS) as link:
        assert (link.call("PING"), link.call("GET", "mine")) == (b"PONG", None)


def test_a_port_at_which_nothing_listens_is_refused_with_a_reason(api, server):
    with PortForward(api, server, 1) as forward:
        with socket.socket(socket.AF_UNIX) as nobody:
            nobody.connect(forward.path)
            assert nobody.recv(1) == b""
        assert forward.refusal is not None
        assert forward.refusal.why == "nothing in the pod listens there"


def test_a_program_tells_its_status_and_both_its_outputs(api, server):
    script = "printf out; printf err >&2; exit 7"
    ran = executing.run(api, server, "redis", ["sh", "-c", script], seconds=SECONDS)
    assert ran == executing.Ran(7, b"out", b"err")


def test_the_words_of_a_command_are_read_by_no_shell(api, server):
    words = ["printf", "%s|", "a b", "$HOME", "'", "ü&x=1", ""]
    ran = executing.run(api, server, "redis", words, seconds=SECONDS)
    assert ran == executing.Ran(0, "a b|$HOME|'|ü&x=1||".encode(), b"")


def test_a_long_output_comes_whole(api, server):
    command = ["head", "-c", str(5 * MEBI), "/dev/zero"]
    ran = executing.run(api, server, "redis", command, seconds=SECONDS)
    assert (ran.status, len(ran.out)) == (0, 5 * MEBI)


def test_a_program_that_does_not_end_is_left(api, server):
    with pytest.raises(ClusterError) as lost:
        executing.run(api, server, "redis", ["sleep", "1000"], seconds=0.5)
    assert lost.value.code == "cluster.lost"


def test_an_output_without_an_end_is_given_up(api, server):
    with pytest.raises(ClusterError) as refused:
        executing.run(api, server, "redis", ["cat", "/dev/zero"], seconds=SECONDS)
    assert "16 MiB" in refused.value.why


@pytest.mark.parametrize("container", ["redis", "other"])
def test_a_program_or_container_that_is_not_there_is_named(api, server, container):
    with pytest.raises(ClusterError) as refused:
        executing.run(api, server, container, ["no-such-program"], seconds=SECONDS)
    assert refused.value.code == "cluster.refused"
    assert ("no-such-program" if container == "redis" else "other") in refused.value.why
