"""The metrics endpoint: on every server, with a password, and when the server is gone."""

import http.client
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from sturdis.adapters.metrics_http import MetricsServer
from sturdis.adapters.redis.metrics_source import MetricsSource
from sturdis.core.address import Address
from tests.integration.running import SERVERS, running
from tests.integration.scrapes import scrape
from tests.integration.servers import LOOPBACK, start_server, wait_until


@contextmanager
def endpoint(address: Address) -> Iterator[str]:
    """Serve the metrics of the server at `address`; give their URL."""
    with closing(MetricsSource(address)) as source, closing(MetricsServer(LOOPBACK, 0)) as server:
        server.serve(source.read)
        yield f"http://{LOOPBACK}:{server.port}/metrics"


@pytest.mark.parametrize("server", SERVERS)
def test_each_scrape_asks_the_server_anew(server):
    with running("--ephemeral", "--server", server) as up:
        before = scrape(up.ready["metrics"])
        up.cli("ping")
        after = scrape(up.ready["metrics"])
    assert before.value("redis_up") == 1
    assert before.value("redis_memory_max_bytes") == 644245094
    ping = {"cmd": "ping"}
    assert after.value("redis_commands_total", **ping) > before.value(
        "redis_commands_total", **ping
    )
    assert after.value("redis_exporter_scrapes_total") == 2


@pytest.mark.tier("embedded")
def test_the_head_of_the_answer_can_be_asked_for_alone():
    with running("--ephemeral", "--server", "embedded") as up:
        place = up.ready["metrics"].removeprefix("http://").removesuffix("/metrics")
        with closing(http.client.HTTPConnection(place)) as connection:
            connection.request("HEAD", "/metrics")
            reply = connection.getresponse()
            assert (reply.status, reply.read()) == (200, b"")
            assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert int(reply.headers["Content-Length"]) > 1000
        for method in ("GET", "HEAD"):
            asked = urllib.request.Request(f"http://{place}/", method=method)
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(asked)


@pytest.mark.tier("embedded")
def test_a_server_that_hangs_is_down_until_it_goes_on():
    with running("--ephemeral", "--server", "embedded") as up:
        pid = int(next(x for x in up.cli("info", "server").splitlines() if "process_id" in x)[11:])
        os.kill(pid, signal.SIGSTOP)
        try:
            down = scrape(up.ready["metrics"])
        finally:
            os.kill(pid, signal.SIGCONT)
        assert scrape(up.ready["metrics"]).value("redis_up") == 1
    assert down.value("redis_up") == 0
    assert down.value("redis_exporter_last_scrape_error", err="target.silent") == 1
    assert "redis_uptime_in_seconds" not in down.kinds


@pytest.mark.tier("embedded")
def test_a_server_that_is_gone_is_down_until_it_is_back(tmp_path):
    with start_server(tmp_path / "data") as server, endpoint(Address(LOOPBACK, server.port)) as url:
        assert scrape(url).value("redis_up") == 1
        server.kill()
        assert scrape(url).value("redis_up") == 0
        down = scrape(url)
        assert down.value("redis_up") == 0
        assert down.value("redis_exporter_last_scrape_error", err="target.unreachable") == 1
        with start_server(tmp_path / "data", port=server.port):
            assert scrape(url).value("redis_up") == 1


@pytest.mark.tier("embedded")
def test_a_server_that_was_started_again_between_two_scrapes_was_never_down(tmp_path):
    with start_server(tmp_path / "data") as server, endpoint(Address(LOOPBACK, server.port)) as url:
        assert scrape(url).value("redis_up") == 1
        server.kill()
        with start_server(tmp_path / "data", port=server.port):
            assert scrape(url).value("redis_up") == 1


@pytest.mark.tier("embedded")
def test_the_password_opens_the_server_and_is_shown_nowhere(tmp_path):
    with start_server(tmp_path / "data") as server:
        server.call("CONFIG", "SET", "requirepass", "a-secret")
        at = Address(LOOPBACK, server.port)
        with endpoint(Address(LOOPBACK, server.port, password="a-secret")) as url:
            assert scrape(url).value("redis_up") == 1
            with urllib.request.urlopen(url) as reply:
                assert b"a-secret" not in reply.read()
        for wrong in (at, Address(LOOPBACK, server.port, password="not-it")):
            with endpoint(wrong) as url:
                down = scrape(url)
            assert down.value("redis_up") == 0
            assert down.value("redis_exporter_last_scrape_error", err="access.denied") == 1


@pytest.mark.tier("embedded")
@pytest.mark.parametrize(
    ("may", "up", "databases", "error"),
    [("+info +ping", 1, 16, ""), ("+info +ping +config|get", 1, 3, ""), ("+ping", 0, 0, "NOPERM")],
)
def test_what_an_acl_refuses_is_left_out(may, up, databases, error, tmp_path):
    with start_server(tmp_path / "data", "--databases", "3") as server:
        server.call("ACL", "SETUSER", "scraper", "on", ">a-secret", "~*", *may.split())
        address = Address(LOOPBACK, server.port, username="scraper", password="a-secret")
        with endpoint(address) as url:
            found = scrape(url)
    assert found.value("redis_up") == up
    assert len(found.labelled("redis_db_keys")) == databases
    assert found.value("redis_exporter_last_scrape_error", err=error) == (not up)


@pytest.mark.tier("embedded")
def test_a_server_that_loads_its_data_is_up_and_says_so(tmp_path):
    with start_server(tmp_path / "data", "--appendonly", "yes") as server:
        for number in range(100):
            server.call("SET", f"key:{number}", os.urandom(2000).hex())
        server.call("BGREWRITEAOF")
        wait_until(
            lambda: server.info("persistence")["aof_rewrite_in_progress"] == "0", "the rewrite"
        )
    slow = ("--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024")
    with (
        start_server(tmp_path / "data", "--appendonly", "yes", *slow, ready="-LOADING") as server,
        endpoint(Address(LOOPBACK, server.port)) as url,
    ):
        loading = scrape(url)
    assert loading.value("redis_up") == 1
    assert loading.value("redis_loading_dump_file") == 1
