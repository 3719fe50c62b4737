"""Links that are slow, deaf or cut, and servers that take no more clients."""

import socket
import subprocess
import threading
import time

import pytest

from sturdis.adapters.drill.server import CLOCK
from sturdis.adapters.drill.undo_journal import Journal
from sturdis.adapters.faults import firewall
from sturdis.adapters.faults.firewall import Firewall
from sturdis.adapters.faults.network import Answer, Proxied, answer
from sturdis.adapters.faults.on_rig import come
from sturdis.adapters.faults.proxy import Proxy
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.drill.events import Acknowledged
from sturdis.core.drill.faults.network import ClientStorm, CutConnections, Partition, SlowLink
from sturdis.core.drill.rig_plan import RigPlan
from sturdis.core.errors import DrillError, TargetError
from tests.drills.rigs import faulty, figure, rigged

pytestmark = pytest.mark.tier("embedded")

DELAY = 0.05


@pytest.fixture
def rig(tmp_path):
    with rigged(tmp_path, RigPlan(server="embedded")) as one:
        yield one


@pytest.fixture
def proxy(rig):
    with Proxy(rig.address.port) as one:
        yield one


def through(proxy, **options):
    return Link(Address("127.0.0.1", proxy.port), **options)


def test_bytes_pass_both_ways_as_they_are(proxy):
    value = bytes(range(256)) * 40_000  # more than a socket holds
    with through(proxy) as link, through(proxy) as other:
        assert link.call("SET", "large", value) == b"OK"
        assert other.call("GET", "large") == value


def test_what_is_sent_takes_longer_each_way(proxy):
    with through(proxy) as link:
        proxy.delay = DELAY
        began = time.monotonic()
        link.call("PING")
        assert time.monotonic() - began > 1.8 * DELAY


def test_a_swallowed_reply_does_not_come_and_the_command_is_done(rig, proxy):
    link = through(proxy)
    proxy.swallow()
    link.send(("INCR", "n"))
    assert come(lambda: rig.call("GET", "n") == b"1", 5)
    assert come(lambda: proxy.swallowed > 0, 5)
    proxy.cut()
    with pytest.raises(TargetError):
        link.receive()
    assert proxy.cut_off == 1
    with through(proxy) as again:
        assert again.call("GET", "n") == b"1"


def test_the_end_of_either_side_is_the_end_of_the_other(rig, proxy):
    with through(proxy) as link:
        named = link.call("CLIENT", "ID")
        assert rig.call("CLIENT", "KILL", "ID", str(named)) == 1
        with pytest.raises(TargetError):
            link.call("PING")
    before = int(rig.info()["connected_clients"])
    through(proxy).close()
    assert come(lambda: int(rig.info()["connected_clients"]) <= before, 5)


def test_a_server_that_is_down_refuses_and_serves_again_by_the_same_proxy(rig, proxy):
    rig.kill(1)
    with pytest.raises(TargetError):
        through(proxy)
    rig.start()
    with through(proxy) as link:
        assert link.call("PING") == b"PONG"


def test_slow_links_and_cuts_are_met(tmp_path):
    for name, options in (("slow", SlowLink(seconds=0)), ("cut", CutConnections(cuts=1))):
        with faulty(tmp_path / name, options, "embedded") as fault:
            assert isinstance(fault, Proxied)
            stop = threading.Event()
            asking = threading.Thread(target=ask, args=(fault.entry, stop))
            asking.start()
            fault.inject(1)
            fault.undo(1, 5)
            stop.set()
            asking.join()
            assert fault.figures()["unmet"] == 0


def ask(address, stop):
    while not stop.is_set():
        try:
            with Link(address) as link:
                link.call("INCR", "n")
        except TargetError:
            continue


