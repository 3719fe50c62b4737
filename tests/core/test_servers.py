import pytest

from sturdis.core import servers
from sturdis.core.aof.rdb import Format
from sturdis.core.errors import DataError, ServerError
from sturdis.core.servers import Offer, Origin, Record, Server, Version


def redis(*version: int) -> Server:
    return Server("redis", as_version(version), "/usr/bin/redis-server")


def valkey(*version: int) -> Server:
    return Server("valkey", as_version(version), "/usr/bin/valkey-server")


def as_version(parts: tuple[int, ...]) -> Version:
    major, minor, patch = (*parts, 0)[:3]
    return major, minor, patch


@pytest.mark.parametrize(
    ("line", "server"),
    [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", redis(7, 0, 15)),
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc", valkey(9, 1, 2)),
        ("mysqld  Ver 8.0.36 for Linux", None),
        ("", None),
    ],
)
def test_a_version_line_tells_product_and_version(line, server):
    found = servers.parse_version_line(line, server.path if server else "/bin/x")
    assert found == server


def test_a_server_asked_for_runs_even_when_untested():
    offer = Offer(Origin.ASKED, redis(7, 2, 4))
    assert servers.choose([offer]) is offer
    assert not offer.server.tested


def test_an_untested_server_on_path_gives_way_to_the_embedded_one():
    embedded = Offer(Origin.EMBEDDED, valkey(9, 1, 2))
    assert servers.choose([Offer(Origin.ON_PATH, redis(7, 2, 4)), embedded]) is embedded


def test_a_tested_server_on_path_is_taken_and_no_later_offer_is_looked_at():
    def offers():
        yield Offer(Origin.ON_PATH, redis(7, 0, 15))
        raise AssertionError("looked further than needed")

    assert servers.choose(offers()).server == redis(7, 0, 15)


@pytest.mark.parametrize("origin", [Origin.ASKED, Origin.RECORDED])
def test_a_server_before_seven_is_refused(origin):
    with pytest.raises(ServerError) as refusal:
        servers.choose([Offer(origin, redis(6, 2, 14))])
    assert refusal.value.code == "server.too_old"


def test_when_none_may_run_it_is_said_which_were_passed_over():
    with pytest.raises(ServerError) as refusal:
        servers.choose([Offer(Origin.ON_PATH, redis(6, 0)), Offer(Origin.ON_PATH, valkey(8, 0))])
    assert refusal.value.code == "server.missing"
    assert "redis 6.0.0 at /usr/bin/redis-server is too old" in refusal.value.why
    assert "valkey 8.0.0 at /usr/bin/valkey-server is untested" in refusal.value.why


@pytest.mark.parametrize(
    ("reader", "writer", "readable"),
    [
        (redis(7, 0), redis(7, 0), True),
        (redis(7, 0, 1), redis(7, 0, 15), True),
        (redis(8, 0), redis(7, 0), True),
        (redis(7, 0), redis(8, 0), False),
        (valkey(9, 1), redis(7, 0), True),
        (valkey(8, 1), redis(7, 2), True),
        (valkey(9, 1), redis(8, 0), False),
        (redis(7, 0), valkey(9, 1), False),
        (redis(8, 0), valkey(8, 1), False),
        (valkey(8, 1), valkey(9, 1), False),
        (valkey(9, 1), valkey(8, 1), True),
    ],
)
def test_data_goes_to_the_same_or_a_newer_server_of_its_format(reader, writer, readable):
    assert servers.can_read(reader, writer) is readable


def test_unreadable_data_is_refused_with_the_way_back():
    record = Record(valkey(9, 1), embedded=True)
    with pytest.raises(DataError) as refusal:
        servers.refuse_unreadable(redis(7, 0), record)
    assert refusal.value.code == "data.newer_server"
    assert "valkey 9.1.0 or a newer valkey" in refusal.value.do
    servers.refuse_unreadable(valkey(9, 1), record)
    servers.refuse_unreadable(redis(7, 0), None)


@pytest.mark.parametrize(
    ("product", "version", "magic", "newest"),
    [
        ("redis", (7, 0, 15), "REDIS", 10),
        ("redis", (7, 2, 5), "REDIS", 11),
        ("redis", (8, 0, 2), "REDIS", 12),
        ("valkey", (7, 2, 8), "REDIS", 11),
        ("valkey", (8, 1, 8), "REDIS", 11),
        ("valkey", (9, 1, 2), "REDIS", 11),
        ("valkey", (9, 1, 2), "VALKEY", 80),
        ("valkey", (9, 9, 0), "REDIS", 11),
    ],
)
def test_a_server_reads_bases_up_to_its_own_format(product, version, magic, newest):
    server = Server(product, version, "/server")
    assert servers.reads(server, Format(magic, newest))
    assert not servers.reads(server, Format(magic, newest + 1))


def test_a_release_that_is_not_known_may_try():
    assert servers.reads(Server("redis", (8, 8, 0), "/server"), Format("REDIS", 14))
    assert servers.reads(Server("valkey", (10, 0, 0), "/server"), Format("VALKEY", 81))


@pytest.mark.parametrize(("product", "version"), [("redis", (9, 0, 0)), ("valkey", (8, 1, 8))])
def test_a_base_of_valkey_nine_is_for_valkey_nine(product, version):
    assert not servers.reads(Server(product, version, "/server"), Format("VALKEY", 80))
