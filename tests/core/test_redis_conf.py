import re

from hypothesis import given
from hypothesis import strategies as st

from sturdis.core.render import redis_conf as rendering
from sturdis.core.render.redis_conf import Directive, Place, redis_conf
from sturdis.core.spec import Memory, Persistence, Spec

PLACE = Place("/data", "127.0.0.1", 6379)


def settings(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in lines)


def test_the_defaults_write_the_deployment():
    assert settings(redis_conf(Spec(), PLACE)) == {
        "bind": "127.0.0.1",
        "port": "6379",
        "protected-mode": "no",
        "timeout": "0",
        "tcp-keepalive": "60",
        "dir": "/data",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "no-appendfsync-on-rewrite": "no",
        "aof-use-rdb-preamble": "yes",
        "aof-timestamp-enabled": "yes",
        "save": '""',
        "shutdown-timeout": "10",
        "maxmemory": "644245094",
        "maxmemory-policy": "noeviction",
    }


def test_the_spec_reaches_the_file():
    spec = Spec(memory=Memory(limit="100M"), persistence=Persistence(fsync="always"))
    written = settings(redis_conf(spec, Place("/d", "* -::*", 7000)))
    assert written["maxmemory"] == "60000000"
    assert written["appendfsync"] == "always"
    assert written["bind"] == "* -::*"
    assert written["port"] == "7000"


def test_every_line_has_its_reason_and_source_above_it():
    blocks = redis_conf(Spec(), PLACE).split("\n\n")[1:]
    assert len(blocks) == len(list(rendering.directives(Spec(), PLACE)))
    for block in blocks:
        *comment, setting = block.strip().splitlines()
        assert len(comment) >= 2, setting
        assert all(line.startswith("# ") for line in comment)
        assert comment[-1].startswith("# Source: ")
        assert not setting.startswith("#")


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), min_size=1
    )
)
def test_a_setting_is_one_line_whose_arguments_come_back(arguments):
    line = Directive("dir", tuple(arguments), "", "").line
    assert "\n" not in line
    assert "\r" not in line
    assert split_as_the_server(line) == ["dir", *arguments]


ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def split_as_the_server(line: str) -> list[str]:
    """Split as sdssplitargs of the servers does, as far as what is written needs it."""
    parts = re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    return [
        plain if plain is not None else unescape(quoted) for quoted, plain in map(groups, parts)
    ]


def groups(match: re.Match[str]) -> tuple[str, str | None]:
    return match[1], match[2]


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPED.get(found[1], found[1]), text)
