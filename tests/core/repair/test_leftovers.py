import pytest

from sturdis.core.repair import filesets, leftovers
from sturdis.core.repair.filesets import FileSet
from sturdis.core.repair.leftovers import Written

BASE = "appendonly.aof.2.base.rdb"
NAMES = [f"appendonly.aof.{n}.incr.aof" for n in (2, 3, 4)]
BEGAN = 1_795_631_983


def found(
    *written: Written, base: str = BASE, began: int | None = BEGAN
) -> tuple[list[str], tuple[str, ...]]:
    """Give which increments are loaded, and what is not decided."""
    names = NAMES[: len(written)]
    whole = filesets.find(None, (base, *names))
    assert isinstance(whole, FileSet)
    by_name = dict(zip([one.name for one in whole.increments], written, strict=True))
    part = leftovers.left_out(whole, began, by_name)
    return [one.name.decode() for one in part.increments], part.undecided


OLD, NEW = Written(BEGAN - 9, BEGAN + 99), Written(BEGAN + 9, BEGAN + 99)
UNKNOWN = Written(None, BEGAN + 99)


def test_increments_that_end_before_the_base_began_are_left_out():
    assert found(OLD, OLD, NEW) == (NAMES[2:], ())
    assert found(OLD, NEW, NEW) == (NAMES[1:], ())
    assert found(Written(None, BEGAN - 9), NEW) == (NAMES[1:2], ())


def test_what_is_older_than_one_that_is_left_out_goes_with_it():
    assert found(UNKNOWN, OLD, UNKNOWN) == (NAMES[2:], ())


@pytest.mark.parametrize("one", [UNKNOWN, Written(BEGAN, BEGAN), Written(BEGAN - 1, BEGAN)])
def test_what_cannot_be_known_is_kept_and_said(one):
    kept, undecided = found(one, NEW, UNKNOWN)
    assert kept == NAMES
    assert undecided == (f"{NAMES[0]}: whether the base holds it already is not known; it is kept",)
    assert len(found(OLD, NEW, NEW, began=None)[1]) == 2


def test_what_follows_one_that_is_newer_than_the_base_is_newer_too():
    assert found(NEW, UNKNOWN, UNKNOWN) == (NAMES, ())


def test_the_newest_increment_and_those_of_the_first_base_always_count():
    assert found(OLD) == (NAMES[:1], ())
    assert found(OLD, OLD, base="appendonly.aof.1.base.rdb") == (NAMES[:2], ())
