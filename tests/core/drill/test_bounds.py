"""Bounds of a share, held against the binomial distribution counted in whole numbers."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.drill import bounds


def counted(seen: int, trials: int, share: Fraction) -> Fraction:
    """Give the chance of at most `seen` hits, exactly."""
    return sum(
        (comb(trials, n) * share**n * (1 - share) ** (trials - n) for n in range(seen + 1)),
        Fraction(0),
    )


@pytest.mark.parametrize(
    ("seen", "trials", "bound"),
    [
        (0, 1000, 0.0029912), (0, 300, 0.0099361), (0, 60, 0.0487029), (1, 1000, 0.0047350),
        (3, 300, 0.0256414), (0, 1, 0.95), (1, 1, 1.0),
    ],
)  # fmt: skip
def test_bounds_known_from_tables(seen, trials, bound):
    assert bounds.upper(seen, trials) == pytest.approx(bound, abs=5e-7)


def test_none_of_a_thousand_is_below_three_in_a_thousand():
    assert bounds.upper(0, 1000) < 0.003
    assert bounds.percent(bounds.upper(0, 1000)) == "0.30 %"


@given(st.integers(1, 400), st.data())
def test_at_the_bound_so_few_are_seen_once_in_twenty(trials, data):
    seen = data.draw(st.integers(0, trials - 1))
    bound = Fraction(bounds.upper(seen, trials))
    assert float(counted(seen, trials, bound)) == pytest.approx(0.05, rel=1e-6)


@given(st.integers(1, 2000))
def test_without_one_seen_it_is_the_closed_form_and_below_the_rule_of_three(trials):
    bound = bounds.upper(0, trials)
    assert bound == pytest.approx(1 - 0.05 ** (1 / trials))
    assert bound < 3 / trials


@given(st.integers(1, 300), st.data())
def test_more_trials_tighten_it_and_more_seen_widen_it(trials, data):
    seen = data.draw(st.integers(0, trials - 1))
    bound = bounds.upper(seen, trials)
    assert seen / trials < bound <= 1
    assert bounds.upper(seen, trials + 1) < bound
    assert bounds.upper(seen + 1, trials) > bound


@pytest.mark.parametrize(("seen", "trials"), [(0, 0), (2, 1), (-1, 5)])
def test_what_is_no_trial_has_no_bound(seen, trials):
    with pytest.raises(ValueError, match=f"{seen} of {trials}"):
        bounds.upper(seen, trials)


@given(st.floats(0, 1))
def test_a_bound_is_never_written_smaller_than_it_is(share):
    assert float(bounds.percent(share).removesuffix(" %")) >= share * 100 - 1e-9
