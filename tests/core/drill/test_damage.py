"""Which jobs the destroyed bytes name."""

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.aof.layout import EXEC, MULTI
from sturdis.core.aof.scan import scan
from sturdis.core.drill import damage

UUID = "01234567-89ab-4def-8123-456789abcdef"
OTHER = "11234567-89ab-4def-8123-456789abcdef"


def test_jobs_are_named_by_their_data_as_both_languages_write_it():
    content = f'$9\r\n{{"uuid":"{UUID}","failures":0}}\r\n{{"uuid": "{OTHER}"}}'.encode()
    assert damage.jobs_in(content + content) == (UUID, OTHER)


def test_a_workers_token_is_no_job():
    assert damage.jobs_in(f"bull:q:1:lock {UUID}:3".encode()) == ()


def test_what_is_destroyed_has_its_size_and_its_jobs():
    gone = damage.destroyed(7, 2, f'{{"uuid":"{UUID}"}}'.encode())
    assert (gone.at, gone.round, gone.size, gone.uuids) == (7, 2, 47, (UUID,))
    assert not gone.everything


INCR = b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"
UNITS = (INCR, MULTI + INCR + EXEC)


@given(st.lists(st.sampled_from(UNITS), max_size=5), st.data())
def test_the_last_whole_unit_ends_where_the_guard_would_cut(units, data):
    content = b"".join(units)
    left = content[: data.draw(st.integers(0, len(content)))]
    assert damage.last_end(left) == scan([left]).safe_end


def test_behind_a_damage_that_nobody_mended_the_last_whole_unit_is_found_too():
    torn = MULTI + INCR  # and no EXEC: later writes follow
    content = torn + MULTI + INCR + EXEC + INCR
    assert damage.last_end(content + INCR[:9]) == len(content)