@pytest.mark.tier("firewall")
def test_dropped_packets_pass_again_also_when_only_the_journal_is_left(tmp_path):
    with rigged(tmp_path / "one", RigPlan(server="embedded")) as rig:
        journal = Journal(tmp_path)
        wall = Firewall(rig.address.port, journal)
        wall.drop()
        with pytest.raises(TargetError):
            Link(rig.address, reply_seconds=0.2)
        assert wall.dropped() > 0
        assert wall.name in tables()
        journal.close()  # as `sturdis drill undo` does it
        assert wall.name not in tables()
        assert rig.call("PING") == b"PONG"


@pytest.mark.tier("firewall")
def test_a_rule_that_the_kernel_does_not_take_is_told_with_its_words(tmp_path):
    with Journal(tmp_path) as journal, pytest.raises(DrillError) as refused:
        Firewall(70_000, journal).drop()
    assert refused.value.code == "drill.lacking"
    assert "70000" in refused.value.why


@pytest.mark.tier("firewall")
def test_a_partition_is_met_and_nothing_of_it_is_left(tmp_path):
    before = tables()
    with faulty(tmp_path, Partition(seconds=0.3), "embedded") as fault:
        asking = threading.Thread(target=fault.rig.info)
        asking.start()
        fault.inject(1)
        asking.join()
        fault.undo(1, 10)
        assert fault.rig.call("PING") == b"PONG"
    assert tables() == before
    assert not firewall.missing()


def failing():
    raise ZeroDivisionError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_proxy_that_has_failed_says_so_and_can_be_closed(rig):
    with Proxy(rig.address.port) as proxy:
        for _again in range(2):
            with pytest.raises(DrillError) as failed:
                proxy._do(failing)  # noqa: SLF001  as a defect of its own would
            assert failed.value.code == "drill.not_served"


@pytest.mark.parametrize(
    ("sent", "ends", "told"),
    [
        (b"+PONG\r\n", False, Answer.LET_IN),
        (b"-ERR max number of clients reached\r\n", True, Answer.REFUSED),
        (b"", True, Answer.RESET),
        (b"", False, Answer.SILENT),
    ],
)
def test_a_client_that_hears_nothing_is_not_one_that_was_refused(sent, ends, told):
    client, server = socket.socketpair()
    with client, server:
        client.settimeout(0.05)
        server.sendall(sent)
        if ends:
            server.shutdown(socket.SHUT_WR)
        assert answer(client) is told


def tables():
    told = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    return told.stdout


def test_a_storm_of_clients_is_turned_away_and_clients_of_before_go_on(tmp_path):
    storm = ClientStorm(files=64, more=5, seconds=0)
    with faulty(tmp_path, storm, "embedded") as fault, Link(fault.rig.address) as before:
        fault.inject(1)
        assert before.call("INCR", "n") == 1
        with pytest.raises(TargetError):
            fault.rig.call("PING")
        fault.undo(1, 10)
        assert fault.rig.call("GET", "n") == b"1"
        assert figure(fault, "unmet") == 0
        turned_away = figure(fault, "refused_connections") + figure(fault, "reset_connections")
        assert figure(fault, "rejected_connections") >= turned_away == 5
        assert figure(fault, "silent_connections") == 0


@pytest.mark.parametrize(("in_storm", "unserved"), [(True, 0), (False, 1)])
def test_a_storm_in_which_no_client_of_before_is_served_is_counted(tmp_path, in_storm, unserved):
    storm = ClientStorm(files=64, more=5, seconds=0.2)
    with faulty(tmp_path, storm, "embedded") as fault:
        fault.log.append(Acknowledged(CLOCK.now() + in_storm * 60_000, "uuid", "1")).result()
        fault.inject(1)
        fault.undo(1, 10)
        assert figure(fault, "unserved") == unserved


def test_a_storm_at_a_server_that_hangs_is_told_from_one_that_is_refused(tmp_path):
    storm = ClientStorm(files=64, more=5, seconds=0)
    with faulty(tmp_path, storm, "embedded") as fault:
        entry = fault.rig.freeze()
        fault.inject(1)
        fault.journal.undo(entry)
        fault.undo(1, 10)
        assert (figure(fault, "refused_connections"), figure(fault, "silent_connections")) == (0, 1)
