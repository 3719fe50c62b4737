"""What YAML makes of a text that its writer did not mean: each trap with its line and its words."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sturdis.core.errors import SpecError
from sturdis.core.spec import file as specfile
from tests.core.spec_problems import problems

NOT_DECIMAL = "for a number that is not decimal: quote it, or write it out"
NO_BOOL = "is no bool, whatever its tag says: leave the tag out"
NO_VALUE = "which is no value here: quote it"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "persistence:\n  fsync: no\n",
            ('line 2: persistence.fsync: false is not one of "always" or "everysec"; YAML reads a '
            "bare yes, no, on or off as true or false: quote the word"),
        ),
        (
            "memory:\n  limit: 1e3\n",
            ("line 2: memory.limit: 1000B is too little: an empty server and one rewrite need up "
            "to 15Mi, and data needs room; at least 32Mi"),
        ),
        (
            "memory:\n  limit: 1.5e+9\n",
            "line 2: memory.limit: 1500000000.0 is no whole number as written: quote it",
        ),
        ("memory:\n  limit: 010\n", f"line 2: YAML takes 010 {NOT_DECIMAL}"),
        (
            "memory:\n  limit: 0o10\n",
            "line 2: memory.limit: '0o10' is not a quantity of bytes such as 512Mi or 1.5Gi",
        ),
        ("memory:\n  limit: 0x10\n", f"line 2: YAML takes 0x10 {NOT_DECIMAL}"),
        ("memory:\n  limit: 1_000\n", f"line 2: YAML takes 1_000 {NOT_DECIMAL}"),
        ("memory:\n  limit: 1:30\n", f"line 2: YAML takes 1:30 {NOT_DECIMAL}"),
        ("memory:\n  limit: 1:30.5\n", f"line 2: YAML takes 1:30.5 {NOT_DECIMAL}"),
        ("name: a\nmemory: {}\nname: b\n", 'line 3: "name" stands twice, first in line 1'),
        ("a: &x 1\nb: *x\n", "line 2: aliases are not understood: write it out"),
        ("a: &a {x: *a}\n", "line 1: aliases are not understood: write it out"),
        (
            "memory:\n\tlimit: 1Gi\n",
            "line 2: not a spec in YAML: a tab stands where YAML wants spaces",
        ),
        (
            "memory:\nname: redis\n",
            "line 1: memory: nothing is written for it: give it keys, write {}, or leave it out",
        ),
        (
            "memory:\n  limit:\n\nname: redis\n",
            "line 2: memory.limit: nothing is written for it: give it a value, or leave it out",
        ),
        (
            "name: a\n---\nname: b\n",
            "line 2: not a spec in YAML: but found another document; a spec is one",
        ),
        (
            "- name: redis\n",
            ('line 1: [{"name": "redis"}] is not of type "object": a spec is keys and values, such '
            "as name: redis"),
        ),
        (
            "redis\n",
            ('line 1: "redis" is not of type "object": a spec is keys and values, such as '
            "name: redis"),
        ),
        ("name: a\nmemory: \x00\n", "line 2: not a spec in YAML: unacceptable character U+0000"),
        ("name: a\n\x1b[2J\n", "line 2: not a spec in YAML: unacceptable character U+001B"),
        ('name: "a\\tb"\n', "line 1: it holds U+0009, a character that nobody sees"),
        ('name: "a\\u200bb"\n', "line 1: it holds U+200B, a character that nobody sees"),
        ('"a\\nb": 1\n', "line 1: it holds a line break"),
        ('"\\ud800": 1\n', "line 1: it holds half of a character"),
        ("memory:\n  <<: {}\n", "line 2: merge keys (<<) are not understood: write it out"),
        (
            "name: !!python/object/apply:os.system [id]\n",
            "line 1: a python/object/apply:os.system is no value here",
        ),
        ("name: !!binary aGk=\n", f"line 1: YAML takes 'aGk=' for a binary, {NO_VALUE}"),
        ("name: !mine x\n", f"line 1: YAML takes 'x' for a !mine, {NO_VALUE}"),
        ("name: 2026-11-23\n", f"line 1: YAML takes '2026-11-23' for a timestamp, {NO_VALUE}"),
        ("name: 2026-99-99\n", f"line 1: YAML takes '2026-99-99' for a timestamp, {NO_VALUE}"),
        (
            f"memory: {{limit: {'9' * 5000}}}\n",
            f"line 1: {'9' * 60}… is more than 64 bits can count",
        ),
        ("on: 1\n", "line 1: a key must be a plain word"),
        ("name: !!float x\n", "line 1: 'x' is no float, whatever its tag says: leave the tag out"),
        ("name: !!bool maybe\n", f"line 1: 'maybe' {NO_BOOL}"),
        ("name: !!null x\n", "line 1: 'x' is no null, whatever its tag says: leave the tag out"),
        (
            "name: [\n",
            "line 2: not a spec in YAML: expected the node content, but found '<stream end>'",
        ),
    ],
)  # fmt: skip
def test_what_yaml_hides_is_told_with_its_line(text, told):
    assert problems(text) == told


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert specfile.parse("\ufeffname: a\n", source="x.yaml").name == "a"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_where_it_becomes_too_deep(opening):
    assert problems(opening * 10_000) == "line 1: not a spec in YAML: nested too deeply"


def test_an_alias_bomb_is_refused_before_it_is_expanded():
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert problems("\n".join(["a0: &a0 [lol]", *levels])) == (
        "line 2: aliases are not understood: write it out"
    )


def test_a_text_that_is_far_too_long_is_not_taken_apart():
    assert problems("a" * (10 << 20)) == "line 1: longer than 64 KiB, which no spec is"


def test_a_long_value_is_shortened_where_it_is_told_of():
    told = problems(f"name: {'A' * 60_000}\n")
    assert told.startswith('line 1: name: "AAAA')
    assert len(told) < 300


def test_a_long_text_of_problems_tells_the_first_of_them():
    told = problems("".join(f"key{n}: 1\n" for n in range(6000))).splitlines()
    assert len(told) == 20


YAML_TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("abnmeory:{}[]&*!|>-?,#'\"% \n\t019.~<=é\x00\x85\u2028\ufeff"),
        st.characters(),
    ),
    max_size=80,
)
LINES = st.lists(
    st.sampled_from([
        "memory:", "  limit: ", "limit: 1Gi", "  - a", "environments:", "  prod:", "    storage:",
        "      size: 1Mi", "name: x", "name: 'x", "{", "}", "storage: {size: 1E}", "? x", ": y",
        "monitoring: {queues: [a, a]}", "---", "...", "%YAML 1.2", "!!set {a}", "\t", "=: 1",
        "gitops: {repoURL: 'https://u:p@h/'}", "engine: {image: x}", "<<: {}", "memory: !!str",
    ]),
    max_size=12,
).map("\n".join)  # fmt: skip


TAGGED = st.builds(
    "{} !!{} {}".format,
    st.sampled_from(["name:", "memory:", "a: &x", "? ", "- ", "access: {networkPolicy:"]),
    st.sampled_from(
        ["binary", "bool", "float", "int", "map", "null", "omap", "pairs", "seq", "set", "str",
         "timestamp", "value", "merge"]
    ),
    st.sampled_from(
        ["", "x", "''", "1", "1:2:x", ".inf", "+", "_", "0b", "0x", "-", "1e", "[]", "{}", "[a]",
         "{a: 1}", "[{a: 1}]", "2026-11-23", "2026-02-30", "2026-1-1T99:99:99", "=", "<<", "no"]
    ),
)  # fmt: skip


@given(st.one_of(YAML_TEXT, LINES, TAGGED))
@settings(deadline=None)
def test_any_text_gives_a_spec_or_problems_with_lines(text):
    try:
        file = specfile.read(text, source="x.yaml")
    except SpecError as refusal:
        assert refusal.code == "spec.invalid"  # noqa: PT017  either end is right
        last = text.count("\n") + sum(text.count(char) for char in "\r\x85\u2028\u2029") + 1
        for line in refusal.why.splitlines():
            number = int(line.removeprefix("line ").partition(":")[0])
            assert 1 <= number <= last, line
    else:
        assert file.base.spec.name


def test_the_time_to_refuse_grows_with_the_text_and_not_with_its_square():
    def seconds(text: str) -> float:
        return min(timed(text) for _ in range(3))

    def timed(text: str) -> float:
        before = time.process_time()
        with contextlib.suppress(SpecError):
            specfile.read(text, source="x.yaml")
        return time.process_time() - before

    for head, shape in (
        ("", "a{n}: 1\n"),
        ("", "{n}, "),
        ("", "x{n}"),
        ("monitoring: {queues: [", "q{n}, "),
        ("gitops: {environment: e1}\nenvironments:\n", "  e{n}: {{rules: }}\n"),
        ("gitops: {environment: e1}\nenvironments:\n", "  e{n}: {{}}\n"),
    ):
        small, large = (
            head + "".join(shape.format(n=n) for n in range(count)) for count in (500, 4000)
        )
        assert seconds(large) < 8 * 5 * max(seconds(small), 0.001), shape
