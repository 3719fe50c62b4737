"""docs/drills.md tells all drills, fields, faults, figures and abilities, and no others."""

import re
from typing import get_args

import msgspec
import pytest

from sturdis.adapters.drill import scenario_files
from sturdis.core.drill import faults, ledger_figures
from sturdis.core.drill.abilities import Ability
from sturdis.core.drill.ledger import account
from sturdis.core.drill.phases import Part
from sturdis.core.drill.scenario import Expected, Load, Loss, Scenario, Steady
from tests.core import drills
from tests.tiers import ROOT

TEXT = (ROOT / "docs/drills.md").read_text()
DRILLS = scenario_files.shipped()


def named(title: str) -> str:
    """Give the part of the document below a heading."""
    return re.split(r"(?m)^#+ ", TEXT.partition(f"# {title}\n")[2])[0]


def test_the_table_of_drills_is_that_of_the_files():
    rows = re.findall(r"(?m)^\| `([a-z0-9-]+)` \| (.*) \| (.*) \| (.*) \|$", named("The drills"))
    assert rows == [
        (
            one.name,
            " ".join(one.hypothesis.split()),
            ", ".join(need.value for need in one.needs),
            one.expect.lost.value if one.load else "no load",
        )
        for one in DRILLS
    ]


def test_a_drill_is_in_the_file_of_its_name():
    assert [one.name for one in DRILLS] == [
        path.stem for path in sorted(scenario_files.FOLDER.iterdir())
    ]


def test_each_field_is_told():
    shown = named("A drill of your own")
    for kind in (Scenario, Expected, Load, Steady):
        for field in msgspec.structs.fields(kind):
            assert re.search(rf"`(expect\.)?{field.name}[`.]", shown), field.name
    for one in Loss:
        assert f"`{one.value}`" in shown


def test_each_fault_is_told_with_its_options():
    rows = dict(re.findall(r"(?m)^\| `([a-z-]+)` \| (.*) \|$", named("Faults")))
    kinds = {kind.__struct_config__.tag: kind for kind in get_args(faults.Fault)}
    assert set(rows) == set(kinds)
    for tag, kind in kinds.items():
        for option in msgspec.structs.fields(kind):
            assert f"`{option.name}`" in rows[tag], f"{tag}: {option.name}"


@pytest.mark.parametrize("scenario", DRILLS, ids=lambda one: one.name)
def test_each_figure_that_is_expected_is_told(scenario):
    rows = dict(re.findall(r"(?m)^\| `([a-z-]+)` \| (.*) \|$", named("Faults")))
    told = rows[scenario.fault.__struct_config__.tag] + named("Figures")
    for name, expectation in scenario.expect.figures.items():
        assert f"`{name}`" in told, name
        assert not expectation.of or f"`{expectation.of}`" in told, expectation.of


def test_each_figure_of_the_ledger_is_told():
    left = drills.drill(*drills.acknowledged("a"), drills.done("a"))
    for name in ledger_figures.of(account(left.events, left.survey), left.events):
        assert f"`{name}`" in named("Figures")


def test_each_ability_and_each_phase_is_told():
    rows = re.findall(r"(?m)^\| `?([a-z ]+)`? \| ", named("Abilities"))
    assert sorted(rows[1:]) == sorted(one.value for one in Ability)
    phases = re.findall(r"(?m)^\| (\w+) \| ", named("What a run does"))
    assert phases == ["phase", *(part.value for part in Part)]


def test_the_example_of_a_file_is_the_one_that_is_run():
    (shown,) = re.findall(r"(?s)```yaml\n(.*?)```", TEXT)
    assert shown == (ROOT / "examples/drills/loading.yaml").read_text()
