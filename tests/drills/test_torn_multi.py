"""A file cut inside a transaction: later writes are kept with the guard, and lost without."""

import functools
import itertools
import random

import pytest

from sturdis.core.aof import guard
from sturdis.core.aof.guard import Cut
from sturdis.core.aof.scan import Tail, scan
from sturdis.core.servers import Product
from tests.drills import torn
from tests.drills.torn import Torn, Written
from tests.integration import shells
from tests.integration.running import SERVERS
from tests.integration.shells import Shell

SEED = 88
NULS = 512
MENDS_ITSELF: tuple[Product, tuple[int, int]] = ("valkey", (9, 1))
"""The release of the matrix that cuts open transactions by itself."""

pytestmark = [pytest.mark.timeout(600), pytest.mark.parametrize("server", SERVERS)]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Give what a server wrote; each server writes once."""
    return functools.cache(lambda server: torn.write(server, tmp_path_factory.mktemp("w") / "d"))


def inside(some: Written) -> range:
    """Give the offsets inside the last transaction."""
    return range(some.last + 1, len(some.increment))


def kept_with_the_guard(some: Written, nuls: int, cut: int, shell: Shell | None = None) -> bool:
    """Tell whether writes after the first and the second start are there after the third."""
    with Torn(some, cut, nuls=nuls, guarded=True, shell=shell) as data:
        with data.life() as first:
            half_done = first.says("GET half") != "$-1"
            first.says("SET plain v")
        with data.life() as second:
            plain = second.says("GET plain")
            second.says("EVAL \"redis.call('set','lua','v') redis.call('incr','n')\" 0")
        with data.life() as third:
            seen = plain, third.says("GET plain"), third.says("GET lua"), third.says("GET n")
    return seen == ("v", "v", "v", "1") and not half_done


def kept_without(some: Written, cut: int) -> bool:
    """Tell whether a write after the first start is there after the second."""
    with Torn(some, cut, nuls=0, guarded=False) as data:
        with data.life() as first:
            first.says("SET plain v")
        with data.life() as second:
            return second.says("GET plain") == "v"


def test_torn_multi_with_the_guard_no_later_write_is_lost(server, written, tell):
    some = written(server)
    assert len(inside(some)) == 88
    lost = torn.failed(inside(some), functools.partial(kept_with_the_guard, some, 0))
    nuls = inside(some)[::8]
    lost_nuls = torn.failed(nuls, functools.partial(kept_with_the_guard, some, NULS))
    with_nuls = f"with {NULS} zero bytes behind it {len(lost_nuls)} of {len(nuls)}"
    tell([f"{some.server}, guarded: {len(lost)} of 88 cuts lost later writes; {with_nuls}"])
    assert not lost
    assert not lost_nuls


@pytest.mark.tier("dash")
def test_torn_multi_with_the_start_script_no_later_write_is_lost(server, written, tell, tmp_path):
    some = written(server)
    trial = functools.partial(kept_with_the_guard, shell=shells.shell("dash", server, tmp_path))
    lost = torn.failed(inside(some), lambda cut: trial(some, 0, cut))
    nuls = inside(some)[::8]
    lost_nuls = torn.failed(nuls, lambda cut: trial(some, NULS, cut))
    sample = random.Random(SEED).sample(range(len(some.increment)), 20)  # noqa: S311  not secret
    lost_anywhere = torn.failed(sample, lambda cut: trial(some, 0, cut))
    with_nuls = f"with {NULS} zero bytes behind it {len(lost_nuls)} of {len(nuls)}"
    anywhere = f"anywhere {len(lost_anywhere)} of {len(sample)}"
    tell([f"{some.server}, by the script: {len(lost)} of 88 cuts lost; {with_nuls}; {anywhere}"])
    assert not lost
    assert not lost_nuls
    assert not lost_anywhere


def test_torn_multi_without_the_guard_later_writes_are_lost(server, written, tell):
    some = written(server)
    lost = torn.failed(inside(some), functools.partial(kept_without, some))
    tell([f"{some.server}, bare: {len(lost)} of 88 cuts lost a later write"])
    mends_itself = (some.server.product, some.server.version[:2]) == MENDS_ITSELF
    assert bool(lost) is not mends_itself


def test_torn_multi_every_cut_of_the_file_ends_at_a_whole_unit(server, written, tell):
    some = written(server)
    whole, ends = some.increment, unit_ends(some.increment)
    assert ends[-1] == len(whole) > 20_000
    for end, following in itertools.pairwise((*ends, len(whole) + 1)):
        for cut in range(end, following):
            seen = scan([whole[:cut]])
            assert (seen.safe_end, seen.tail is Tail.NONE) == (end, end == cut), cut
            planned = guard.decide("incr", seen, last=True)
            assert planned == (None if end == cut else Cut("incr", end, cut - end, seen.tail))
    sample = random.Random(SEED).sample(range(len(whole)), 20)  # noqa: S311  nothing secret
    lost = torn.failed(sample, functools.partial(kept_with_the_guard, some, 0))
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
