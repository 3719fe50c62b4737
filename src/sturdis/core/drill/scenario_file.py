"""A drill's file: YAML text to a `Scenario`, or what is wrong with it and in which line."""

import re
from collections.abc import Iterator, Mapping
from typing import get_args

import msgspec

from sturdis.core.drill import faults
from sturdis.core.drill.abilities import Ability
from sturdis.core.drill.load import Kind
from sturdis.core.drill.scenario import MOST_ROUNDS, Loss, Scenario
from sturdis.core.errors import DrillError
from sturdis.core.spec import words, yamltext
from sturdis.core.spec.yamltext import Path, Problem, Text

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

WORDS: Mapping[Path, tuple[str, ...]] = {
    ("fault", "kind"): tuple(str(kind.__struct_config__.tag) for kind in get_args(faults.Fault)),
    ("needs",): tuple(one.value for one in Ability),
    ("expect", "lost"): tuple(one.value for one in Loss),
    ("load", "mix"): tuple(one.value for one in Kind),
}
"""Path to the words that are understood there."""

_WHERE = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`")


def read(text: str, *, source: str) -> Scenario:
    """Read `text`, the content of the file that `source` names.

    Raises:
        DrillError: `drill.invalid`, with the line of each problem that is found.
    """
    said, problems = yamltext.read(text, "drill")
    if not problems:
        try:
            scenario = msgspec.convert(said.plain, Scenario)
        except msgspec.ValidationError as refusal:
            problems = [_problem(str(refusal), said)]
        else:
            problems = list(_senseless(scenario, said))
            if not problems:
                return scenario
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise DrillError(
        "drill.invalid",
        f"{count} in the drill {source}",
        why="\n".join(map(str, sorted(problems))),
        do=f"mend {source}; docs/drills.md has every field with its meaning",
    )


def _problem(refusal: str, said: Text) -> Problem:
    """Turn msgspec's words into the line that they are about."""
    found = _WHERE.search(refusal)
    path = _path(found["path"]) if found else ()
    what = refusal[: found.start()] if found else refusal
    place = f"{yamltext.dotted(path)}: " if path else ""
    if unknown := _UNKNOWN.fullmatch(what):
        known = _known_at(path, said)
        hint = f"; {words.did_you_mean(unknown['field'], known)}" if known else ""
        key = (*path, unknown["field"])
        what = f'{place}unknown key "{unknown["field"]}"{hint}'
        return Problem(said.line(key, key=True), what)
    value = _at(said.plain, path)
    understood = WORDS.get(tuple(part for part in path if isinstance(part, str)), ())
    is_word = bool(understood) and isinstance(value, str)
    hint = f"; {words.did_you_mean(str(value), understood)}" if is_word else ""
    return Problem(said.line(path), place + what[:1].lower() + what[1:] + hint)


def _at(plain: object, path: Path) -> object:
    for part in path:
        if isinstance(plain, Mapping):
            plain = plain.get(part)
        elif isinstance(plain, list) and isinstance(part, int):
            plain = plain[part]
    return plain


def _path(text: str) -> Path:
    parts = (step.groups() for step in _STEP.finditer(text))
    return tuple(key or int(index) for key, index in parts if index != "...")


def _known_at(path: Path, said: Text) -> tuple[str, ...]:
    """Name the keys that are understood at `path`."""
    if not path:
        return _keys(Scenario)
    typed = {one.name: one.type for one in msgspec.structs.fields(Scenario)}
    if len(path) > 1 or path[0] not in typed:
        return ()
    kinds = get_args(typed[path[0]]) or (typed[path[0]],)
    structs = [one for one in kinds if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    if path == ("fault",):
        kind = _at(said.plain, ("fault", "kind"))
        structs = [one for one in structs if one.__struct_config__.tag == kind]
    return _keys(structs[0]) if structs else ()


def _keys(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind))


def _senseless(scenario: Scenario, said: Text) -> Iterator[Problem]:
    """Find what has the right form and cannot be meant."""
    least, most = scenario.under_load
    wrong = (
        (not NAME.fullmatch(scenario.name), ("name",), "small letters, digits and hyphens"),
        (not scenario.hypothesis.strip(), ("hypothesis",), "a sentence that may be false"),
        (not scenario.undo.strip(), ("undo",), "a sentence: how it is mended again"),
        (not 1 <= scenario.rounds <= MOST_ROUNDS, ("rounds",), f"from 1 to {MOST_ROUNDS:,}"),
        (not 0 <= least <= most, ("under_load",), "the shortest time, then the longest"),
        (scenario.observe < 0, ("observe",), "seconds, 0 or more"),
        (
            scenario.load is None and not scenario.expect.figures,
            ("expect",),
            "without load a drill needs figures to expect",
        ),
    )
    for is_wrong, path, wanted in wrong:
        if is_wrong:
            yield Problem(said.line(path), f"{yamltext.dotted(path)}: it must be: {wanted}")
