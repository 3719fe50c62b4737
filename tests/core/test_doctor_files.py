"""What a doctor says of a server's files, and when it heals one that refuses writes."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.aof.scan import Scan, Tail
from sturdis.core.doctor import cut_short, damage, healing, judging
from sturdis.core.doctor.cut_short import Told
from sturdis.core.doctor.damage import Files, Problem
from sturdis.core.doctor.diagnosis import Diagnosis, Severity
from sturdis.core.doctor.facts import NO_LOOK
from sturdis.core.doctor.healing import Refusing, State
from sturdis.core.doctor.running import ServerSight
from sturdis.core.errors import TargetError
from sturdis.core.facts import NOT_TRIED, NotVisible
from sturdis.core.spec import Spec
from tests.core import healthy, sights

FACTS = dataclasses.replace(
    healthy.HEALTHY, round_trip=NOT_TRIED, features=NOT_TRIED, job=NOT_TRIED
)
ELSEWHERE = NotVisible("elsewhere")

CORRUPT = Problem("data.corrupt", "x is whole up to byte 5", "no interrupted write")


def test_damage_is_mended_from_memory_while_the_server_lives_and_repaired_afterwards():
    files = Files("/my data", is_live=True, problems=[CORRUPT])
    seen = ServerSight("x", "sturdis doctor", FACTS, NO_LOOK, files)
    (live,) = judging.judge_server(Spec(), seen).found
    assert (live.id, live.severity) == ("aof.damaged", Severity.SERIOUS)
    assert live.do.startswith("sturdis cli bgrewriteaof at once")
    told = judging.judge_files("/my data", Files("/my data", is_live=False, problems=[CORRUPT]))
    assert told.found[0].severity is Severity.CRITICAL
    assert told.found[0].do.startswith("sturdis repair '/my data' --dry-run")
    assert told.exit_status == 1


def test_what_is_no_damage_in_a_folder_is_minor_and_what_was_not_read_is_said():
    files = Files("/d", is_live=False, torn="9 bytes", unread=7, stale=["/d/temp-x"], stale_bytes=1)
    told = judging.judge_files("/d", files)
    assert [(one.id, one.severity) for one in told.found] == [
        ("aof.torn", Severity.MINOR), ("aof.stale", Severity.MINOR),
    ]  # fmt: skip
    assert told.unseen[0].reason.startswith("7 bytes of /d were not read")
    assert judging.judge_files("/d", ELSEWHERE).exit_status == 3
    assert judging.judge_files("/d", Files("/d", is_live=False)).exit_status == 0


@given(st.sampled_from(Tail), st.booleans(), st.booleans())
def test_the_last_file_of_a_running_server_may_end_in_the_middle_of_a_write(tail, live, last):
    judged = damage.is_damage(Scan(9, 5, tail, 9), is_live=live, is_last=last)
    torn = tail in {Tail.TORN_COMMAND, Tail.OPEN_TRANSACTION}
    assert judged == (tail is not Tail.NONE and not (live and last and torn))


def test_healing_is_for_a_file_that_could_not_be_written_alone():
    assert healing.plan(Refusing("x", State.TAKES, "0"), "sturdis doctor") is None
    plan = healing.plan(Refusing("x", State.MISCONF, "MISCONF Errors"), "sturdis doctor")
    assert "MISCONF Errors" in str(plan)
    for other in (
        Refusing("x", State.OTHER, "OOM"),
        Refusing("x", State.MISCONF, "MISCONF", is_on=False),
    ):
        with pytest.raises(TargetError) as refused:
            healing.plan(other, "sturdis doctor")
        assert refused.value.code == "target.not_healed"


@pytest.mark.parametrize(
    ("words", "is_ours"),
    [
        ("MISCONF Errors writing to the AOF file: Input/output error", True),
        ("MISCONF Redis is configured to save RDB snapshots, but it's unable to persist", False),
        ("OOM command not allowed", False),
    ],
)
def test_misconf_is_of_the_file_or_of_a_snapshot(words, is_ours):
    assert bool(healing.OF_THE_FILE.match(words)) is is_ours


@given(st.floats(0, 1e6))
def test_writes_are_held_back_for_a_bounded_time(rewrite):
    assert 10 <= healing.held_back(rewrite) <= healing.LONGEST_SECONDS


def test_the_releases_that_need_more_than_a_rewrite_are_known():
    told = [
        ("redis", (7, 0, 15)),
        ("redis", (8, 0, 2)),
        ("valkey", (8, 1, 8)),
        ("valkey", (9, 1, 2)),
    ]
    assert [healing.is_stubborn(*one) for one in told] == [True, False, False, False]


SHORT = "9:M 01 Jan 2026 00:00:00.000 # Short write while writing to the AOF file: (nwritten=4, exp"
NO_ROOM = "9:M * Error writing to the AOF file: No space left on device"
SOLVED = "9:M # AOF write error looks solved. The server can write again."
STARTED = "9:M * Background append only file rewriting started by pid 77"
WRITTEN = "9:M * Background AOF rewrite finished successfully"
FAILED = "9:M # Background AOF rewrite terminated with error"
SERVES = "9:M * Ready to accept connections"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((SERVES, STARTED, WRITTEN), Told()),
        ((SHORT,), Told(line=SHORT)),
        ((NO_ROOM, SOLVED), Told(line=SOLVED)),
        ((SHORT, SOLVED, STARTED), Told(line=SOLVED)),
        ((SHORT, SOLVED, STARTED, FAILED), Told(line=SOLVED)),
        ((STARTED, SHORT, SOLVED, WRITTEN), Told(line=SOLVED)),
        ((SHORT, SOLVED, STARTED, WRITTEN), Told(is_mended=True)),
        ((SHORT, SOLVED, SERVES), Told(is_mended=True)),
        ((SHORT, SOLVED, STARTED, WRITTEN, SHORT), Told(line=SHORT)),
    ],
)
def test_a_write_that_was_cut_short_is_told_until_a_rewrite_that_began_later_or_a_start(
    lines, told
):
    assert cut_short.read("\n".join(lines)) == told


REFUSED = {"errorstat_MISCONF": "count=3", "aof_rewrites": "1"}
READ = Files("/d", is_live=True)


def cut(info: dict[str, str], files: Files | NotVisible, log: str) -> list[Diagnosis]:
    facts = dataclasses.replace(FACTS, info=healthy.INFO | info)
    seen = ServerSight("x", "sturdis doctor", facts, NO_LOOK, files, log)
    found = judging.judge_server(Spec(), seen).found
    return [one for one in found if one.id == "aof.cut_short"]


@pytest.mark.parametrize(
    ("info", "files", "log"),
    [
        ({}, ELSEWHERE, ""),
        (REFUSED, READ, ""),
        (REFUSED, READ, SHORT),
        (REFUSED, ELSEWHERE, f"{SHORT}\n{STARTED}\n{WRITTEN}"),
        (REFUSED | {"aof_rewrites": "0"}, ELSEWHERE, ""),
        (REFUSED | {"aof_last_write_status": "err"}, ELSEWHERE, SHORT),
        (REFUSED | {"aof_enabled": "0"}, ELSEWHERE, ""),
    ],
)
def test_no_file_is_said_to_be_cut_short_that_is_read_or_rewritten_or_was_never(info, files, log):
    assert cut(info, files, log) == []


@pytest.mark.parametrize("files", [ELSEWHERE, dataclasses.replace(READ, unread=9)])
def test_a_file_that_a_full_disk_may_have_damaged_is_to_be_rewritten_before_any_restart(files):
    (by_log,) = cut({}, files, f"{SHORT}\n{SOLVED}")
    assert (by_log.severity, SOLVED in by_log.seen) == (Severity.SERIOUS, True)
    assert by_log.do == (
        "sturdis cli bgrewriteaof at once, before any restart (or sturdis doctor --heal)"
    )
    (by_count,) = cut(REFUSED, files, "")
    assert "do not restart" in by_count.what
    assert "count=3" in by_count.seen
    assert "config resetstat" in by_count.do


def test_a_pod_is_told_by_its_log_as_well():
    pod = dataclasses.replace(sights.HEALTHY, log=f"{SHORT}\n{SOLVED}")
    assert "aof.cut_short" in {one.id for one in judging.judge(Spec(), pod).found}


def test_a_file_that_may_have_zeros_in_it_is_written_anew_although_writes_are_taken():
    seen = Refusing("x", State.TAKES, "0", is_cut_short=True)
    plan = healing.plan(seen, "sturdis doctor")
    assert "BGREWRITEAOF" in str(plan)
    assert "CLIENT PAUSE" not in str(plan)
    assert "writes are taken" in healing.still_failing(seen, "no room", "sturdis doctor").why


def test_of_a_write_that_failed_it_is_said_to_rewrite_before_any_restart():
    facts = dataclasses.replace(FACTS, info=healthy.INFO | {"aof_last_write_status": "err"})
    (told,) = judging.judge_server(
        Spec(), ServerSight("x", "sturdis doctor", facts, NO_LOOK, ELSEWHERE)
    ).found
    assert told.id == "aof.write"
    assert told.do.startswith("restart nothing")
    assert told.do.endswith("even where writes come back by themselves, sturdis doctor --heal")
