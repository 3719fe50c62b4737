"""When a doctor says that what is written is not forced to the disk, and when it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.doctor import disk
from sturdis.core.doctor.live import Glance, Live
from tests.core import healthy


def glance(at: int, turns: int | None, size: int, *, is_syncing: bool = False) -> Glance:
    return Glance(at / 10, turns, size, is_syncing)


def glances(*, grew: int, fsync: int | None = None, count: int = 21) -> list[Glance]:
    """Glances a tenth of a second apart: the file grew before one of them, and was fsynced."""
    return [
        glance(at, 7 + (fsync is not None and at >= fsync), 100 + (at >= grew))
        for at in range(count)
    ]


def told(seen: list[Glance], fsync: str = "everysec", **info: str) -> list[str]:
    live = Live(2.0, dict(healthy.INFO), healthy.INFO | info, glances=seen)
    return [one.id for one in disk.unsynced(live, fsync, "sturdis cli")]


def test_a_write_that_no_fsync_follows_is_told_with_what_lets_them_come_again():
    assert told(glances(grew=3)) == ["disk.unsynced"]
    live = Live(2.0, {}, {}, glances=glances(grew=3))
    (one,) = disk.unsynced(live, "everysec", "sturdis cli")
    assert "in the 1.7 s" in one.seen
    assert one.do.splitlines()[0] == "sturdis cli config set appendfsync always"
    assert one.do.splitlines()[2].startswith("sturdis cli config set appendfsync everysec")


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_write_that_is_fsynced_at_any_time_after_it_is_not_told(grew, later):
    assert told(glances(grew=grew, fsync=min(20, grew + later))) == []
    assert told(glances(grew=grew, fsync=grew)) == [], "between two glances"


@pytest.mark.parametrize(
    ("seen", "fsync", "info"),
    [
        ([], "everysec", {}),
        (glances(grew=0), "everysec", {}),
        (glances(grew=6), "everysec", {}),
        (glances(grew=3), "always", {}),
        (glances(grew=3), "no", {}),
        (glances(grew=3), "", {}),
        (glances(grew=3), "everysec", {"aof_rewrite_in_progress": "1"}),
        ([glance(at, 7, at, is_syncing=at == 20) for at in range(21)], "everysec", {}),
        ([glance(at, None, at) for at in range(21)], "everysec", {}),
    ],
)
def test_nothing_is_told_where_none_was_due_or_one_is_under_way_or_it_cannot_be_seen(
    seen, fsync, info
):
    assert told(seen, fsync, **info) == []
