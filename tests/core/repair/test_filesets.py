import pytest

from sturdis.core.repair import filesets
from sturdis.core.repair.filesets import FileSet

BASE, FIRST, SECOND = (
    "appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof", "appendonly.aof.3.incr.aof",
)  # fmt: skip
MANIFEST = (
    b"file appendonly.aof.2.base.rdb seq 2 type b\n"
    b"file appendonly.aof.2.incr.aof seq 2 type i\n"
    b"file appendonly.aof.3.incr.aof seq 3 type i\n"
)
ALL = (BASE, FIRST, SECOND)


def find(text: bytes | None, *present: str) -> FileSet:
    found = filesets.find(text, present)
    assert found is not None
    return found


def loaded(found: FileSet) -> list[str]:
    return [one.name.decode() for one in found.loaded]


def test_a_manifest_that_fits_its_files_is_believed():
    found = find(MANIFEST, *ALL, "appendonly.aof.9.incr.aof")
    assert (loaded(found), found.problem) == (list(ALL), "")


@pytest.mark.parametrize(
    "text",
    [
        None, b"", MANIFEST[:30], MANIFEST.replace(b"seq 3", b"seq 7"),
        MANIFEST.replace(b"seq 3 type i", b"seq 3 type h"), MANIFEST.replace(b"2.incr", b"6.incr"),
        MANIFEST.replace(b"type i", b"type h"),
    ],
)  # fmt: skip
def test_a_manifest_that_is_lost_or_damaged_is_made_from_the_names(text):
    found = find(text, *ALL, "appendonly.aof.1.incr.aof", "appendonly.aof.1.base.rdb")
    assert loaded(found) == list(ALL)
    assert found.problem


def test_a_base_that_is_not_there_is_lost():
    found = find(MANIFEST, FIRST, SECOND)
    assert (loaded(found), found.base_lost) == ([FIRST, SECOND], True)


def test_an_increment_that_is_not_there_is_a_gap_before_the_next():
    found = find(MANIFEST, BASE, SECOND)
    assert loaded(found) == [BASE, SECOND]
    assert found.gap_before == frozenset({SECOND.encode()})
    assert FIRST in found.problem


def test_a_folder_of_something_else_is_none():
    assert filesets.find(None, ("notes.txt", "dump.rdb")) is None


def test_from_the_first_changed_increment_on_names_are_new():
    found = find(MANIFEST, *ALL)
    entries = filesets.renamed(found, {SECOND.encode()}, (*ALL, "appendonly.aof.8.incr.aof"))
    names = [entry.name.decode() for entry in entries.values()]
    assert names == [BASE, FIRST, "appendonly.aof.9.incr.aof"]
    entries = filesets.renamed(found, {FIRST.encode()}, ALL)
    assert [entry.sequence for entry in entries.values()] == [2, 4, 5]
