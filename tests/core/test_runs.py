from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import runs
from sturdis.core.runs import RUN_SECONDS, Run

UUIDS = st.uuids().map(str)
RUNS = st.builds(Run, uuid=UUIDS, client=st.integers(0, 2**63 - 1), began=st.integers(0, 2**63 - 1))
ONE = Run(str(UUID(int=1)), client=7, began=1000)


@given(RUNS)
def test_what_the_register_holds_reads_back(run):
    assert runs.read([(run.uuid, run.entry)]) == (run,)


@pytest.mark.parametrize(
    ("uuid", "entry"),
    [
        ("*", "1 1"),
        ("", "1 1"),
        (ONE.uuid.upper().replace("0", "A"), "1 1"),
        (f"{ONE.uuid}\n", "1 1"),
        (ONE.uuid, ""),
        (ONE.uuid, "1"),
        (ONE.uuid, "1 x"),
        (ONE.uuid, "-1 1"),
        (ONE.uuid, f"1 {'9' * 20}"),
        (ONE.uuid, "1 1\n"),
    ],
)
def test_what_no_run_wrote_is_left_alone(uuid, entry):
    assert runs.read([(uuid, entry)]) == ()


@pytest.mark.parametrize(
    ("age", "connected", "is_over"),
    [
        (0, {7}, False),
        (0, {8}, True),
        (0, set(), True),
        (0, None, False),
        (RUN_SECONDS, {7}, False),
        (RUN_SECONDS + 1, {7}, True),
        (RUN_SECONDS + 1, None, True),
        (-RUN_SECONDS - 1, {7}, True),
        (-5, None, False),
    ],
)
def test_a_run_is_over_when_its_connection_is_gone_or_it_began_too_long_ago(
    age, connected, is_over
):
    found = runs.over([ONE], now=ONE.began + age, connected=connected)
    assert found == ((ONE,) if is_over else ())


@given(st.lists(RUNS), st.integers(0, 2**40), st.none() | st.sets(st.integers(0, 20)))
def test_a_run_that_stands_and_is_young_is_never_over(others, now, connected):
    young = Run(ONE.uuid, client=21, began=now)
    standing = None if connected is None else connected | {21}
    assert young not in runs.over([*others, young], now=now, connected=standing)
