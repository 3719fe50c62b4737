"""The ledger's log: durable, torn at most at its end, read whole from several writers."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sturdis.adapters.drill import ledger_log
from sturdis.adapters.drill.ledger_log import CHUNK, SUFFIX, LedgerLog
from sturdis.core.drill import events
from sturdis.core.drill.events import Acknowledged, Event
from sturdis.core.errors import DrillError


def acknowledged(number: int, uuid: str = "a") -> Acknowledged:
    return Acknowledged(number, uuid, str(number))


def write(folder: Path, writer: str, told: list[Event]) -> Path:
    with LedgerLog(folder, writer) as log:
        log.append(*told)
    return folder / f"{writer}{SUFFIX}"


def test_what_a_done_future_stands_for_is_in_the_file(tmp_path):
    with LedgerLog(tmp_path / "new", "one") as log:
        log.append(acknowledged(1)).result(10)
        assert ledger_log.read(tmp_path / "new").events == (acknowledged(1),)
        log.append(acknowledged(2), acknowledged(3))
    assert ledger_log.read(tmp_path / "new").events == tuple(map(acknowledged, (1, 2, 3)))


def test_no_events_are_waited_for_by_nobody(tmp_path):
    with LedgerLog(tmp_path, "one") as log:
        assert log.append().done()


def test_threads_share_a_log_and_each_event_is_there_once(tmp_path):
    with LedgerLog(tmp_path, "one") as log:
        threads = [
            threading.Thread(
                target=lambda first: [
                    log.append(acknowledged(number)).result(10)
                    for number in range(first, first + 50)
                ],
                args=(1000 * thread,),
            )
            for thread in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = ledger_log.read(tmp_path).events
    assert sorted(event.at for event in told) == [
        1000 * thread + number for thread in range(8) for number in range(50)
    ]


def test_the_logs_of_all_writers_are_read_as_one(tmp_path):
    write(tmp_path, "one", [acknowledged(1)])
    write(tmp_path, "two", [acknowledged(2)])
    assert set(ledger_log.read(tmp_path).events) == {acknowledged(1), acknowledged(2)}


def test_a_log_longer_than_a_chunk_is_read_whole(tmp_path):
    told: list[Event] = [acknowledged(number, "u" * 1000) for number in range(CHUNK // 500)]
    path = write(tmp_path, "one", told)
    assert path.stat().st_size > 2 * CHUNK
    assert ledger_log.read(tmp_path).events == tuple(told)


def test_a_log_torn_anywhere_keeps_every_whole_line_and_tells_of_the_rest(tmp_path):
    told: list[Event] = [acknowledged(number) for number in range(3)]
    path = write(tmp_path, "one", told)
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        logs = ledger_log.read(tmp_path)
        whole = content[:size].count(b"\n")
        rest = size - (content[:size].rfind(b"\n") + 1)
        assert logs.events == tuple(told[:whole])
        assert [one.size for one in logs.torn] == ([rest] if rest else [])


def test_a_whole_line_that_is_no_event_is_refused_by_number(tmp_path):
    path = write(tmp_path, "one", [acknowledged(1)])
    path.write_bytes(path.read_bytes() + b'{"event":"acknow\n' + events.encode(acknowledged(2)))
    with pytest.raises(DrillError, match="line 2") as refused:
        ledger_log.read(tmp_path)
    assert refused.value.code == "drill.log_damaged"


def test_two_writers_may_not_share_a_file(tmp_path):
    with LedgerLog(tmp_path, "one"), pytest.raises(DrillError) as refused:
        LedgerLog(tmp_path, "one")
    assert (refused.value.code, refused.value.why) == ("drill.log_lost", "File exists")


FULL = """
import resource, sys
from pathlib import Path
from sturdis.adapters.drill.ledger_log import LedgerLog
from sturdis.core.drill.events import Acknowledged
from sturdis.core.errors import DrillError

resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
with LedgerLog(Path(sys.argv[1]), "one") as log:
    for number in range(10):
        try:
            log.append(Acknowledged(number, "uuid", "1")).result(10)
        except DrillError as error:
            print(number, error.code, error.why)
            break
"""


def test_what_cannot_be_written_is_never_said_to_be_on_disk(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    number, code, why = run.stdout.strip().split(" ", maxsplit=2)
    assert (code, why) == ("drill.log_lost", "File too large")
    logs = ledger_log.read(tmp_path)
    assert len(logs.events) == int(number) > 0
    assert len(logs.torn) == 1
