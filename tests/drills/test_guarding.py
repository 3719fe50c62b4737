"""A guard that takes more than what is torn is found out at once, whatever a drill may lose."""

import pytest

from sturdis.adapters.drill import guarding
from sturdis.core.errors import DrillError
from tests.core.append_only import EXEC, MULTI, command

WHOLE = command(b"SET", b"a", b"1") + MULTI + command(b"SET", b"b", b"1") + EXEC
TORN = MULTI + command(b"SET", b"c", b"1")


@pytest.fixture
def increment(tmp_path):
    path = tmp_path / "appendonly.aof.1.incr.aof"
    path.write_bytes(WHOLE + TORN)
    return path


@pytest.mark.parametrize("left", [WHOLE, WHOLE + TORN[:5], WHOLE + TORN + WHOLE])
def test_what_is_torn_may_be_taken(increment, left):
    before = guarding.whole(increment.parent)
    increment.write_bytes(left)
    guarding.require(before)


def test_a_file_that_is_of_no_use_may_be_removed(increment):
    before = guarding.whole(increment.parent)
    increment.unlink()
    guarding.require(before)


@pytest.mark.parametrize("left", [WHOLE[:-1], WHOLE[: -len(EXEC)], b"", b"+" + WHOLE[1:]])
def test_what_is_whole_may_not(increment, left):
    before = guarding.whole(increment.parent)
    increment.write_bytes(left)
    with pytest.raises(DrillError) as found:
        guarding.require(before)
    assert found.value.code == "drill.cut_too_far"
    assert f"was whole up to byte {len(WHOLE)}, and now has {len(left)}" in found.value.why
