"""The judge sees what a repair does wrong, and each damage is what its name says."""

import functools
import random
import shutil

import pytest

from sturdis.core.aof.guard import FOLDER, MANIFEST
from sturdis.core.aof.scan import Tail, scan
from sturdis.core.errors import DataError
from tests import matrix
from tests.repair import damage, fixing, orders, running, serving, table
from tests.repair.judge import UNSEEN, Case, judge
from tests.repair.units import units

SEED = 7
ROW = matrix.ROWS[0]

pytestmark = pytest.mark.tier(ROW.tier)


@pytest.fixture(scope="module")
def some():
    """Give folders that the oldest server wrote."""
    return running.sources(ROW.server, SEED, ("aof-1", "rdb-3"))


def test_a_folder_holds_jobs_of_every_state_in_several_queues_and_files(some):
    whole = some["rdb-3"]
    states = serving.states_of(whole.held)
    assert set(states) == {*serving.LISTS, *serving.SETS} - {"paused"}
    assert {queue for queue, _job_id in whole.held.jobs} == set(orders.QUEUES)
    assert len(whole.increments) == 3
    assert all(len(job.states) == 1 for job in whole.held.jobs.values())
    assert not whole.held.ghosts
    assert not whole.held.strays


def test_units_are_where_the_scanner_sees_them_end(some):
    whole = some["aof-1"].files[some["aof-1"].increments[0]]
    all_ = list(units(whole))
    assert all_[0].start == 0
    assert all_[-1].end == len(whole)
    for one in random.Random(SEED).sample(all_, 30):  # noqa: S311  nothing secret
        assert scan([whole[: one.end]]).tail is Tail.NONE
        assert scan([whole[: one.end - 1]]).safe_end == one.start


@pytest.mark.parametrize("kind", damage.KINDS)
def test_a_case_is_drawn_from_its_name_alone_and_damages_the_file_that_it_says(some, kind):
    shape = "rdb-3" if kind == "earlier-cut" else "aof-1"
    whole = some[shape]
    for number in range(20):
        draws = (random.Random(f"{kind}{number}") for _ in range(2))  # noqa: S311  not secret
        one, again = (damage.damage(whole, kind, dice) for dice in draws)
        assert one == again
        changed = {
            name for name in whole.files if one.files.get(name, b"-") != whole.files[name]
        } - {MANIFEST}
        assert changed <= {mark.file for mark in one.marks}
        assert changed or kind.startswith(("manifest", "nul", "swapped"))
        for mark in one.marks:
            assert 0 <= mark.start <= mark.end <= len(whole.files[mark.file])


def nothing(_data, _server):
    """Leave the folder as it is."""


def emptying(data, _server):
    shutil.rmtree(data / FOLDER)


def refusing(_data, _server):
    raise DataError("data.corrupt", "no", why="no", do="no")


def fixing_alone(data, server):
    for path in sorted((data / FOLDER).glob("*.incr.aof")):
        fixing.fix(server, path)


def adding(*words: str):
    """Give a repair that only appends one command to what --fix leaves."""

    def mend(data, server):
        fixing_alone(data, server)
        (path,) = (data / FOLDER).glob("*.incr.aof")
        text = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        select = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
        path.write_bytes(path.read_bytes() + f"{select}*{len(words)}\r\n{text}".encode())

    return mend


def broken(some, tmp_path, mend, kind="byte", number=1):
    case = Case(SEED, kind, number)
    return judge(case, some[case.shape], tmp_path, mend)


def test_a_repair_that_keeps_less_than_fix_is_seen(some, tmp_path):
    for mend in (emptying, refusing):
        outcome = broken(some, tmp_path, mend)
        assert len(outcome.by_fix) > len(outcome.by_repair) == 0
        assert outcome.broken[0].startswith("fewer: 0 jobs")


def test_a_repair_that_only_fixes_loses_what_follows_the_damage_and_is_seen(some, tmp_path):
    outcomes = [broken(some, tmp_path, fixing_alone, number=number) for number in (1, 6, 11)]
    assert any(outcome.more_is_due for outcome in outcomes)
    for outcome in outcomes:
        assert outcome.by_fix == outcome.by_repair
        more = [rule for rule in outcome.broken if rule.startswith("no more")]
        assert bool(more) == outcome.more_is_due


def test_a_repair_after_which_no_server_starts_is_seen(some, tmp_path):
    outcome = broken(some, tmp_path, nothing, kind="base-lost")
    assert any(rule.startswith("does not load: ") for rule in outcome.broken)


def test_a_job_in_two_states_an_id_without_a_hash_and_a_stray_key_are_seen(some, tmp_path):
    whole = some["aof-1"]
    queue, job_id = next(
        key for key, job in whole.held.jobs.items()
        if job.states == ("completed",) and job.uuid.encode() in whole.files[whole.base]
    )  # fmt: skip
    judged = functools.partial(broken, some, tmp_path, kind="bit")
    twice = judged(adding("LPUSH", f"bull:{queue}:wait", job_id))
    assert any(rule.startswith(f"two states: {queue}:{job_id}") for rule in twice.broken)
    ghost = judged(adding("LPUSH", f"bull:{queue}:wait", "none"))
    assert any(rule.startswith(f"ghost: {queue}:none") for rule in ghost.broken)
    stray = judged(adding("SET", "page:1", "x"))
    assert any(rule.startswith("strays: 1") for rule in stray.broken)


def test_an_id_that_is_given_again_is_seen(some, tmp_path):
    outcome = broken(some, tmp_path, adding("SET", "bull:mails:id", "3"), kind="bit")
    assert any(rule.startswith("id: mails gave 4 again") for rule in outcome.broken)


def test_what_no_byte_shows_is_counted_by_itself(some, tmp_path):
    outcomes = [broken(some, tmp_path, nothing, "skipped", number) for number in range(1, 60, 5)]
    limits = [one for one in outcomes if one.limits]
    assert limits
    assert all(rule.startswith(UNSEEN) for one in limits for rule in one.limits)
    assert any(rule.startswith("two states") for one in outcomes for rule in one.broken)
    (line,) = table.lines("redis 7.0.15", outcomes)
    assert line.limits == len(limits)


def test_outcomes_are_added_up_by_kind(some, tmp_path):
    outcomes = [broken(some, tmp_path, mend) for mend in (fixing_alone, emptying)]
    (line,) = table.lines("redis 7.0.15", outcomes)
    assert (line.kind, line.cases, line.fewer) == ("byte", 2, 1)
    assert line.fix == sum(len(one.by_fix) for one in outcomes)
    assert line.acknowledged == 2 * len(some["aof-1"].held.jobs)
    assert table.decode(table.encode(line) * 2) == [line]
    assert table.summary([line]).startswith("2 cases, ")
    assert table.by_kind([line, line])[-1].startswith("| byte | 4 | ")
    assert "--fresh --server redis-7.0" in table.by_server([line])[-1]
