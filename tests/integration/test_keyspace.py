"""What is found of a database whose keys are not all looked at."""

import pytest

from sturdis.adapters.redis import keyspace
from sturdis.adapters.redis.link import Link
from sturdis.core.address import Address
from sturdis.core.facts import KeySample
from tests.integration.servers import LOOPBACK, start_server

pytestmark = pytest.mark.tier("embedded")


def test_keys_of_no_queue_are_measured_whole_where_one_field_has_most_of_it(tmp_path):
    with start_server(tmp_path / "data") as server, Link(Address(LOOPBACK, server.port)) as link:
        for number in range(20):
            fields = [word for field in range(40) for word in (f"field:{field}", "x")]
            link.call("HSET", f"cache:{number}", *fields, "large", "x" * 100_000)
        sample, queues = keyspace.look(link)
        assert isinstance(sample, KeySample)
        assert (sample.stray, queues) == (20, ())
        assert 2_000_000 < sample.stray_bytes < 2_600_000
