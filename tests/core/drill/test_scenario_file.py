"""Drills' files: what they say, and the line of what is wrong in them."""

from typing import get_args

import msgspec
import pytest

from sturdis.core.drill import faults, scenario_file
from sturdis.core.drill.abilities import Ability
from sturdis.core.drill.faults.process import Kill, Moment
from sturdis.core.drill.scenario import Load, Loss, Steady
from sturdis.core.errors import DrillError

KILL = """\
name: mine
hypothesis: nothing is lost
fault: {kind: kill, moment: rewrite}
undo: it is started again
needs: [kill, small disk]
"""


def problems(text: str) -> str:
    with pytest.raises(DrillError) as refused:
        scenario_file.read(text, source="mine.yaml")
    assert refused.value.code == "drill.invalid"
    assert "mine.yaml" in refused.value.what
    return refused.value.why


def test_a_file_says_what_is_not_at_its_default():
    drill = scenario_file.read(KILL, source="mine.yaml")
    assert (drill.name, drill.rounds) == ("mine", 3)
    assert drill.fault == Kill(Moment.REWRITE)
    assert drill.needs == (Ability.KILL, Ability.SMALL_DISK)
    assert drill.load == Load()
    assert drill.expect.lost is Loss.NONE


def test_a_drill_without_load_expects_figures():
    text = f"{KILL}load: null\n"
    assert "without load a drill needs figures" in problems(text)
    drill = scenario_file.read(f"{text}expect: {{figures: {{kills: {{equals: 3}}}}}}", source="f")
    assert drill.load is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: object missing required field `name`"),
        ("- a\n", "line 1: expected `object`, got `array`"),
        ("name: [\n", "line 2: not a drill in YAML"),
        (f"{KILL}nmae: x\n", 'line 6: unknown key "nmae"; did you mean "name"?'),
        (f"{KILL}load: {{rat: 3}}\n", 'line 6: load: unknown key "rat"; did you mean "rate"?'),
        (f"{KILL}name: again\n", 'line 6: "name" stands twice, first in line 1'),
        (f"{KILL}rounds: many\n", "line 6: rounds: expected `int`, got `str`"),
        (f"{KILL}rounds: 0\n", "line 6: rounds: it must be: from 1 to 10,000"),
        (f"{KILL}under_load: [2, 1]\n", "line 6: under_load: it must be: the shortest time"),
        (f"{KILL}under_load: [1]\n", "line 6: under_load: expected `array` of length 2, got 1"),
        (f"{KILL}observe: -1\n", "line 6: observe: it must be: seconds, 0 or more"),
        (f"{KILL}expect:\n  lost: some\n", "line 7: expect.lost: invalid enum value 'some'; known"),
        (
            f"{KILL}expect:\n  figures: {{kills: {{eqals: 3}}}}\n",
            'line 7: expect.figures: unknown key "eqals"',
        ),
        (
            f"{KILL}expect:\n  figures:\n    kills: {{}}\n",
            "line 8: expect.figures: it must be: `equals`, `at_least` or `at_most`",
        ),
        (
            f"{KILL}expect:\n  figures:\n    kills: {{equals: .nan}}\n",
            "line 8: expect.figures: it must be: numbers",
        ),
        (
            f"{KILL}expect:\n  figures:\n    kills: {{at_least: 3, at_most: 2}}\n",
            "line 8: expect.figures: it must be: what a figure can be, not at least 3",
        ),
        (KILL.replace("kind: kill", "kind: kil"), "line 3: fault.kind: invalid value 'kil'; did"),
        (KILL.replace("moment", "moent"), 'line 3: fault: unknown key "moent"; did you mean "mom'),
        (KILL.replace("rewrite", "never"), "line 3: fault.moment: invalid enum value 'never'"),
        (KILL.replace("small disk", "smal disk"), 'did you mean "small disk"?'),
        (KILL.replace("mine", "../x"), "line 1: name: it must be: small letters, digits and hyph"),
        (KILL.replace("nothing is lost", "''"), "line 2: hypothesis: it must be: a sentence"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, expected):
    assert expected in problems(text)


NUMBERS = [
    *(
        (f"fault: {{kind: {kind.__struct_config__.tag}, {field.name}: ", "}")
        for kind in get_args(faults.Fault)
        for field in msgspec.structs.fields(kind)
        if isinstance(field.default, int | float)
    ),
    *(
        (f"{part}: {{{field.name}: ", "}")
        for part, kind in (("load", Load), ("steady", Steady))
        for field in msgspec.structs.fields(kind)
        if isinstance(field.default, int | float)
    ),
    ("rounds: ", ""),
    ("observe: ", ""),
    ("serves_again_within: ", ""),
    ("under_load: [0, ", "]"),
]
"""What stands before and behind each number that a file may give."""


@pytest.mark.parametrize("number", [".nan", ".inf", "-1", "1.0e+18", "1000000000000000000"])
@pytest.mark.parametrize(("before", "behind"), NUMBERS, ids=[one for one, _rest in NUMBERS])
def test_each_number_has_its_bounds(before, number, behind):
    other = "\n".join(line for line in KILL.splitlines() if not before.startswith(line[:6]))
    assert "line " in problems(f"{other}\n{before}{number}{behind}\n")


@pytest.mark.parametrize(
    "nothing",
    [
        "fault: {kind: torn-multi, every: 0}",
        "fault: {kind: bit-flips, trials: 0}",
        "fault: {kind: torn-tail, most: 0}",
        "fault: {kind: disk-full, size: 0}",
        "fault: {kind: memory-kernel, limit: 0}",
        "fault: {kind: slow-link, seconds: 0}",
        "load: {workers: 0}",
        "load: {mix: []}",
        "serves_again_within: 0",
    ],
)
def test_none_is_no_number_where_some_are_needed(nothing):
    other = "\n".join(line for line in KILL.splitlines() if line[:5] != nothing[:5])
    assert "line " in problems(f"{other}\n{nothing}\n")


def test_all_that_cannot_be_meant_is_told_at_once():
    assert problems(f"{KILL}rounds: 0\nobserve: -1\n").count("line ") == 2
