"""A file cut inside a transaction: later writes are kept with the guard, and lost without."""

import contextlib
import itertools
import random

import pytest

from sturdis.adapters.faults import trials
from sturdis.adapters.faults.torn_multi import inside, keeps_later_writes
from sturdis.adapters.faults.trials import Trial
from sturdis.core.aof import guard
from sturdis.core.aof.guard import Cut
from sturdis.core.aof.scan import Tail, scan
from sturdis.core.servers import Product
from tests.drills import torn
from tests.drills.torn import ByScript
from tests.integration import shells
from tests.integration.running import SERVERS

SEED = 88
NULS = 512
MENDS_ITSELF: tuple[Product, tuple[int, int]] = ("valkey", (9, 1))
"""The release of the matrix that cuts open transactions by itself."""

pytestmark = [pytest.mark.timeout(600), pytest.mark.parametrize("server", SERVERS)]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Give what a server wrote, and a folder for copies of it; each server writes once."""
    with contextlib.ExitStack() as stack:
        made = {}

        def write(server):
            if server not in made:
                folder = tmp_path_factory.mktemp("written")
                made[server] = stack.enter_context(torn.written(server, folder))
            return made[server]

        yield write


def test_torn_multi_with_the_guard_no_later_write_is_lost(server, written, tell):
    some, home = written(server)

    def kept(cut, nuls=0):
        torn_there = some.increment[:cut] + bytes(nuls)
        return keeps_later_writes(Trial(some, torn_there, home, guarded=True))

    assert len(inside(some)) == 88
    lost = trials.failed(inside(some), kept)
    nuls = inside(some)[::8]
    lost_nuls = trials.failed(nuls, lambda cut: kept(cut, NULS))
    with_nuls = f"with {NULS} zero bytes behind it {len(lost_nuls)} of {len(nuls)}"
    tell([f"{some.server}, guarded: {len(lost)} of 88 cuts lost later writes; {with_nuls}"])
    assert not lost
    assert not lost_nuls


@pytest.mark.tier("dash")
def test_torn_multi_with_the_start_script_no_later_write_is_lost(server, written, tell, tmp_path):
    some, home = written(server)
    shell = shells.shell("dash", server, tmp_path)

    def kept(cut, nuls=0):
        return keeps_later_writes(ByScript(some, some.increment[:cut] + bytes(nuls), home, shell))

    lost = trials.failed(inside(some), kept)
    nuls = inside(some)[::8]
    lost_nuls = trials.failed(nuls, lambda cut: kept(cut, NULS))
    sample = random.Random(SEED).sample(range(len(some.increment)), 20)  # noqa: S311  not secret
    lost_anywhere = trials.failed(sample, kept)
    with_nuls = f"with {NULS} zero bytes behind it {len(lost_nuls)} of {len(nuls)}"
    anywhere = f"anywhere {len(lost_anywhere)} of {len(sample)}"
    tell([f"{some.server}, by the script: {len(lost)} of 88 cuts lost; {with_nuls}; {anywhere}"])
    assert not lost
    assert not lost_nuls
    assert not lost_anywhere


def test_torn_multi_without_the_guard_later_writes_are_lost(server, written, tell):
    some, home = written(server)

    def kept(cut):
        return keeps_later_writes(Trial(some, some.increment[:cut], home, guarded=False))

    lost = trials.failed(inside(some), kept)
    tell([f"{some.server}, bare: {len(lost)} of 88 cuts lost a later write"])
    mends_itself = (some.server.product, some.server.version[:2]) == MENDS_ITSELF
    assert bool(lost) is not mends_itself


def test_torn_multi_every_cut_of_the_file_ends_at_a_whole_unit(server, written, tell):
    some, home = written(server)
    whole, ends = some.increment, unit_ends(some.increment)
    assert ends[-1] == len(whole) > trials.ENOUGH
    for end, following in itertools.pairwise((*ends, len(whole) + 1)):
        for cut in range(end, following):
            seen = scan([whole[:cut]])
            assert (seen.safe_end, seen.tail is Tail.NONE) == (end, end == cut), cut
            planned = guard.decide("incr", seen, last=True)
            assert planned == (None if end == cut else Cut("incr", end, cut - end, seen.tail))
    sample = random.Random(SEED).sample(range(len(whole)), 20)  # noqa: S311  nothing secret
    lost = trials.failed(
        sample,
        lambda cut: keeps_later_writes(Trial(some, whole[:cut], home, guarded=True)),
    )
    started = f"started on at {len(sample)} of them: {len(lost)} lost later writes"
    tell([f"{some.server}: {len(whole)} offsets, each cut at a whole unit; {started}"])
    assert not lost


def unit_ends(whole: bytes) -> list[int]:
    """Give where each unit ends in a file that is whole, read in the simplest way."""
    ends, at, open_ = [0], 0, False
    while at < len(whole):
        line, at = whole[at : whole.index(b"\n", at)], whole.index(b"\n", at) + 1
        start = at
        for _ in range(int(line[1:]) if line.startswith(b"*") else 0):
            length = int(whole[at + 1 : whole.index(b"\r", at)])
            at = whole.index(b"\n", at) + 1 + length + 2
        open_ = whole[start:at] == b"$5\r\nMULTI\r\n" or (
            open_ and whole[start:at] != b"$4\r\nEXEC\r\n"
        )
        if not open_:
            ends.append(at)
    return ends
