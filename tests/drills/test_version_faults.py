"""Another version of the server on the same data: let at it, or refused before it is touched."""

import pytest

from sturdis.core.drill.faults.version import ServerDowngrade, ServerUpgrade
from sturdis.core.errors import DrillError
from tests import matrix
from tests.drills.rigs import faulty

REDIS_7, REDIS_8, VALKEY_8, VALKEY_9 = (str(row.server) for row in matrix.ROWS)

pytestmark = [pytest.mark.tier(row.tier) for row in matrix.ROWS]


@pytest.mark.parametrize(
    ("old", "new"),
    [(REDIS_7, REDIS_8), (REDIS_7, VALKEY_8), (REDIS_7, VALKEY_9), (VALKEY_8, VALKEY_9)],
    ids=["7.0-8.0", "7.0-v8.1", "7.0-v9.1", "v8.1-v9.1"],
)
def test_a_newer_server_has_all_that_the_older_one_left(old, new, tmp_path):
    with faulty(tmp_path, ServerUpgrade(to=new), old) as fault:
        before = fault.rig.server
        fault.rig.call("SET", "a", "b")
        fault.inject(1)
        assert fault.rig.call("GET", "a") == b"b"
        assert fault.rig.server.path == new != before.path
        fault.undo(1, 20)
        assert fault.rig.call("GET", "a") == b"b"


@pytest.mark.parametrize(
    ("new", "old"),
    [(REDIS_8, REDIS_7), (VALKEY_8, REDIS_7), (VALKEY_9, VALKEY_8), (REDIS_8, VALKEY_9)],
    ids=["8.0-7.0", "v8.1-7.0", "v9.1-v8.1", "8.0-v9.1"],
)
def test_a_server_that_cannot_read_the_data_does_not_touch_it(new, old, tmp_path):
    with faulty(tmp_path, ServerDowngrade(to=old), new) as fault:
        fault.rig.call("SET", "a", "b")
        fault.inject(1)
        fault.undo(1, 20)
        assert fault.rig.call("GET", "a") == b"b"
        figures = fault.figures()
    assert (figures["refused"], figures["untold"], figures["changed_files"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("options", "server"),
    [(ServerUpgrade(to=VALKEY_9), REDIS_8), (ServerDowngrade(to=REDIS_8), REDIS_7)],
    ids=["up", "down"],
)
def test_where_no_such_server_is_here_that_is_said(options, server, tmp_path):
    with pytest.raises(DrillError) as lacking, faulty(tmp_path, options, server):
        pass
    assert lacking.value.code == "drill.lacking"
    assert "looked at: " in lacking.value.why
