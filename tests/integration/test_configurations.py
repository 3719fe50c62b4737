"""The configurations that drills compare with say what they write, and the rest is the server's."""

import pytest

from sturdis.core.drill import configurations
from sturdis.core.drill.configurations import SERVER_DEFAULTS
from sturdis.core.render import redis_conf
from sturdis.core.spec import Spec
from tests.integration.running import SERVERS
from tests.integration.servers import LOOPBACK, Server, start_server

OF_THE_PLACE = {"bind", "port", "dir", "protected-mode"}
"""Where a server runs, and who may connect: not what a drill compares."""


def setting(server: Server, name: str) -> str:
    reply = server.call("CONFIG", "GET", name)
    assert isinstance(reply, tuple)
    assert isinstance(reply[1], bytes)
    return reply[1].decode()


@pytest.mark.parametrize("server", SERVERS)
def test_what_the_deployment_sets_is_said_of_each_or_is_the_servers_default(server, tmp_path):
    place = redis_conf.Place("/data", LOOPBACK, 6379)
    ours = {one.name: " ".join(one.arguments) for one in redis_conf.directives(Spec(), place)}
    with start_server(tmp_path, server=server) as bare:
        for name in ours.keys() - OF_THE_PLACE - {"save", "appendonly"}:  # which the tests set
            assert SERVER_DEFAULTS.get(name, ours[name]) == setting(bare, name), name


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_without_a_file_has_the_defaults_that_are_written_down(server, tmp_path):
    asked = {name: SERVER_DEFAULTS[name] for name in ("save", "appendonly")}
    words = [word for name, value in asked.items() for word in (f"--{name}", value)]
    with start_server(tmp_path, *words, server=server) as bare:
        for name, value in SERVER_DEFAULTS.items():
            assert setting(bare, name) == value


@pytest.mark.parametrize("one", configurations.ALL[1:], ids=lambda one: one.name)
def test_every_other_configuration_undoes_all_that_ours_sets(one):
    assert one.settings.keys() >= SERVER_DEFAULTS.keys()
    assert not one.guarded
    assert configurations.BY_NAME[one.name] is one


def test_the_seed_is_the_three_arguments_and_no_more():
    differs = {k: v for k, v in configurations.SEED.settings.items() if SERVER_DEFAULTS.get(k) != v}
    assert differs == {"appendonly": "yes", "appendfsync": "everysec"}
    assert configurations.SEED.settings["maxmemory-policy"] == "noeviction"
