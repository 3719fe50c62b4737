"""What the start script's awk says of a file's end, held against core/aof/scan."""

import random
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sturdis.adapters.local import binaries
from sturdis.core.aof.scan import Scan, Tail, scan
from sturdis.core.render.scripts.scan import JUDGE
from tests.core.append_only import EXEC, MULTI, UNITS, command
from tests.integration import shells
from tests.integration.shells import SHELLS

pytestmark = [
    pytest.mark.tier("embedded"),
    pytest.mark.parametrize("shell_name", SHELLS, scope="module"),
]

SCRIPT = f"{JUDGE}\ntr '\\000\\001' '\\001\\002' | judge \"$1\"\n"
SET = command(b"SET", b"k", b"v")

Judge = Callable[[bytes], Scan]


@pytest.fixture(scope="module")
def judge(shell_name, tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    shell = shells.shell(shell_name, str(binaries.find_embedded()), folder)

    def judged(text: bytes) -> Scan:
        answer = subprocess.run(
            [*shell.command, "-c", SCRIPT, "sh", str(len(text))],
            input=text, capture_output=True, check=True, env={"PATH": shell.path},
        )  # fmt: skip
        assert not answer.stderr
        kind, safe, odd = answer.stdout.decode().split()
        return Scan(len(text), int(safe), Tail[kind.upper()], int(odd))

    return judged


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    units=UNITS,
    cut=st.integers(0, 400),
    behind=st.sampled_from([b"", bytes(1), bytes(700), b"\x01", b"\n", SET, MULTI, b"#TS:1\n"]),
    swapped=st.one_of(st.none(), st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=2))),
)
@example(units=[b"*1\r\n$3\r\nx\n\n"], cut=0, behind=b"", swapped=None)
@example(units=[MULTI, command(b"a\nMULTI"), EXEC], cut=0, behind=b"", swapped=None)
@example(units=[command(b"SET", b"k\r\n*1\r\n*2\r\n$1\r\n")], cut=4, behind=b"", swapped=None)
@example(units=[command(b"SET", b"k\r\n*12345678901\r\n$1\r\n")], cut=4, behind=b"", swapped=None)
def test_the_end_of_a_file_is_judged_as_core_does(units, cut, behind, swapped, judge):
    text = b"".join(units)
    text = text[: max(0, len(text) - cut)] + behind
    if swapped:
        at, new = swapped
        text = text[: -at - 1] + new + text[len(text) - at :]
    if text:
        assert judge(text) == scan([text])


@pytest.mark.parametrize("seed", range(4))
def test_any_byte_changed_or_lost_is_judged_as_core_does(seed, judge):
    whole = MULTI + SET + command(b"HSET", b"h", bytes(range(64)), b"") + EXEC + b"#TS:17\r\n" + SET
    chance = random.Random(seed)  # noqa: S311  nothing secret
    for _ in range(60):
        at = chance.randrange(len(whole))
        new = chance.choice((b"", b"\0", b"\r", b"\n", b"0", b"9", b"*", b"$", b"#", b"\xff"))
        text = whole[:at] + new + whole[at + 1 : chance.choice((None, -1, -9))]
        assert judge(text) == scan([text]), text
